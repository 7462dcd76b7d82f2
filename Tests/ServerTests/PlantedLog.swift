import MusterBytes
import MusterCluster
import MusterDisk
import MusterLog

/// A log that was not written by a server: many small segments, and whatever a test wants wrong in it.
enum PlantedLog {
  private static let segmentBytes = 128 * 1024

  /// Writes a log whose first commit has a server read everything again all the time, and whose others set a value each.
  static func write(_ directory: String, commits: Int, valueBytes: Int = 200) throws {
    try Journal.create(
      directory, identity: LogIdentity(clusterID: String(repeating: "a", count: 32), timeline: 1), options: options)
    let journal = try Journal.open(directory, options: options)
    var builder = journal.builder()
    var state = State()
    for number in 0..<commits {
      let value = [UInt8](repeating: UInt8(truncatingIfNeeded: number), count: valueBytes)
      let command =
        number == 0
        ? SetConfig(key: "system/scrub-pause-seconds", scope: ScopeName(), value: .text("0"))
        : SetConfig(key: "planted/\(number % 7)", scope: ScopeName(), value: .bytes(value))
      let context = RequestContext(principal: "ada", kind: .person, assurance: .asserted, wallTime: UInt64(number) + 1)
      guard case .committed(let commit) = state.execute(Request(.setConfig(command)), context, NoPlaces()) else {
        preconditionFailure("a new value is a commit")
      }
      builder.append(commit.encoded())
      try journal.append(
        builder.seal(
          origin: BlockOrigin(timeline: 1, term: 1, run: journal.run), firstRevision: commit.revision,
          time: state.time, eventCount: UInt32(commit.events.count), digest: state.digest))
    }
    try journal.close()
  }

  private static var options: JournalOptions {
    var options = JournalOptions()
    options.segmentBytes = segmentBytes
    return options
  }

  /// The state that the log leads to, but for one bit of the last value that was set.
  static func stateWithOneBitFlipped(_ journal: Journal) throws -> State {
    var state = State()
    try journal.openReader().forEachCommit { bytes, revision in
      var commit = try Commit(bytes: bytes)
      if revision == journal.lastRevision {
        commit.events = commit.events.map { event in
          guard case .configSet(var set) = event, case .bytes(var value) = set.value else { return event }
          value[0] ^= 1
          set.value = .bytes(value)
          return .configSet(set)
        }
      }
      try commit.encoded().withUnsafeBytes { try state.apply(stored: $0) }
      return true
    }
    return state
  }
}

private struct NoPlaces: Planner {
  func place(_ count: Int, of total: Int, under policy: Policy, in state: State) -> Result<[[NodeID]], Refusal> {
    .success([])
  }
}
