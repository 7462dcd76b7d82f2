import MusterBytes
import MusterCluster
import MusterDisk
import MusterLog
import Testing

@Suite struct DivergenceTests {
  /// A log of which one block says another digest than its commits lead to: every checksum holds.
  private func plant(_ directory: String, lyingAt revision: Revision) throws {
    try Journal.create(directory, identity: LogIdentity(clusterID: String(repeating: "a", count: 32), timeline: 1))
    let journal = try Journal.open(directory)
    var builder = journal.builder()
    var state = State()
    for number in 1...6 as ClosedRange<UInt64> {
      let key = number == 1 ? "system/scrub-pause-seconds" : "planted"
      let command = SetConfig(key: key, scope: ScopeName(), value: .text(number == 1 ? "0" : "\(number)"))
      let context = RequestContext(principal: "ada", kind: .person, assurance: .asserted, wallTime: number)
      guard case .committed(let commit) = state.execute(Request(.setConfig(command)), context, NoPlaces()) else {
        preconditionFailure("a new value is a commit")
      }
      var digest = state.digest
      if number == revision { digest.low ^= 1 }
      builder.append(commit.encoded())
      try journal.append(
        builder.seal(
          origin: BlockOrigin(timeline: 1, term: 1, run: journal.run), firstRevision: number, time: state.time,
          eventCount: UInt32(commit.events.count), digest: digest))
    }
    try journal.close()
  }

  @Test func aServerWhoseStateAndLogDivergeStopsServingAndNamesTheRevision() async throws {
    let directory = try TemporaryDirectory()
    let data = directory.path("data")
    try plant(data, lyingAt: 4)
    let finished = try await run(.muster, ["serve", "--data", data, "--listen", "127.0.0.1:0", "--http", "none"])
    #expect(finished.code == 4)
    #expect(finished.error.contains("ready revision=6"), "it starts, since the last block tells the truth")
    #expect(finished.error.contains("nothing is served any more") && finished.error.contains("revision 4"))
  }
}

private struct NoPlaces: Planner {
  func place(_ count: Int, of total: Int, under policy: Policy, in state: State) -> Result<[[NodeID]], Refusal> {
    .success([])
  }
}
