internal import MusterBytes
package import MusterCluster
internal import MusterControllers
import MusterHistory
import MusterKernel
import MusterLog
import MusterProtocol
import MusterSimulatedDisk
internal import MusterWorkload

/// A promise that was broken, with the seed that shows it.
package struct BrokenPromise: Error, CustomStringConvertible {
  package var seed: UInt64
  package var problem: String

  package var description: String { "seed \(seed): \(problem)" }
}

/// What a run covered.
package struct SimulationReport: Equatable, Sendable {
  package var seed: UInt64
  /// Of everything that happened, in order: the same seed gives the same digest.
  package var trace: String
  package var revisions: Revision = 0
  package var acknowledged = 0
  package var crashes = 0
  package var tornRecoveries = 0
  package var retries = 0
  package var lostMessages = 0
  package var watched = 0
  package var elections = 0
  /// Moves that came to their end.
  package var moves = 0
  /// Leaderships that were handed over as planned.
  package var handOvers = 0
  /// Writes to replicas that their writers were told are safe.
  package var writes = 0
  package var seconds: UInt64 = 0
}

/// A server, agents and clients in one thread under virtual time, from one seed.
///
/// The kernel, the log, the agents' book and the protocol's messages are the real ones; the disk, the network and the
/// clock are not. The oracle sees only what clients saw, and the log that is left at the end.
package final class Simulation {
  private let seed: UInt64
  private var random: SeededGenerator
  private var schedule = Schedule()
  private var now: UInt64 = 0
  private let disk = CrashDisk()
  private var server: SimulatedServer?
  private var life: UInt64 = 0
  private var actors: [any Actor] = []
  private let clients: [SimulatedClient]
  private let watcher = SimulatedWatcher()
  private let data: ModelledData
  private var nextCall: UInt32 = 0
  private var trace = SetDigest()
  private var traced: UInt64 = 0
  private var report: SimulationReport
  /// After this no more crashes and losses: everything must come to rest.
  private let calmAfter: UInt64
  private let end: UInt64
  /// The worst that happens differs: in one run the server dies often, in the next the nodes do.
  private let isServerFrail: Bool
  private static let epoch: UInt64 = 1_700_000_000_000_000

  /// - Parameters:
  ///   - seconds: virtual seconds of faults; as many of calm follow.
  ///   - flaw: a rule that the modelled hosts break.
  package init(seed: UInt64, seconds: UInt64, flaw: HostFlaw? = nil) throws {
    self.seed = seed
    data = ModelledData(flaw)
    random = SeededGenerator(seed: seed)
    isServerFrail = seed % 2 == 0
    calmAfter = seconds * 1_000_000
    end = calmAfter * 2
    clients = (0..<3).map { SimulatedClient($0) }
    report = SimulationReport(seed: seed, trace: "")
    actors = clients.map { $0 as any Actor } + [watcher] + (0..<6).map { SimulatedAgent($0, data) as any Actor }
    try DirectoryIdentity.create(disk, SimulatedServer.identity, segmentBytes: SimulatedServer.segmentBytes)
  }

  /// Runs to the end, or to the first broken promise.
  package func run() throws -> SimulationReport {
    try start()
    for actor in actors.indices { schedule.plan(.wake(actor: actor), at: UInt64(random.below(100_000))) }
    schedule.plan(.crash, at: UInt64(random.below(3_000_000)) + (isServerFrail ? 0 : calmAfter / 3))
    while let (time, happening) = schedule.next(), time < end {
      precondition(time >= now, "time never goes back")
      now = time
      note(happening)
      try happen(happening)
    }
    try judge()
    report.trace = trace.hex
    report.seconds = end / 1_000_000
    report.retries = clients.reduce(0) { $0 + $1.retries }
    report.watched = watcher.seen.count
    return report
  }

  private func broken(_ problem: String) -> BrokenPromise { BrokenPromise(seed: seed, problem: problem) }

  /// Adds to the digest of the trace: what, when, and to whom.
  private func note(_ happening: Happening) {
    traced += 1
    let words = "\(traced) \(now) \(Simulation.summary(happening))"
    trace += Array(words.utf8).withUnsafeBytes { SetDigest(row: $0, seed: 1) }
  }

  private static func summary(_ happening: Happening) -> String {
    switch happening {
    case .arrive(let delivery): "arrive \(delivery.actor) \(delivery.call) \(CRC32C.checksum(delivery.payload))"
    case .answer(let actor, _, let call, let answered): "answer \(actor) \(call) \(summary(answered))"
    case .wake(let actor): "wake \(actor)"
    case .diskDone(let life): "disk \(life)"
    case .serverTick(let life): "tick \(life)"
    case .confirm(let life): "confirm \(life)"
    case .crash: "crash"
    case .restart: "restart"
    }
  }

  private static func summary(_ answered: Answered) -> String {
    switch answered {
    case .reply(let bytes): "reply \(CRC32C.checksum(bytes))"
    case .item(let bytes): "item \(CRC32C.checksum(bytes))"
    case .failure(let problem): problem
    }
  }

  private func happen(_ happening: Happening) throws {
    switch happening {
    case .arrive(let delivery): try arrive(delivery)
    case .answer(let actor, let life, let call, let answered):
      if life == self.life { actors[actor].answered(answered, call, now) }
    case .wake(let actor): wake(actor)
    case .diskDone(let life): if life == self.life { try diskDone() }
    case .serverTick(let life): if life == self.life { try tick() }
    case .confirm(let life):
      if life == self.life { try orDie { try $0.confirm() } }
      if life == self.life { schedule.plan(.confirm(life: life), at: now + 50_000) }
    case .crash: crash()
    case .restart: try start()
    }
  }

  // MARK: The server's life

  private func start() throws {
    life += 1
    do {
      let fresh = try SimulatedServer(disk, life: life)
      try checkAcknowledged(fresh.kernel.view.revision)
      server = fresh
      schedule.plan(.serverTick(life: life), at: now + 100_000)
      schedule.plan(.confirm(life: life), at: now + 50_000)
    } catch let promise as BrokenPromise {
      throw promise
    } catch  where disk.isDown {
      // It died again while it recovered.
      die()
    } catch {
      throw broken("the log that a crash left cannot be recovered: \(error)")
    }
  }

  /// The machine will lose power within the next few operations of the disk.
  private func crash() {
    guard now < calmAfter else { return }
    disk.diesAtOperation = disk.operationCount + 1 + random.below(8)
    schedule.plan(.crash, at: now + UInt64(200_000 + random.below(isServerFrail ? 4_000_000 : 40_000_000)))
  }

  /// Runs what touches the disk; when the disk dies under it, the server is dead.
  private func orDie(_ body: (SimulatedServer) throws -> Void) throws {
    guard let server else { return }
    do {
      try body(server)
    } catch  where disk.isDown {
      die()
    } catch {
      throw broken("the log cannot be written: \(error)")
    }
  }

  private func die() {
    server = nil
    life += 1
    report.crashes += 1
    let isUpForGood = now >= calmAfter
    disk.crash(&random)
    if let plan = try? RecoveryPlan.make(SimulatedServer.log(disk)), plan.tornBytes > 0 { report.tornRecoveries += 1 }
    // Now and then it dies again while it starts.
    if !isUpForGood, random.oneIn(4) { disk.diesAtOperation = 1 + random.below(6) }
    for actor in actors { actor.disconnected() }
    schedule.plan(.restart, at: now + UInt64(10_000 + random.below(500_000)))
  }

  private func diskDone() throws {
    try orDie { try $0.writeBlock(&random) }
    try carryOut()
  }

  private func tick() throws {
    server?.kernel.tick(clock)
    try carryOut()
    schedule.plan(.serverTick(life: life), at: now + 100_000)
  }

  private var clock: Now { Now(wall: Simulation.epoch + now, monotonic: now / 1000) }

  /// Carries out what the kernel wants, and hands the next block to the disk.
  private func carryOut() throws {
    guard let server else { return }
    let kernel = server.kernel
    while !kernel.effects.isEmpty {
      let effects = kernel.effects
      let outbox = kernel.outbox.array()
      kernel.effectsDone()
      for effect in effects { try carryOut(effect, outbox, server) }
    }
    if server.takeBlock() { schedule.plan(.diskDone(life: life), at: now + UInt64(100 + random.below(3000))) }
  }

  private func carryOut(_ effect: Effect, _ outbox: [UInt8], _ server: SimulatedServer) throws {
    switch effect {
    case .reply(let call, let range): send(call, .reply(Array(outbox[range])))
    case .item(let call, let range): deliver(call, .item(Array(outbox[range])), after: 50)
    case .fail(let call, let error):
      send(call, .failure(error.retryAfterMilliseconds == nil ? error.code.name : "retry: \(error.code.name)"))
    case .recall: throw broken("nobody asked about the past")
    case .destroyKeys: throw broken("nobody had sensitive values")
    case .catchUp(let call, let from, let through, let limit):
      var commits: [Commit] = []
      try SimulatedServer.history(disk).forEachCommit(from: from, through: through) {
        commits.append($0)
        return commits.count < limit
      }
      server.kernel.caughtUp(call, commits, through: commits.last?.revision ?? through)
    }
  }

  // MARK: The network

  /// Answers may be lost, late, or come twice; elements of streams come in order.
  private func send(_ call: CallID, _ answered: Answered) {
    if now < calmAfter, random.oneIn(20) {
      report.lostMessages += 1
      return
    }
    deliver(call, answered, after: UInt64(50 + random.below(5000)))
    if now < calmAfter, random.oneIn(30) { deliver(call, answered, after: UInt64(50 + random.below(20_000))) }
  }

  private func deliver(_ call: CallID, _ answered: Answered, after delay: UInt64) {
    schedule.plan(
      .answer(actor: Int(call.connection), life: life, call: call.call, answered), at: now + delay)
  }

  private func arrive(_ delivery: Delivery) throws {
    guard let server, delivery.life == life else { return }
    let actor = actors[delivery.actor]
    let caller = Caller(principal: actor.principal, kind: actor.kind, assurance: .asserted)
    delivery.payload.withUnsafeBytes {
      server.kernel.receive(
        CallID(connection: UInt64(delivery.actor), call: delivery.call), from: caller, method: delivery.method,
        credit: delivery.credit, payload: $0, now: clock)
    }
    try carryOut()
  }

  private func wake(_ number: Int) {
    let actor = actors[number]
    if now < calmAfter, random.oneIn(isServerFrail ? 400 : 60) {
      data.cut("n\(random.below(6))", "n\(random.below(6))", until: now + UInt64(random.below(4_000_000)))
    }
    if let agent = actor as? SimulatedAgent, now < calmAfter, random.oneIn(isServerFrail ? 1200 : 1500) {
      // Only a node that is silent for long is replaced.
      agent.silentUntil = now + UInt64((isServerFrail ? 500_000 : 5_000_000) + random.below(12_000_000))
      data.frozen.insert(agent.principal)
    }
    if server != nil {
      for sending in actor.wake(now, &random) { transmit(sending, number) }
    }
    schedule.plan(.wake(actor: number), at: now + UInt64(5000 + random.below(20_000)))
  }

  private func transmit(_ sending: Sending, _ number: Int) {
    nextCall += 1
    actors[number].sent(nextCall, sending.method)
    let isStream = sending.method == .watch || sending.method == .assignments
    // Streams ride on an ordered connection: what opens one is not lost while the connection lives.
    if !isStream, now < calmAfter, random.oneIn(20) {
      report.lostMessages += 1
      return
    }
    let delivery = Delivery(
      actor: number, life: life, call: nextCall, method: sending.method.rawValue, credit: sending.credit,
      payload: sending.payload)
    schedule.plan(.arrive(delivery), at: now + UInt64(50 + random.below(5000)))
    if !isStream, sending.method == .execute, now < calmAfter, random.oneIn(30) {
      schedule.plan(.arrive(delivery), at: now + UInt64(5000 + random.below(100_000)))
    }
  }

  // MARK: The oracle

  private func checkAcknowledged(_ last: Revision) throws {
    for client in clients {
      for (sequence, revision) in client.ledger.sorted(by: { $0.key < $1.key }) where revision > last {
        throw broken(
          "\(client.principal):\(sequence) was acknowledged as revision \(revision), and the log ends at \(last)")
      }
    }
    if let seen = watcher.seen.last, seen > last {
      throw broken("a watcher saw revision \(seen), and the log ends at \(last)")
    }
  }

  /// Looks at everything that is left, when all is over.
  private func judge() throws {
    let history = try SimulatedServer.history(disk)
    report.revisions = history.last
    try checkAcknowledged(history.last)
    try judgeCommits(history)
    try judgeWatcher(history.last)
    try judgePlacement(history)
    try judgeData(try history.state(at: history.last))
    try history.verifyDeep { _ in }
    guard let live = server?.kernel.view else { throw broken("the server did not come back") }
    guard try history.state(at: live.revision).digest == live.digest else {
      throw broken("the live state and the log disagree at revision \(live.revision)")
    }
  }

  /// Every request once, and where the client was told; time never back.
  private func judgeCommits(_ history: History) throws {
    let names = try history.state(at: history.last)
    var executed: [String: Revision] = [:]
    var time: Microseconds = 0
    try history.forEachCommit(from: 1, through: history.last) { commit in
      guard commit.time >= time else { throw self.broken("time went back at revision \(commit.revision)") }
      time = commit.time
      let id = names.report(commit).requestID
      guard !id.isEmpty else { return true }
      if let first = executed.updateValue(commit.revision, forKey: id) {
        throw self.broken("request \(id) was executed at revision \(first) and again at \(commit.revision)")
      }
      return true
    }
    for client in clients {
      for (sequence, revision) in client.ledger.sorted(by: { $0.key < $1.key }) {
        let found = executed["\(client.principal):\(sequence)"]
        guard found == revision else {
          throw broken(
            "\(client.principal):\(sequence) was acknowledged as \(revision), and the log has it at \(found ?? 0)")
        }
        report.acknowledged += 1
      }
    }
  }

  /// Replays everything and looks at what every commit did to the shards.
  private func judgePlacement(_ history: History) throws {
    var state = State()
    var promises = PlacementPromises()
    state.deferDigest()
    try history.forEachCommit(from: 1, through: history.last) { commit in
      let before = state
      try state.apply(commit)
      if let problem = promises.broken(by: commit, from: before, to: state) { throw self.broken(problem) }
      for event in commit.events {
        switch event {
        case .electionStarted: self.report.elections += 1
        case .leaderElected(let event) where before.shards[event.shard].heir == event.node: self.report.handOvers += 1
        case .moveAdvanced(let event) where event.step == .finished: self.report.moves += 1
        default: break
        }
      }
      return true
    }
  }

  /// Whoever leads in the end has every write that was acknowledged by whoever led before.
  private func judgeData(_ state: State) throws {
    for shard in data.acknowledged.keys.sorted() {
      let row = state.shards[shard]
      report.writes += data.acknowledged[shard]?.count ?? 0
      guard row.leader != 0, !state.collections[row.collection].isDeleted else { continue }
      if let lost = data.lost(shard, leader: state.nodeName(row.leader)) {
        throw broken("\(state.shardName(shard)) lost \(lost); \(state.nodeName(row.leader)) leads epoch \(row.epoch)")
      }
    }
  }

  /// In order, without a gap or a duplicate, to the end.
  private func judgeWatcher(_ last: Revision) throws {
    for (place, revision) in watcher.seen.enumerated() where revision != UInt64(place) + 1 {
      throw broken("the watcher's element \(place + 1) was revision \(revision)")
    }
    guard UInt64(watcher.seen.count) + 5 >= last else {
      throw broken("the watcher saw \(watcher.seen.count) of \(last) revisions, long after all was calm")
    }
  }
}
