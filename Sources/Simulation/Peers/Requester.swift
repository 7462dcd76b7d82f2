internal import MusterBytes
internal import MusterCluster
internal import MusterPeers
internal import MusterProtocol

/// How one request ended.
enum Verdict {
  case done(ExecuteReply)
  case refused(Refusal?)
}

/// Executes one command at a time, again and again with the same request id until there is an answer, as the real
/// client does it.
///
/// A class, because to give up a connection tells its peer of every call on it, this one's too.
final class Requester {
  private(set) var pending: Request?
  private var policy = RetryPolicy(attempts: 1)
  /// Tags of the calls of the pending request that are open.
  private var open: UInt64?
  private var nextTag: UInt64 = 1
  private var retryAt: UInt64 = 0
  private var hasFailed = false

  /// Marks the tags of commands, so that a peer can have other calls beside.
  static let tagBit: UInt64 = 1 << 63
  static let deadlineMilliseconds: UInt32 = 5000

  var isIdle: Bool { pending == nil }

  func begin(_ request: Request) {
    pending = request
    policy = RetryPolicy(attempts: .max)
    retryAt = 0
    hasFailed = false
  }

  /// Nothing comes of the pending request any more: its process is gone.
  func forget() {
    pending = nil
    open = nil
  }

  /// Sends the pending request when it is time to.
  func send(_ peer: Peer) {
    guard let pending, open == nil, peer.world.now >= retryAt else { return }
    let tag = nextTag | Requester.tagBit
    guard
      peer.call(.execute, pending.encoded(), tag: tag, argument: Requester.deadlineMilliseconds) != nil
    else { return }
    if hasFailed { peer.world.marks.sometimes(.requestRetried) }
    nextTag += 1
    open = tag
  }

  /// When `send` should be called again, in microseconds from now; nil when not before something comes.
  func delay(_ now: UInt64) -> UInt64? {
    guard pending != nil, open == nil else { return nil }
    return retryAt > now ? retryAt - now : 10_000
  }

  /// Something came for one of its calls.
  ///
  /// - Returns: how the request ended; nil when it has not.
  func hear(_ incoming: Incoming, _ peer: Peer) -> Verdict? {
    switch incoming {
    case .reply(let tag, let bytes):
      guard tag == open else { return nil }
      open = nil
      guard let reply = try? ExecuteReply(bytes: bytes) else {
        peer.world.fail("an answer to a command cannot be read")
        return nil
      }
      if reply.outcome == .repeated { peer.world.marks.sometimes(.requestRepeated) }
      pending = nil
      return .done(reply)
    case .failed(let tag, let failure):
      guard tag == open else { return nil }
      open = nil
      return failed(failure, peer)
    case .greeted, .item, .end: return nil
    }
  }

  private func failed(_ failure: CallFailure, _ peer: Peer) -> Verdict? {
    let world = peer.world
    if failure == CallFailure.lost(CallFate.outcomeUnknown) { world.marks.sometimes(.outcomeUnknown) }
    if case .answered(let error) = failure, error.code == .unavailable { world.marks.sometimes(.sequencerFull) }
    hasFailed = true
    switch policy.decide(failure, isRepeatable: true, spread: world.random.next()) {
    case .again(let milliseconds):
      retryAt = world.now + milliseconds * 1000
      // As the real client does: a connection that failed is not used again.
      if case .lost = failure { peer.giveUp() }
      return nil
    case .giveUp:
      pending = nil
      guard case .answered(let error) = failure else { return .refused(nil) }
      let refusal = try? Refusal(bytes: error.details)
      world.noteRefusal(refusal)
      return .refused(refusal)
    }
  }
}
