internal import MusterBytes
internal import MusterCluster
internal import MusterHistory
internal import MusterKernel
internal import MusterLog
internal import MusterProtocol
internal import MusterSimulatedDisk

/// One life of a server: the real kernel, log and connection machines, on a disk that may die under them.
///
/// What the real server does with threads is done here in steps that the schedule orders: appending, preparing space,
/// packing, snapshots and the past.
final class SimulatedServer {
  static let identity = LogIdentity(clusterID: "5151515151515151a2a2a2a2a2a2a2a2", timeline: 1)

  let life: UInt64
  let kernel: Kernel
  let disk: CrashDisk
  let writer: LogWriter
  let plan: RecoveryPlan
  unowned let world: Simulation

  // Connections, in SimulatedServer+Connections.swift.
  var ends: [UInt64: ServerEnd] = [:]
  /// The keys of `ends`, ascending.
  var wires: [UInt64] = []
  var dirty: [ServerEnd] = []

  // The disk, in SimulatedServer+Disk.swift.
  var inFlight: SealedBlock?
  /// A block that found no space, until there is some.
  var parked: SealedBlock?
  var spare = SpareState.used
  var blocksSeen: UInt64 = 0
  var confirmPlannedAfter: UInt64?
  var series: SnapshotSeries
  var snapshotJob: SnapshotJob?

  // The past, in SimulatedServer+Past.swift.
  let shelf = Shelf()
  var recalls = RecallTable()
  var jobs: [() -> Void] = []
  var isArchiveBusy = false

  /// Recovers what the disk holds, as the real journal and server do at their start.
  init(_ world: Simulation, _ disk: CrashDisk, life: UInt64) throws {
    self.world = world
    self.disk = disk
    self.life = life
    plan = try RecoveryPlan.make(try LogReader.open(disk, SimulatedServer.identity))
    try plan.execute(disk)
    let run = plan.lastRun + 1
    writer = LogWriter(
      disk, identity: SimulatedServer.identity, plan: plan, run: run, segmentBytes: world.swarm.segmentBytes)
    // What recovery kept is durable now.
    try writer.confirm()
    let state = try SimulatedServer.history(disk).state(at: plan.lastRevision)
    let origin = BlockOrigin(timeline: 1, term: max(1, plan.lastTerm), run: run)
    kernel = Kernel(
      state, identity: Identity(clusterID: SimulatedServer.identity.clusterID, version: "simulated", origin: origin),
      after: writer.chain)
    series = SnapshotSeries(eventsBetween: world.swarm.eventsBetweenSnapshots)
  }

  static func history(_ disk: CrashDisk) throws -> History {
    let log = try LogReader.open(disk, identity)
    return History(log, SnapshotStore(disk, identity), through: log.lastRevision)
  }

  var now: Now {
    Now(wall: world.serverClock.wall(world.now), monotonic: world.serverClock.milliseconds(world.now))
  }

  func begin() {
    later(.tick, 100_000)
    prepareSpare()
    later(.pack, 10_000)
  }

  func later(_ task: ServerTask, _ delay: UInt64) {
    world.schedule.plan(.server(life: life, task), at: world.now + delay)
  }

  func run(_ task: ServerTask) throws {
    switch task {
    case .tick: tick()
    case .appended: try appended()
    case .confirm: try confirm()
    case .spare: try makeSpare()
    case .pack: try packSegments()
    case .snapshot: try writeSnapshot()
    case .past: runJob()
    }
    endTick()
  }

  private func tick() {
    kernel.tick(now)
    tickConnections()
    later(.tick, 100_000)
  }

  /// Everything that is ready to be read is read first; then answers are sent, and the next block goes to the disk.
  func endTick() {
    carryOutEffects()
    flush()
    appendBlocks()
  }

  /// Carries out what the kernel wants, in order.
  func carryOutEffects() {
    guard !kernel.effects.isEmpty else { return }
    var next = 0
    while next < kernel.effects.count {
      defer { next += 1 }
      switch kernel.effects[next] {
      case .reply(let call, let range): send(.reply, call, range)
      case .item(let call, let range): send(.item, call, range)
      case .fail(let call, let error): send(.error, call, error.encoded())
      case .recall(let call, let recall): begin(call, recall)
      case .destroyKeys: world.fail("nobody had sensitive values")
      case .catchUp(let call, let from, let through, let limit): catchUp(call, from, through, limit)
      }
    }
    kernel.effectsDone()
  }

  /// Ends in order: lets what was begun become durable, says goodbye, and ends the log.
  func stop() throws {
    if let block = inFlight ?? parked {
      (inFlight, parked) = (nil, nil)
      try writer.append(block)
      published(block)
    }
    while let block = kernel.takeBlock() {
      try writer.append(block)
      published(block)
    }
    let farewell = RPCError(.unavailable, "the server stops", retryAfterMilliseconds: 1000).encoded()
    for wire in wires {
      guard let end = ends[wire] else { continue }
      end.append(.goAway, farewell)
      markDirty(end)
    }
    flush()
    try writer.confirm(isFinal: true)
  }
}
