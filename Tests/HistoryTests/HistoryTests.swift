import MusterBytes
import MusterCluster
import MusterHistory
import MusterLog
import MusterProtocol
import MusterSimulatedDisk
import MusterWorkload
import Testing

/// A generated history in a log with snapshots, and every state of it.
private struct Recorded {
  let disk = CrashDisk()
  let identity = LogIdentity(clusterID: "0123456789abcdef0123456789abcdef", timeline: 1)
  private(set) var digests: [SetDigest] = [State().digest]
  private(set) var commits: [Commit] = []
  private(set) var states: [UInt64: State] = [:]

  init(seed: UInt64, commits count: Int) throws {
    try DirectoryIdentity.create(disk, identity, segmentBytes: 256 * 1024)
    let plan = try RecoveryPlan.make(try LogReader(disk, identity: identity, confirmed: 0))
    let writer = LogWriter(disk, identity: identity, plan: plan, run: 1, segmentBytes: 256 * 1024)
    var builder = BlockBuilder(after: .zero)
    var generator = HistoryGenerator(seed: seed, nodes: 20, shards: 200)
    var random = SeededGenerator(seed: seed)
    var previous: State?
    while commits.count < count {
      let first = generator.state.revision + 1
      var events: UInt32 = 0
      for _ in 0...random.below(6) {
        let commit = generator.next()
        builder.append(commit.encoded())
        commits.append(commit)
        digests.append(generator.state.digest)
        events += UInt32(commit.events.count)
      }
      if !writer.isSpareReady {
        try LogWriter.prepareSpare(disk, bytes: 256 * 1024, pause: {})
        writer.isSpareReady = true
      }
      try writer.append(
        builder.seal(
          origin: BlockOrigin(timeline: 1, term: 1, run: 1), firstRevision: first, time: generator.state.time,
          eventCount: events, digest: generator.state.digest))
      if random.oneIn(40) {
        try snapshot(generator.state, since: previous)
        previous = generator.state
      }
    }
    try writer.confirm(isFinal: true)
    let names = try SegmentName.all(in: disk.list(Layout.log))
    for (place, name) in names.enumerated().dropLast() {
      try LogWriter.seal(disk, identity, first: name.first, through: names[place + 1].first - 1)
    }
  }

  private func snapshot(_ state: State, since older: State?) throws {
    var manifest = SnapshotManifest()
    manifest.revision = state.revision
    manifest.time = state.time
    manifest.parent = older?.revision ?? 0
    manifest.digestLow = state.digest.low
    manifest.digestHigh = state.digest.high
    let writer = try SnapshotWriter(disk, identity, manifest)
    try state.forEachPage(changedSince: older) { table, page, bytes in
      try writer.add(PageAddress(table: table.rawValue, page: page), bytes)
    }
    _ = try writer.finish()
  }

  func history() throws -> History {
    let store = SnapshotStore(disk, identity)
    let log = try LogReader(disk, identity: identity, confirmed: try store.list().last?.revision ?? 0)
    return History(log, store, through: log.lastRevision)
  }
}

@Suite struct HistoryTests {
  private let recorded: Recorded

  init() throws { recorded = try Recorded(seed: 11, commits: 4000) }

  @Test func aThousandRandomMomentsAreWhatReplayGives() throws {
    let history = try recorded.history()
    var random = SeededGenerator(seed: 1)
    #expect(history.last == UInt64(recorded.commits.count))
    for _ in 0..<1000 {
      let revision = UInt64(random.below(recorded.commits.count + 1))
      let state = try history.state(at: revision)
      #expect(state.revision == revision)
      #expect(state.digest == recorded.digests[Int(revision)])
    }
  }

  @Test func theDeepCheckPasses() throws {
    var last: UInt64 = 0
    try recorded.history().verifyDeep { last = $0 }
    #expect(last == UInt64(recorded.commits.count))
  }

  @Test func momentsInTimeAreTheLastCommitAtOrBefore() throws {
    let history = try recorded.history()
    for place in stride(from: 0, to: recorded.commits.count, by: 37) {
      let commit = recorded.commits[place]
      #expect(try history.resolve(.time(commit.time), clock: 0) >= commit.revision)
      let before = try? history.resolve(.time(commit.time - 1), clock: 0)
      #expect((before ?? 0) < commit.revision)
      let ago = try history.resolve(.ago(history.lastTime - commit.time), clock: history.lastTime)
      #expect(recorded.commits[Int(ago) - 1].time == commit.time)
    }
    #expect(throws: HistoryError.self) { try history.resolve(.revision(1_000_000), clock: 0) }
    #expect(throws: HistoryError.self) { try history.resolve(.time(5), clock: 0) }
  }

  @Test(arguments: [true, false])
  func theLogShowsExactlyWhatMatches(isOldestFirst: Bool) throws {
    let history = try recorded.history()
    let names = try history.state(at: history.last)
    var request = LogRequest()
    request.isOldestFirst = isOldestFirst
    request.from = .revision(100)
    request.to = .revision(3500)
    request.filter.node = "n3"
    request.filter.eventType = "LeaderElected"
    let cursor = try LogCursor(request, history, names: names, clock: 0)
    var found: [Revision] = []
    while !cursor.isDone { found += try cursor.next(7).map(\.revision) }
    let node = try #require(names.nodeID(named: "n3"))
    let expected = recorded.commits.filter { commit in
      var touched = Touched()
      for event in commit.events { event.touch(&touched) }
      return (100...3500).contains(commit.revision) && touched.nodes.contains(node)
        && commit.events.contains { $0.name == "LeaderElected" }
    }.map(\.revision)
    #expect(!expected.isEmpty)
    #expect(found == (isOldestFirst ? expected : expected.reversed()))
  }

  @Test func aDiffNamesWhatChangedAndNothingElse() throws {
    let history = try recorded.history()
    let a = try history.state(at: 2000)
    let b = try history.state(at: 2400)
    var named: [String] = []
    Differ.diff(a, b) { named.append($0.entity) }
    #expect(Set(named).count == named.count)
    // Rows that were rebuilt from files share no memory; what differs is the same as with shared pages.
    var live = a
    for commit in recorded.commits[2000..<2400] { try live.apply(commit) }
    var again: [String] = []
    Differ.diff(a, live) { again.append($0.entity) }
    #expect(named == again)
    b.shards.forEach { id, row in
      let before = a.shards.row(id)
      let differs =
        before?.replicas != row.replicas || before?.leader != row.leader || before?.epoch != row.epoch
        || before?.move != row.move
      #expect(named.contains("shard/\(b.shardName(id))") == differs)
    }
    var nothing = 0
    Differ.diff(b, b) { _ in nothing += 1 }
    #expect(nothing == 0)
  }
}
