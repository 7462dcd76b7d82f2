internal import MusterBytes
internal import MusterCluster
internal import MusterLog
internal import MusterProtocol
internal import MusterSimulatedDisk
internal import MusterWorkload

/// A server, nodes, clients, watchers and an operator in one thread under virtual time, from one seed.
///
/// What decides is the real code: kernel, controllers, log, history, both ends' connection machines, the agent's book
/// and pilots, the client's retries. The disk, the network, the clocks and the data of replicas are modelled. See
/// README.md beside this file.
package final class Simulation {
  let settings: SimulationSettings
  let swarm: Swarm
  var random: SeededGenerator
  var schedule = Schedule()
  /// Virtual time, in microseconds.
  private(set) var now: UInt64 = 0
  var marks = Marks()
  var report: SimulationReport
  let oracle = Oracle()
  let data: ModelledData
  private var trace = Trace()
  private var problem: String?

  // The server, in Simulation+Server.swift.
  let disk = CrashDisk()
  var server: SimulatedServer?
  /// Counts the lives of the server, its deaths too.
  var life: UInt64 = 0
  var serverClock = ProcessClock()
  var serverPausedUntil: UInt64 = 0
  /// What the armed death of the disk is.
  var isPowerLossArmed = false
  var wasStoppedCleanly = false
  var hasLostSync = false
  var damages: [Damage] = []
  var damageAtRest: Fault?
  /// When damage was put right last; 0 for never.
  var mendedAt: UInt64 = 0
  var isDiskSlow = false

  // The network, in Simulation+Network.swift.
  var wires: [UInt64: Wire] = [:]
  var lastWire: UInt64 = 0
  var links: [Link] = []
  var isNetworkSlow = false

  private(set) var peers: [Peer] = []
  private(set) var agents: [SimulatedAgent] = []
  private(set) var clients: [SimulatedClient] = []
  private(set) var watchers: [SimulatedWatcher] = []
  private(set) lazy var person = SimulatedOperator(settings.nodes + clients.count + watchers.count, "ops", self)

  /// Shards whose leader is to die when its word is heard, which is late.
  var waylaid: Set<ShardID> = []

  /// The incarnation that each report of an agent was made by, until it is a commit: by client and sequence.
  var reporters: [String: UInt64] = [:]

  /// No faults any more: everything must come to rest.
  var isCalm = false
  /// Clients begin nothing new.
  var isResting = false

  var nodeCount: Int { settings.nodes }
  var isDamaged: Bool { !damages.isEmpty }

  package init(_ settings: SimulationSettings) throws {
    self.settings = settings
    random = SeededGenerator(seed: settings.seed)
    swarm = Swarm(settings.faults, &random)
    data = ModelledData(settings.flaw)
    report = SimulationReport(seed: settings.seed)
    try DirectoryIdentity.create(disk, SimulatedServer.identity, segmentBytes: swarm.segmentBytes)
    for index in 0..<settings.nodes { agents.append(SimulatedAgent(index, index, swarm, self)) }
    peers = agents
    for index in 0..<3 { clients.append(SimulatedClient(peers.count + index, "client\(index)", .service, self)) }
    peers += clients
    for topic in WatchTopic.allCases { watchers.append(SimulatedWatcher(peers.count + watchers.count, topic, self)) }
    peers += watchers
    peers.append(person)
    peers.append(SimulatedAuditor(peers.count, self))
    links = Array(repeating: Link(), count: peers.count)
  }

  /// Notes a broken promise: the run ends with the first.
  func fail(_ problem: String) { if self.problem == nil { self.problem = problem } }

  /// Runs to the end, or to the first broken promise.
  package func run() throws(BrokenPromise) -> SimulationReport {
    do {
      try begin()
      while let (time, happening) = schedule.next() {
        now = max(now, time)
        report.happenings += 1
        let (kind, subject) = happening.summary
        trace.note(now, kind, subject)
        let isOver = try happen(happening)
        if let problem = problem ?? data.problem { throw broken(problem) }
        if isOver { break }
      }
      try judge()
      if let problem = problem ?? data.problem { throw broken(problem) }
    } catch let promise as BrokenPromise {
      throw promise
    } catch {
      throw broken("\(error)")
    }
    return finished()
  }

  private func broken(_ problem: String) -> BrokenPromise {
    BrokenPromise(settings: settings, problem: problem, at: now, story: oracle.story(disk))
  }

  private func begin() throws {
    serverClock.drift = swarm.has(.serverClock) ? Int64(random.below(400)) - 200 : 0
    for peer in peers {
      peer.clock.drift = swarm.has(.nodeClock) ? Int64(random.below(400)) - 200 : 0
      peer.plan(in: UInt64(random.below(2_000_000)))
    }
    for command in SimulatedOperator.founding(swarm) { person.order(command) }
    for fault in Fault.allCases { planNext(fault) }
    schedule.plan(.calm, at: settings.seconds * 1_000_000)
    try start()
  }

  /// - Returns: true when the run is over.
  private func happen(_ happening: Happening) throws -> Bool {
    switch happening {
    case .wake(let number, let plan): peers[number].wake(plan)
    case .connect(let peer, let attempt): connected(peer, attempt)
    case .arrive(let wire, let end):
      if end == .server, now < serverPausedUntil { postpone(happening) } else { arrive(wire, end) }
    case .hangUp(let wire, let end):
      if end == .server, now < serverPausedUntil { postpone(happening) } else { hungUp(wire, end) }
    case .server(let life, let task):
      if life == self.life {
        if now < serverPausedUntil { postpone(happening) } else { try serve { try $0.run(task) } }
      }
    case .restart: try start()
    case .fault(let fault):
      if !isCalm {
        try strike(fault)
        planNext(fault)
      }
    case .relief(let relief): relieve(relief)
    case .calm: try calmDown()
    case .look: return try look()
    }
    return false
  }

  /// What comes while the server hangs it finds afterwards, in the same order.
  private func postpone(_ happening: Happening) { schedule.plan(happening, at: serverPausedUntil) }

  func noteArrival(_ bytes: [UInt8]) { trace.note(UInt64(CRC32C.checksum(bytes)), UInt64(bytes.count), 0) }

  private func finished() -> SimulationReport {
    report.trace = trace.hex
    report.elapsed = now
    report.revisions = oracle.last
    report.acknowledged = oracle.acknowledged
    report.readings = oracle.readings
    report.watched = oracle.watched
    report.writes = data.acknowledged.values.reduce(0) { $0 + $1.count }
    if data.divergences > 0 { marks.sometimes(.replicaDiverged) }
    report.marks = marks
    return report
  }

  /// Looks at everything that is left, when all is over.
  private func judge() throws {
    try oracle.judge(try SimulatedServer.history(disk), self)
    judgeSplits(oracle.state)
    for shard in data.acknowledged.keys.sorted() {
      let row = oracle.state.shards[shard]
      guard row.leader != 0, !oracle.state.collections[row.collection].isDeleted else { continue }
      if let lost = data.lost(shard, leader: oracle.state.nodeName(row.leader)) {
        fail("\(oracle.state.shardName(shard)) lost \(lost); \(oracle.state.nodeName(row.leader)) leads it")
      }
    }
  }
}

extension Simulation {
  /// Whatever was split and put together: each write is with the owner of its key.
  private func judgeSplits(_ state: State) {
    state.collections.forEach { _, row in
      guard !row.isDeleted else { return }
      let missing = data.missing(row.everyShard) { key in
        guard let shard = row.shard(at: row.owner(ofHash: key)), state.shards[shard].leader != 0 else { return nil }
        return (shard, state.nodeName(state.shards[shard].leader))
      }
      if let missing { fail("\(row.name): \(missing)") }
    }
  }

  /// Plays one run from its beginning to its end.
  package static func play(_ settings: SimulationSettings) throws(BrokenPromise) -> SimulationReport {
    let simulation: Simulation
    do { simulation = try Simulation(settings) } catch {
      throw BrokenPromise(settings: settings, problem: "\(error)", at: 0)
    }
    return try simulation.run()
  }
}
