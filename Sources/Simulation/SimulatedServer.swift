import MusterBytes
import MusterCluster
import MusterHistory
import MusterKernel
import MusterLog
import MusterSimulatedDisk
import MusterWorkload

/// One life of a server: the real kernel and the real log, on a disk that may die under them.
final class SimulatedServer {
  static let identity = LogIdentity(clusterID: "5151515151515151a2a2a2a2a2a2a2a2", timeline: 1)
  static let segmentBytes = 64 * 1024

  let life: UInt64
  let kernel: Kernel
  private let disk: CrashDisk
  private let writer: LogWriter
  private(set) var inFlight: SealedBlock?
  private var series: SealedSeries

  /// Recovers what the disk holds, as the server does at its start.
  init(_ disk: CrashDisk, life: UInt64) throws {
    self.disk = disk
    self.life = life
    let plan = try RecoveryPlan.make(try SimulatedServer.log(disk))
    try plan.execute(disk)
    let state = try SimulatedServer.history(disk).state(at: plan.lastRevision)
    let origin = BlockOrigin(timeline: 1, term: 1, run: plan.lastRun + 1)
    let identity = Identity(clusterID: SimulatedServer.identity.clusterID, version: "simulated", origin: origin)
    writer = LogWriter(
      disk, identity: SimulatedServer.identity, plan: plan, run: plan.lastRun + 1,
      segmentBytes: SimulatedServer.segmentBytes)
    kernel = Kernel(state, identity: identity, after: plan.chain)
    series = SealedSeries()
  }

  static func log(_ disk: CrashDisk) throws -> LogReader {
    let newest = try SnapshotStore(disk, identity).list().last
    return try LogReader(disk, identity: identity, confirmed: newest?.revision ?? 0)
  }

  static func history(_ disk: CrashDisk) throws -> History {
    let log = try log(disk)
    return History(log, SnapshotStore(disk, identity), through: log.lastRevision)
  }

  /// Takes the next block for the disk, if none is there.
  func takeBlock() -> Bool {
    guard inFlight == nil, let block = kernel.takeBlock() else { return false }
    inFlight = block
    return true
  }

  /// The disk does its work. An error is the end of this life.
  func writeBlock(_ random: inout SeededGenerator) throws {
    guard let block = inFlight else { return }
    if !writer.isSpareReady {
      try LogWriter.prepareSpare(disk, bytes: SimulatedServer.segmentBytes, pause: {})
      writer.isSpareReady = true
    }
    try writer.append(block)
    inFlight = nil
    _ = kernel.blockDurable()
    if random.oneIn(30) { try packSegments() }
    if random.oneIn(50) { try snapshot(block.header) }
  }

  func confirm() throws { try writer.confirm() }

  private func packSegments() throws {
    let names = try SegmentName.all(in: disk.list(Layout.log))
    for (place, name) in names.enumerated() where !name.isSealed && place + 1 < names.count {
      try LogWriter.seal(
        disk, SimulatedServer.identity, first: name.first, through: names[place + 1].first - 1, keys: History.keys)
    }
  }

  private func snapshot(_ header: BlockHeader) throws {
    guard let (manifest, older) = series.next(kernel.view, header) else { return }
    let writer = try SnapshotWriter(disk, SimulatedServer.identity, manifest)
    try kernel.view.forEachStoredPage(changedSince: older) { table, page, bytes in
      try writer.add(PageAddress(table: table, page: page), bytes)
    }
    _ = try writer.finish()
  }
}

/// The snapshots of one life: a base, then deltas.
private struct SealedSeries {
  private var previous: State?

  mutating func next(_ view: State, _ header: BlockHeader) -> (SnapshotManifest, State?)? {
    guard previous?.revision != view.revision else { return nil }
    var manifest = SnapshotManifest()
    manifest.revision = view.revision
    manifest.time = view.time
    manifest.parent = previous?.revision ?? 0
    manifest.digestLow = header.digest.low
    manifest.digestHigh = header.digest.high
    manifest.metadata = StateOutline(view).encoded()
    defer { previous = view }
    return (manifest, previous)
  }
}
