internal import MusterBytes
internal import MusterCluster
internal import MusterPeers
internal import MusterProtocol
internal import MusterWorkload

/// A watcher that must see every commit of its topic once and in order, across every crash.
final class SimulatedWatcher: Peer {
  let topic: WatchTopic
  /// Everything before it was seen.
  private(set) var next: Revision = 1
  private var call: UInt32?
  private var tag: UInt64 = 0
  private var credit: UInt32 = 0
  /// It does not grant more before.
  private var stallsUntil: UInt64 = 0
  private var hasSeenAnything = false

  init(_ number: Int, _ topic: WatchTopic, _ world: Simulation) {
    self.topic = topic
    super.init(number, "watcher.\(topic.name)", .service, world)
  }

  override func act() -> UInt64 {
    if !endpoint.isUsable { call = nil }
    if call == nil { begin() }
    guard let call, credit < 8, world.now >= stallsUntil else { return 500_000 }
    if !world.isCalm, world.random.oneIn(6) {
      world.marks.sometimes(.watcherLacksCredit)
      stallsUntil = world.now + UInt64(world.random.below(20_000_000))
      return 500_000
    }
    let more = UInt32(1 + world.random.below(64))
    endpoint.grant(call, more)
    credit += more
    return 500_000
  }

  private func begin() {
    tag += 1
    credit = UInt32(1 + world.random.below(32))
    call = call(.watch, WatchRequest(topic, from: next).encoded(), tag: tag, argument: credit)
    if call != nil, hasSeenAnything { world.marks.sometimes(.watcherResumed) }
  }

  override func hear(_ incoming: Incoming) {
    switch incoming {
    case .item(let tag, let bytes): if tag == self.tag { see(bytes) }
    case .failed(let tag, let failure):
      guard tag == self.tag else { return }
      call = nil
      if case .answered(let error) = failure { world.oracle.readFailed(error, world) }
    case .end: call = nil
    case .reply, .greeted: break
    }
  }

  private func see(_ bytes: [UInt8]) {
    guard let item = try? WatchItem(bytes: bytes) else { return world.fail("an element of a watch cannot be read") }
    hasSeenAnything = true
    credit -= min(credit, 1)
    if item.commit == nil { world.marks.sometimes(.watcherMarked) }
    world.oracle.watched(item, topic, next: next, world)
    next = item.revision + 1
  }
}
