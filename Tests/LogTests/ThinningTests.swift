import MusterBytes
import MusterLog
import MusterSimulatedDisk
import MusterWorkload
import Testing

/// A log of many events in few blocks, with snapshots as a server writes them: a base and two deltas, every 100,000
/// events.
private struct LongLog {
  static let eventsPerBlock: UInt32 = 20_000
  let disk = CrashDisk()
  private(set) var events: UInt64 = 0
  /// How many events there were at each snapshot's revision.
  private(set) var positions: [UInt64: UInt64] = [:]
  private let harness: LogHarness
  private var snapshots = 0
  private var parent: UInt64 = 0

  init(blocks: Int) throws {
    harness = try LogHarness.create(disk)
    try grow(blocks: blocks)
  }

  mutating func grow(blocks: Int) throws {
    for _ in 0..<blocks {
      try harness.append([[UInt8](repeating: 7, count: 30_000)], events: LongLog.eventsPerBlock)
      events += UInt64(LongLog.eventsPerBlock)
      if events % 100_000 == 0 { try snapshot() }
    }
    try harness.pack()
  }

  private mutating func snapshot() throws {
    var manifest = SnapshotManifest()
    manifest.revision = UInt64(harness.ledger.count)
    manifest.parent = snapshots % 3 == 0 ? 0 : parent
    let writer = try SnapshotWriter(disk, LogHarness.identity, manifest)
    try [UInt8(truncatingIfNeeded: snapshots)].withUnsafeBytes { try writer.add(PageAddress(table: 1, page: 0), $0) }
    _ = try writer.finish()
    positions[manifest.revision] = events
    parent = manifest.revision
    snapshots += 1
  }

  var store: SnapshotStore { SnapshotStore(disk, LogHarness.identity) }

  func plan() throws -> [SnapshotName] {
    let (names, log) = (try store.list(), try LogHarness.reader(disk))
    return SnapshotThinning.plan(names, log)
  }

  /// How many events lie between neighbours, from the beginning.
  func gaps() throws -> [UInt64] {
    var last: UInt64 = 0
    return try store.list().map { name in
      let position = try #require(positions[name.revision])
      defer { last = position }
      return position - last
    }
  }
}

@Suite struct ThinningTests {
  @Test func snapshotsThinOutAndNoMomentIsFarFromOne() throws {
    var log = try LongLog(blocks: 100)
    var kept: [Int] = []
    for _ in 0..<5 {
      for name in try log.plan() { try log.store.remove(name) }
      #expect(try log.plan().isEmpty, "what was decided once is not decided again")
      let names = try log.store.list()
      kept.append(names.count)
      for gap in try log.gaps() { #expect(gap <= SnapshotThinning.gapMax + 2 * UInt64(LongLog.eventsPerBlock)) }
      for name in names {
        #expect(try log.store.load(atOrBefore: name.revision) { _, _ in }?.revision == name.revision)
      }
      try log.grow(blocks: 100)
    }
    // 2 million events bring 20 snapshots; of the old ones fewer than two thirds stay.
    #expect(kept[4] - kept[3] <= 13, "\(kept)")
  }

  @Test func theNewestGroupsStayAndSoDoesWhatIsYoung() throws {
    let log = try LongLog(blocks: 400)
    let names = try log.store.list()
    let dropped = try log.plan()
    #expect(!dropped.isEmpty)
    let bases = names.filter(\.isBase).suffix(2).map(\.revision)
    for name in dropped { #expect(name.revision < bases[0]) }
    // The more came after it, the farther its neighbours may be: what is younger than a gap's eightfold stays.
    for name in dropped {
      let age = log.events - (log.positions[name.revision] ?? 0)
      #expect(age >= 8 * 300_000 - 2 * UInt64(LongLog.eventsPerBlock))
    }
  }

  @Test func thoseOfTheBeginningStayHoweverOldTheyAre() throws {
    let log = try LongLog(blocks: 500)
    let dropped = try log.plan()
    // Without a group of three its neighbours are 400,000 events apart: half of what is before the first of them.
    let early = try log.store.list().filter { (log.positions[$0.revision] ?? 0) < 2 * 400_000 }
    #expect(early.count == 7)
    for name in early { #expect(!dropped.contains(name), "\(name)") }
    #expect(try dropped.contains { try #require(log.positions[$0.revision]) < 3_000_000 })
  }

  @Test func aShortLogKeepsEverything() throws {
    #expect(try LongLog(blocks: 60).plan().isEmpty)
    let disk = CrashDisk()
    let harness = try LogHarness.create(disk)
    try harness.append([[1]])
    #expect(SnapshotThinning.plan([], try LogHarness.reader(disk)).isEmpty)
  }

  @Test func aDeltaIsDroppedBeforeWhatItChanges() throws {
    let log = try LongLog(blocks: 400)
    let dropped = try log.plan()
    var left = try log.store.list()
    for name in dropped {
      left.removeAll { $0 == name }
      for each in left { #expect(try loads(each, without: dropped[...(dropped.firstIndex(of: name) ?? 0)], log)) }
    }
  }

  /// A delta needs every name of its group that is older.
  private func loads(_ name: SnapshotName, without gone: ArraySlice<SnapshotName>, _ log: LongLog) throws -> Bool {
    var revision = name.revision
    while true {
      let found = try log.store.list().first { $0.revision == revision }
      guard let found, !gone.contains(found) else { return false }
      if found.isBase { return true }
      revision = try log.store.manifest(found).parent
    }
  }

  @Test(arguments: 0..<12) func aCrashWhileSnapshotsAreDroppedLosesNoOther(_ seed: Int) throws {
    let log = try LongLog(blocks: 400)
    let dropped = try log.plan()
    var random = SeededGenerator(seed: UInt64(seed))
    log.disk.diesAtOperation = log.disk.operationCount + 1 + random.below(2 * dropped.count)
    for name in dropped {
      do { try log.store.remove(name) } catch { break }
    }
    log.disk.crash(&random)
    let left = try log.store.list()
    for name in left {
      #expect(try log.store.load(atOrBefore: name.revision) { _, _ in }?.revision == name.revision, "\(name)")
    }
    for name in try log.plan() { try log.store.remove(name) }
    #expect(try log.plan().isEmpty)
    for gap in try log.gaps() { #expect(gap <= SnapshotThinning.gapMax + 2 * UInt64(LongLog.eventsPerBlock)) }
  }
}
