import MusterBytes
import MusterCluster
import MusterHistory
import MusterLog
import MusterSimulatedDisk
import MusterWorkload

/// A generated history, written as a server writes one: blocks, packed segments, snapshots; and what it truly was.
final class RecordedHistory {
  static let identity = LogIdentity(clusterID: "00112233445566778899aabbccddeeff", timeline: 1)
  private static let segmentBytes = 512 * 1024

  let disk = CrashDisk()
  /// Every commit, by revision less one.
  private(set) var commits: [Commit] = []
  /// The state at every revision, from 0.
  private(set) var states: [State] = [State()]
  /// The revisions that end blocks.
  private(set) var blockEnds: [Revision] = []

  private let keys: CommitKeys?
  private let writer: LogWriter
  private var builder: BlockBuilder
  /// The next commit, and the state after it.
  private let next: () -> (Commit, State)
  private var random: SeededGenerator
  private var snapshot: (view: State, depth: UInt32)?

  /// - Parameter keys: by what packed segments say that they can be found; nil for no index.
  convenience init(
    seed: UInt64, commits count: Int, nodes: Int = 12, shards: Int = 300, keys: CommitKeys? = History.keys,
    isPacked: Bool = true
  ) throws {
    var generator = HistoryGenerator(seed: seed, scale: .init(nodes: nodes, shards: shards, rarity: 12))
    try self.init(seed: seed, commits: count, keys: keys, isPacked: isPacked) {
      let commit = generator.next()
      return (commit, generator.state)
    }
  }

  init(
    seed: UInt64, commits count: Int, keys: CommitKeys? = History.keys, isPacked: Bool = true,
    next: @escaping () -> (Commit, State)
  ) throws {
    self.next = next
    self.keys = keys
    try DirectoryIdentity.create(disk, RecordedHistory.identity, segmentBytes: RecordedHistory.segmentBytes)
    let log = try LogReader(disk, identity: RecordedHistory.identity, confirmed: 0)
    let plan = try RecoveryPlan.make(log)
    writer = LogWriter(
      disk, identity: RecordedHistory.identity, plan: plan, run: 1, segmentBytes: RecordedHistory.segmentBytes)
    builder = BlockBuilder(after: plan.chain)
    random = SeededGenerator(seed: seed ^ 1)
    while commits.count < count { try writeBlock(1 + random.below(40)) }
    if isPacked { try packSegments() }
  }

  /// The first history of its kind in which leaders were lost.
  static func eventful(commits: Int, shards: Int = 300) throws -> RecordedHistory {
    var seed: UInt64 = 1
    while true {
      let recorded = try RecordedHistory(seed: seed, commits: commits, shards: shards)
      if recorded.states.last?.principalID("election", .controller) != nil { return recorded }
      seed += 1
    }
  }

  var last: Revision { Revision(commits.count) }

  /// The past up to a revision, opened anew.
  func history(through last: Revision? = nil) throws -> History {
    let log = try LogReader(disk, identity: RecordedHistory.identity, confirmed: 0)
    return History(log, SnapshotStore(disk, RecordedHistory.identity), through: last ?? self.last)
  }

  private func writeBlock(_ count: Int) throws {
    let first = last + 1
    var events = 0
    for _ in 0..<count {
      let (commit, after) = next()
      builder.append(commit.encoded())
      commits.append(commit)
      states.append(after)
      events += commit.events.count
    }
    let state = states[states.count - 1]
    try append(
      builder.seal(
        origin: BlockOrigin(timeline: 1, term: 1, run: 1), firstRevision: first, time: state.time,
        eventCount: UInt32(events), digest: state.digest))
    blockEnds.append(last)
    if random.oneIn(12) { try writeSnapshot(state) }
  }

  private func append(_ block: SealedBlock) throws {
    if !writer.isSpareReady {
      try LogWriter.prepareSpare(disk, bytes: RecordedHistory.segmentBytes, pause: {})
      writer.isSpareReady = true
    }
    try writer.append(block)
  }

  private func writeSnapshot(_ state: State) throws {
    let older = snapshot.flatMap { $0.depth < 3 ? $0 : nil }
    var manifest = SnapshotManifest()
    manifest.revision = state.revision
    manifest.time = state.time
    manifest.parent = older?.view.revision ?? 0
    manifest.depth = older.map { $0.depth + 1 } ?? 0
    manifest.digestLow = state.digest.low
    manifest.digestHigh = state.digest.high
    manifest.metadata = StateOutline(state).encoded()
    let file = try SnapshotWriter(disk, RecordedHistory.identity, manifest)
    try state.forEachStoredPage(changedSince: older?.view) { table, page, bytes in
      try file.add(PageAddress(table: table, page: page), bytes)
    }
    _ = try file.finish()
    snapshot = (state, manifest.depth)
  }

  /// Appends what a command leads to, as a block of its own.
  func execute(_ command: Command, by kind: PrincipalKind = .person) throws -> Commit? {
    guard var state = states.last else { return nil }
    let context = RequestContext(principal: "x", kind: kind, assurance: .asserted, wallTime: state.time + 1)
    guard case .committed(let commit) = state.execute(Request(command), context, NoPlaces()) else { return nil }
    builder.append(commit.encoded())
    commits.append(commit)
    states.append(state)
    try append(
      builder.seal(
        origin: BlockOrigin(timeline: 1, term: 1, run: 1), firstRevision: last, time: state.time,
        eventCount: UInt32(commit.events.count), digest: state.digest))
    blockEnds.append(last)
    return commit
  }

  /// Packs every full segment, as the journal's worker does.
  private func packSegments() throws {
    let names = try SegmentName.all(in: disk.list(Layout.log))
    for (place, name) in names.enumerated() where !name.isSealed && place + 1 < names.count {
      try LogWriter.seal(
        disk, RecordedHistory.identity, first: name.first, through: names[place + 1].first - 1, keys: keys)
    }
  }
}

/// Finds a place for nothing.
struct NoPlaces: Planner {
  func place(_ count: Int, of total: Int, under policy: Policy, in state: State) -> Result<[[NodeID]], Refusal> {
    .success([])
  }
}
