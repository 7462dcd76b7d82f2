import MusterBytes
import MusterCluster
import MusterHistory
import MusterKernel
import MusterLog
import MusterWorkload

/// A generated history in a log, with its segments sealed and its snapshots, as a server would have left it.
enum GeneratedLog {
  private static let identity = LogIdentity(clusterID: "a0a0a0a0a0a0a0a0b1b1b1b1b1b1b1b1", timeline: 1)
  private static let segmentBytes = 2 << 20
  private static let commitsPerBlock = 64

  /// - Returns: the last revision, and how many events are in sealed segments.
  static func write(_ storage: MemoryStorage, events wanted: UInt64) throws -> (revision: UInt64, sealedEvents: UInt64)
  {
    try DirectoryIdentity.create(storage, identity, segmentBytes: segmentBytes)
    let plan = try RecoveryPlan.make(try LogReader(storage, identity: identity, confirmed: 0))
    let writer = LogWriter(storage, identity: identity, plan: plan, run: 1, segmentBytes: segmentBytes)
    var generator = HistoryGenerator(seed: 1, nodes: 200, shards: 20_000)
    var builder = BlockBuilder(after: plan.chain)
    var series = SnapshotSeries(eventsBetween: 50_000)
    var (events, sealed, inSegment) = (UInt64(0), UInt64(0), UInt64(0))
    while events < wanted {
      let block = next(&generator, &builder)
      if !writer.isSpareReady {
        try LogWriter.prepareSpare(storage, bytes: segmentBytes, pause: {})
        writer.isSpareReady = true
      }
      let segment = writer.segmentFirst
      try writer.append(block)
      if writer.segmentFirst != segment {
        try LogWriter.seal(storage, identity, first: segment, through: writer.segmentFirst - 1)
        sealed += inSegment
        inSegment = 0
      }
      inSegment += UInt64(block.header.eventCount)
      events += UInt64(block.header.eventCount)
      series.count(block.header)
      if series.isDue { try write(series.next(generator.state, block.header, chain: writer.chain), storage) }
    }
    try writer.confirm()
    return (generator.state.revision, sealed)
  }

  private static func next(_ generator: inout HistoryGenerator, _ builder: inout BlockBuilder) -> SealedBlock {
    let first = generator.state.revision + 1
    var events: UInt32 = 0
    for _ in 0..<commitsPerBlock {
      let commit = generator.next()
      builder.append(commit.encoded())
      events += UInt32(commit.events.count)
    }
    return builder.seal(
      origin: BlockOrigin(timeline: 1, term: 1, run: 1), firstRevision: first, time: generator.state.time,
      eventCount: events, digest: generator.state.digest)
  }

  private static func write(_ job: SnapshotJob, _ storage: MemoryStorage) throws {
    let writer = try SnapshotWriter(storage, identity, job.manifest)
    try job.forEachPage { try writer.add($0, $1) }
    _ = try writer.finish()
  }

  static func past(_ storage: MemoryStorage) throws -> Past { Past(storage: storage, identity: identity) }
}

/// Asks questions about a log, each anew: nothing is known from the one before.
struct Past {
  let storage: MemoryStorage
  let identity: LogIdentity

  /// The revisions of which there is a snapshot, ascending.
  func snapshots() throws -> [Revision] { try SnapshotStore(storage, identity).list().map(\.revision) }

  /// How many blocks a question read.
  func cost(_ question: (History) throws -> Void) throws -> UInt64 {
    let snapshots = SnapshotStore(storage, identity)
    let log = try LogReader(storage, identity: identity, confirmed: try snapshots.list().last?.revision ?? 0)
    let history = History(log, snapshots, through: log.lastRevision)
    let before = log.cost.blocks
    try question(history)
    return log.cost.blocks - before
  }
}
