internal import MusterCluster
internal import MusterProtocol

/// The newest durable commits, so that watchers who are a little behind are fed from memory and not from the journal,
/// and what all of them are sent is encoded once.
///
/// Invariants:
/// - The commits are of dense revisions, the last one of the newest durable revision.
/// - Together their blocks have at most `bytesMax` bytes, or there is one block.
struct RecentCommits {
  private struct Entry {
    var commit: Commit
    /// Which filling of the outbox `starts` and `ends` are of.
    var filling: UInt64 = 0
    /// Where the element for each topic is in the outbox: -1 when it was not encoded yet.
    var starts = SIMD4<Int32>(repeating: -1)
    /// The same start and end: the topic has nothing of this commit.
    var ends = SIMD4<Int32>(repeating: -1)
  }

  private var entries: [Entry] = []
  /// Entries before this one were let go.
  private var begin = 0
  /// The last revision and the size of each block that is here.
  private var blocks: [(last: Revision, bytes: Int)] = []
  private var bytes = 0
  private(set) var first: Revision = 1
  private var filling: UInt64 = 1

  static let bytesMax = 4 << 20

  /// True when the commit of this revision is here.
  func contains(_ revision: Revision) -> Bool {
    revision >= first && revision - first < UInt64(entries.count - begin)
  }

  /// Adds the commits of one block.
  ///
  /// - Parameter bytes: how long the block is.
  mutating func append(_ commits: [Commit], bytes: Int) {
    guard let last = commits.last else { return }
    if begin == entries.count { first = commits[0].revision }
    precondition(commits[0].revision == first + UInt64(entries.count - begin), "recent commits have no gap")
    for commit in commits { entries.append(Entry(commit: commit)) }
    blocks.append((last.revision, bytes))
    self.bytes += bytes
    letGo()
  }

  private mutating func letGo() {
    var count = 0
    while count + 1 < blocks.count, bytes > RecentCommits.bytesMax {
      bytes -= blocks[count].bytes
      begin += Int(blocks[count].last + 1 - first)
      first = blocks[count].last + 1
      count += 1
    }
    blocks.removeFirst(count)
    // Moved down seldom enough that it costs each commit one move.
    if begin > 1024, begin > entries.count / 2 {
      entries.removeFirst(begin)
      begin = 0
    }
  }

  /// The outbox was emptied: what was encoded is gone.
  mutating func outboxEmptied() { filling += 1 }

  /// The element that a watcher of a topic is sent for a revision; nil when the topic has nothing of it.
  ///
  /// - Parameter encode: encodes it into the outbox, at most once for each filling of the outbox.
  mutating func item(
    _ revision: Revision, _ topic: WatchTopic, _ encode: (Commit) -> Range<Int>?
  ) -> Range<Int>? {
    let place = begin + Int(revision - first)
    let lane = Int(topic.rawValue)
    if entries[place].filling != filling {
      entries[place].filling = filling
      entries[place].starts = SIMD4(repeating: -1)
    }
    if entries[place].starts[lane] < 0 {
      let range = encode(entries[place].commit) ?? 0..<0
      entries[place].starts[lane] = Int32(range.lowerBound)
      entries[place].ends[lane] = Int32(range.upperBound)
    }
    let range = Int(entries[place].starts[lane])..<Int(entries[place].ends[lane])
    return range.isEmpty ? nil : range
  }
}
