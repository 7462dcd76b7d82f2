internal import MusterBytes
internal import MusterCluster
internal import MusterPeers
internal import MusterProtocol
internal import MusterWorkload

/// Somebody who reads the log as a stream, from any revision on, piece by piece.
final class SimulatedAuditor: Peer {
  private var call: UInt32?
  private var tag: UInt64 = 0
  /// The revision that must come next.
  private var next: Revision = 0
  private var credit: UInt32 = 0

  init(_ number: Int, _ world: Simulation) { super.init(number, "auditor", .person, world) }

  override func act() -> UInt64 {
    if !endpoint.isUsable { call = nil }
    guard let call else {
      if !world.isResting, world.random.oneIn(4) { begin() }
      return 2_000_000
    }
    if credit < 8 {
      endpoint.grant(call, 32)
      credit += 32
    }
    return 2_000_000
  }

  private func begin() {
    guard let from = world.oracle.anyRevision(&world.random) else { return }
    var request = LogRequest()
    request.from = .revision(from)
    request.isOldestFirst = true
    request.limit = UInt64(1 + world.random.below(100))
    tag += 1
    (next, credit) = (from, 16)
    call = call(.log, request.encoded(), tag: tag, argument: credit)
  }

  override func hear(_ incoming: Incoming) {
    switch incoming {
    case .item(let tag, let bytes):
      guard tag == self.tag else { return }
      credit -= min(credit, 1)
      guard let commit = (try? HistoryItem(bytes: bytes))?.commit else {
        return world.fail("an element of the log cannot be read")
      }
      world.oracle.audited(commit, next, world)
      next += 1
    case .end(let tag):
      guard tag == self.tag else { return }
      world.marks.sometimes(.historyStreamed)
      call = nil
    case .failed(let tag, let failure):
      guard tag == self.tag else { return }
      call = nil
      if case .answered(let error) = failure { world.oracle.readFailed(error, world) }
    case .reply, .greeted: break
    }
  }
}
