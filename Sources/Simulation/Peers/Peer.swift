internal import MusterCluster
internal import MusterProtocol

/// A clock of one machine: it runs a little fast or slow, and jumps.
struct ProcessClock {
  /// How far it is off, in microseconds.
  var offset: Int64 = 0
  /// How fast it runs, in millionths more than it should.
  var drift: Int64 = 0

  private static let epoch: Int64 = 1_700_000_000_000_000

  func wall(_ now: UInt64) -> Microseconds { UInt64(max(0, ProcessClock.epoch + Int64(elapsed(now)) + offset)) }

  /// A clock that does not jump, in microseconds.
  func elapsed(_ now: UInt64) -> UInt64 { UInt64(Int64(now) + Int64(now / 1000) * drift / 1000) }

  func milliseconds(_ now: UInt64) -> UInt64 { elapsed(now) / 1000 }
}

/// Somebody who talks to the server, over one connection at a time.
class Peer {
  let number: Int
  let name: String
  let endpoint: Endpoint
  unowned let world: Simulation
  var clock = ProcessClock()
  /// It hangs until then.
  var pausedUntil: UInt64 = 0
  /// The newest plan to wake it, and when.
  private(set) var planNumber: UInt64 = 0
  private var plannedAt: UInt64 = .max

  init(_ number: Int, _ name: String, _ kind: PrincipalKind, _ world: Simulation) {
    self.number = number
    self.name = name
    self.world = world
    endpoint = Endpoint(Hello(principal: name, kind: kind, software: "simulated"))
  }

  var milliseconds: UInt64 { clock.milliseconds(world.now) }
  var isPaused: Bool { world.now < pausedUntil }

  // MARK: What each kind of peer does

  /// Does what is due.
  ///
  /// - Returns: microseconds after which it looks again, whatever comes meanwhile.
  func act() -> UInt64 { 1_000_000 }

  func hear(_ incoming: Incoming) {}

  // MARK: Its life

  func plan(in delay: UInt64) {
    let time = world.now + max(delay, 1)
    guard time < plannedAt else { return }
    planNumber += 1
    plannedAt = time
    world.schedule.plan(.wake(peer: number, plan: planNumber), at: time)
  }

  func wake(_ plan: UInt64) {
    guard plan == planNumber else { return }
    plannedAt = .max
    if isPaused { return self.plan(in: pausedUntil - world.now) }
    let news = endpoint.tick(milliseconds)
    if news.contains(where: { if case .failed = $0 { true } else { false } }) {
      world.marks.sometimes(endpoint.isSilent ? .connectionSilent : .deadlinePassed)
    }
    for incoming in news { hear(incoming) }
    goOn()
  }

  /// Does what is due, and sends what that is.
  private func goOn() {
    closeLost()
    let delay = act()
    closeLost()
    if endpoint.wantsConnection(world.now) { world.connect(self) }
    world.flush(self)
    plan(in: delay)
  }

  func receive(_ bytes: [UInt8]) {
    for incoming in endpoint.receive(bytes, milliseconds) { hear(incoming) }
    // A process that hangs finds it later; what it would do about it waits with it.
    if isPaused { plan(in: pausedUntil - world.now) } else { goOn() }
  }

  func hungUp() {
    for incoming in endpoint.lost() { hear(incoming) }
    plan(in: 1000)
  }

  /// Gives up the connection: what was sent on it may still arrive.
  func giveUp() {
    for incoming in endpoint.lost() { hear(incoming) }
    closeLost()
  }

  private func closeLost() {
    guard !endpoint.isOpenOrConnecting, let wire = endpoint.forget() else { return }
    endpoint.rest(until: world.now + 50_000)
    world.close(wire, at: .peer)
  }

  /// The process dies: its connection ends, and it remembers nothing of it.
  func dropConnection() {
    _ = endpoint.lost()
    closeLost()
  }

  func call(_ method: Method, _ payload: [UInt8], tag: UInt64, argument: UInt32) -> UInt32? {
    endpoint.begin(method, payload, tag: tag, argument: argument, milliseconds)
  }
}
