import MusterBytes
import MusterCluster
import MusterWorkload

/// Decodes and applies a generated history on one core, as a restart does.
func replay(events wanted: Int) {
  let history = EncodedHistory(events: wanted)
  for _ in 0..<3 { replayOnce(history) }
}

/// The commits of a history, one behind the other.
private struct EncodedHistory {
  private(set) var bytes: [UInt8] = []
  private(set) var ends: [Int] = []
  private(set) var events = 0
  let digest: SetDigest

  init(events wanted: Int) {
    var generator = HistoryGenerator(seed: 1, nodes: 200, shards: 100_000)
    while events < wanted {
      let commit = generator.next()
      bytes += commit.encoded()
      ends.append(bytes.count)
      events += commit.events.count
    }
    digest = generator.state.digest
  }
}

private func replayOnce(_ history: EncodedHistory) {
  var state = State()
  state.deferDigest()
  let watch = Stopwatch()
  history.bytes.withUnsafeBytes { bytes in
    var start = 0
    for end in history.ends {
      do {
        try state.apply(stored: UnsafeRawBufferPointer(rebasing: bytes[start..<end]))
      } catch {
        fatalError("state-benchmark: \(error)")
      }
      start = end
    }
  }
  let seconds = watch.processor / 1_000_000_000
  show("replay", Double(history.events) / seconds / 1_000_000, "million events/s", "at least 5", watch)
  show("  commits", Double(history.ends.count) / seconds / 1_000_000, "million/s", "for comparison")
  let digest = Stopwatch()
  state.resumeDigest()
  show("  digest of every row", digest.processor / 1_000_000, "ms", "for comparison", digest)
  guard state.digest == history.digest else { fatalError("state-benchmark: replay made another state") }
}
