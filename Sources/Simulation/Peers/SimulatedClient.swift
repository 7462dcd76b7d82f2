internal import MusterBytes
internal import MusterCluster
internal import MusterPeers
internal import MusterProtocol
internal import MusterWorkload

/// A service that changes configuration one value after the other, and reads what it and others wrote.
final class SimulatedClient: Peer {
  private let requester = Requester()
  private var sequence: UInt64 = 0
  /// The last requests that were acknowledged, oldest first.
  private var acknowledged: [Request] = []
  private static let acknowledgedMax = 6
  private var nextAt: UInt64 = 0
  private var reading: Reading?
  private var nextTag: UInt64 = 1
  private var isBursting: Bool { world.now < burstUntil }
  var burstUntil: UInt64 = 0

  /// A question under way, and what had been seen when it was asked.
  private struct Reading {
    var tag: UInt64
    var request: ReadRequest
    var floor: Revision
    var askedAt: UInt64
  }

  var isWaiting: Bool { !requester.isIdle }

  override func act() -> UInt64 {
    let now = world.now
    if requester.isIdle, now >= nextAt, !world.isResting { requester.begin(nextRequest()) }
    requester.send(self)
    if reading == nil, world.random.oneIn(isBursting ? 8 : 2) { ask() }
    return min(requester.delay(now) ?? 1_000_000, nextAt > now ? nextAt - now : 200_000)
  }

  private func think() {
    nextAt = world.now + UInt64(isBursting ? 2000 : 500_000 + world.random.below(4_000_000))
  }

  // MARK: Writing

  /// Now and then one that was answered long ago comes again, as if the answer had been lost on the way to whoever asked.
  private func nextRequest() -> Request {
    if world.random.oneIn(12), !acknowledged.isEmpty { return acknowledged[world.random.below(acknowledged.count)] }
    sequence += 1
    var request = Request(command(), client: name, sequence: sequence)
    if world.random.oneIn(20) { request.expectedRevision = world.oracle.seen }
    if world.random.oneIn(25) { request.isDryRun = true }
    return request
  }

  private func command() -> Command {
    let key = "k\(world.random.below(20))"
    if world.random.oneIn(12) { return .deleteConfig(DeleteConfig(key: key, scope: ScopeName(.cluster))) }
    // What does not compress spans sectors, and can be torn.
    let value = (0...world.random.below(world.random.oneIn(4) ? 120 : 8)).map { _ in String(world.random.next()) }
    return .setConfig(SetConfig(key: key, scope: ScopeName(.cluster), value: .text(value.joined())))
  }

  override func hear(_ incoming: Incoming) {
    if let reading, hear(incoming, reading) { return }
    let request = requester.pending
    guard let verdict = requester.hear(incoming, self), let request else { return }
    think()
    switch verdict {
    case .done(let reply):
      world.oracle.answered(request, reply, world)
      remember(request, reply)
    case .refused: break
    }
  }

  private func remember(_ request: Request, _ reply: ExecuteReply) {
    guard reply.outcome == .committed || reply.outcome == .repeated,
      !acknowledged.contains(where: { $0.sequence == request.sequence })
    else { return }
    acknowledged.append(request)
    if acknowledged.count > SimulatedClient.acknowledgedMax { acknowledged.removeFirst() }
  }

  // MARK: Reading

  private func ask() {
    var request = ReadRequest(.status(StatusQuestion()))
    switch world.random.below(8) {
    case 0, 1:
      var question = ConfigsQuestion()
      question.key = "k\(world.random.below(20))"
      request.question = .configs(question)
    case 2, 3, 4:
      guard let revision = world.oracle.anyRevision(&world.random) else { break }
      request.at = .revision(revision)
    default: break
    }
    let tag = nextTag
    guard call(.read, request.encoded(), tag: tag, argument: 3000) != nil else { return }
    nextTag += 1
    reading = Reading(tag: tag, request: request, floor: world.oracle.seen, askedAt: world.now)
  }

  /// - Returns: true when it was for the reading.
  private func hear(_ incoming: Incoming, _ reading: Reading) -> Bool {
    switch incoming {
    case .reply(let tag, let bytes):
      guard tag == reading.tag else { return false }
      self.reading = nil
      world.oracle.read(reading.request, bytes, floor: reading.floor, world)
    case .failed(let tag, let failure):
      guard tag == reading.tag else { return false }
      self.reading = nil
      if case .answered(let error) = failure { world.oracle.readFailed(error, world) }
    case .item, .end, .greeted: return false
    }
    return true
  }
}
