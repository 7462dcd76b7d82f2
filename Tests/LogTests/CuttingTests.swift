import MusterBytes
import MusterLog
import MusterSimulatedDisk
import MusterWorkload
import Testing

@Suite struct CuttingTests {
  /// A log of several segments, with snapshots in each.
  private func filled(seed: UInt64) throws -> LogHarness {
    var random = SeededGenerator(seed: seed)
    let harness = try LogHarness.create(CrashDisk())
    var segments = 0
    while segments < 8 {
      try harness.append(random.commits())
      let found = try SegmentName.all(in: harness.disk.list(Layout.log)).count
      if found > segments || random.oneIn(15) { try harness.snapshot() }
      segments = found
      if random.oneIn(20) { try harness.pack() }
    }
    return harness
  }

  /// - Parameter bytes: nil for half of all.
  private func planned(_ disk: CrashDisk, keeping bytes: UInt64? = nil) throws -> Horizon? {
    var bounds = RetentionBounds()
    let log = try LogHarness.reader(disk)
    bounds.logBytes = bytes ?? UInt64(log.segments.reduce(0) { $0 + $1.fileBytes } / 2)
    var horizon = try RetentionPlanner.horizon(log, SnapshotStore(disk, LogHarness.identity), bounds)
    horizon?.cutAt = log.lastRevision
    return horizon
  }

  private func kept(_ disk: CrashDisk, of ledger: [[UInt8]], from horizon: Horizon) throws {
    let log = try LogHarness.reader(disk)
    #expect(log.oldestRevision == horizon.revision && log.firstRevision == horizon.firstRevision)
    var commits: [[UInt8]] = []
    try log.forEachBlock(from: horizon.firstRevision, through: log.lastRevision) { block in
      try block.forEachCommit { bytes, _ in
        commits.append(Array(bytes))
        return true
      }
    }
    expectEqual(commits, Array(ledger.dropFirst(Int(horizon.firstRevision) - 1)))
    _ = try Verification.run(log, SnapshotStore(disk, LogHarness.identity))
  }

  /// Wherever a crash interrupts a cut: before the horizon is durable everything is there, after it what the horizon
  /// keeps; a start deletes the rest, and writing goes on.
  @Test(arguments: 0..<12 as Range<UInt64>)
  func aCrashAtAnyOperationOfACutLosesNothingThatIsKept(seed: UInt64) throws {
    let before = try filled(seed: seed)
    let horizon = try #require(try planned(before.disk))
    #expect(horizon.firstRevision > 1)
    var crashes = 0
    var cut = 0
    while true {
      var random = SeededGenerator(seed: seed << 8 | UInt64(crashes))
      let disk = before.disk.copy()
      disk.diesAtOperation = disk.operationCount + 1 + crashes
      var isDone = true
      do {
        try Cutting.cut(disk, LogHarness.identity, to: horizon)
      } catch {
        #expect(disk.isDown)
        isDone = false
      }
      disk.crash(&random)
      let isCut = try Horizon.read(disk, LogHarness.identity) != nil
      if isCut { cut += 1 }
      let again = try LogHarness(disk, ledger: before.ledger)
      if isCut {
        try kept(disk, of: before.ledger, from: horizon)
        #expect(try Cutting.leftovers(disk, LogHarness.identity).isEmpty)
      } else {
        expectEqual(try LogHarness.readAll(disk), before.ledger)
      }
      try again.append([[1, 2, 3]])
      #expect(try LogHarness.reader(disk).lastRevision == UInt64(again.ledger.count))
      if isDone { break }
      crashes += 1
    }
    #expect(crashes >= 5 && cut >= 3 && cut <= crashes)
  }

  @Test func aPolicyKeepsWhatItAsksFor() throws {
    let harness = try filled(seed: 3)
    let log = try LogHarness.reader(harness.disk)
    let all = log.segments.reduce(0) { $0 + $1.fileBytes }
    #expect(try planned(harness.disk, keeping: UInt64(all)) == nil)
    var newest: UInt64 = 0
    for bytes in stride(from: UInt64(all), through: 1, by: -8192) {
      guard let horizon = try planned(harness.disk, keeping: bytes) else { continue }
      #expect(horizon.revision >= newest, "who keeps less keeps no more")
      newest = horizon.revision
      let stay = log.segments.filter { $0.name.first >= horizon.firstRevision }
      // Whatever stays without the oldest segment of it would be less than was asked for, or has no snapshot to rest on.
      #expect(!stay.isEmpty && horizon.firstRevision <= horizon.revision)
      #expect(try SnapshotStore(harness.disk, LogHarness.identity).list().contains { $0.revision == horizon.revision })
    }
    #expect(newest > 0)
  }

  @Test func theSnapshotThatTheHorizonRestsOnMayLieBeforeTheLogThatIsKept() throws {
    var random = SeededGenerator(seed: 11)
    let harness = try LogHarness.create(CrashDisk())
    func fill(segments: Int) throws {
      while try SegmentName.all(in: harness.disk.list(Layout.log)).count < segments {
        try harness.append(random.commits())
      }
    }
    try fill(segments: 2)
    try harness.snapshot()
    let base = UInt64(harness.ledger.count)
    try fill(segments: 4)
    try harness.snapshot(changing: base)
    try fill(segments: 6)
    try harness.snapshot()
    let horizon = try #require(try planned(harness.disk, keeping: 1))
    #expect(base < horizon.firstRevision)
    try Cutting.cut(harness.disk, LogHarness.identity, to: horizon)
    #expect(try SnapshotStore(harness.disk, LogHarness.identity).list().first?.revision == base)
    try kept(harness.disk, of: harness.ledger, from: horizon)
  }

  @Test func aLogThatBeginsLaterThanItsHorizonIsCorrupt() throws {
    let harness = try filled(seed: 5)
    let horizon = try #require(try planned(harness.disk))
    try Cutting.cut(harness.disk, LogHarness.identity, to: horizon)
    let oldest = try #require(try SegmentName.all(in: harness.disk.list(Layout.log)).first)
    let cut = harness.disk.copy()
    try cut.remove(oldest.path)
    #expect(throws: LogError.self) { try LogHarness.reader(cut) }
    let forgotten = harness.disk.copy()
    try forgotten.remove(Layout.horizon)
    #expect(throws: LogError.self) { try LogHarness.reader(forgotten) }
    for bit in stride(from: 0, to: (try harness.disk.size(Layout.horizon) ?? 0) * 8, by: 37) {
      let damaged = harness.disk.copy()
      damaged.flip(Layout.horizon, bit: bit)
      // Padding is the only place where a flipped bit may change nothing that is said.
      guard let read = try? Horizon.read(damaged, LogHarness.identity) else { continue }
      #expect(read == horizon)
    }
  }
}
