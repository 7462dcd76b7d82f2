import MusterBytes
import MusterLog
import MusterSimulatedDisk
import MusterWorkload
import Testing

@Suite struct RepairTests {
  /// A log that was stopped: packed segments, one that is full and not packed, a live one, snapshots.
  private func filled(seed: UInt64) throws -> LogHarness {
    var random = SeededGenerator(seed: seed)
    let harness = try LogHarness.create(CrashDisk())
    func fill(_ segments: Int) throws {
      let before = try harness.disk.list(Layout.log).count
      while try harness.disk.list(Layout.log).count < before + segments {
        try harness.append(random.commits())
        if random.oneIn(12) { try harness.snapshot() }
      }
    }
    try fill(3)
    try harness.pack()
    try fill(2)
    for _ in 0..<5 { try harness.append(random.commits()) }
    try harness.confirm(isFinal: true)
    return harness
  }

  @discardableResult
  private func repair(_ disk: CrashDisk, from other: CrashDisk) throws -> RepairPlan {
    let identity = LogHarness.identity
    let plan = try RepairPlan(
      try DamageSurvey(disk, identity), disk, identity, from: try RepairDonor(other, identity))
    try plan.execute(disk)
    return plan
  }

  private func damagedFiles(_ disk: CrashDisk) throws -> [String] {
    try disk.list(Layout.log).filter { $0 != "spare" }.map { "\(Layout.log)/\($0)" }
      + disk.list(Layout.snapshots).map { "\(Layout.snapshots)/\($0)" }
  }

  /// Random places of random files are damaged; what is repaired is, commit by commit, what was there.
  @Test(arguments: 0..<40)
  func randomDamageIsRepairedFromABackup(seed: Int) throws {
    var random = SeededGenerator(seed: UInt64(seed))
    let harness = try filled(seed: UInt64(seed) % 4)
    let backup = CrashDisk()
    try BackupRun.run(harness.disk, to: backup)
    let disk = harness.disk.copy()
    var files = try damagedFiles(disk)
    for _ in 0...random.below(4) {
      let path = files.remove(at: random.below(files.count))
      let size = try disk.size(path) ?? 0
      switch random.below(4) {
      case 0: try disk.remove(path)
      case 1: disk.truncate(path, to: random.below(size))
      default: for _ in 0...random.below(6) { disk.flip(path, bit: random.below(size * 8)) }
      }
    }
    let whole = try DamageSurvey(disk, LogHarness.identity).isWhole
    let plan: RepairPlan
    do {
      plan = try repair(disk, from: backup)
    } catch RepairObstacle.unrecoverable(let revision, _) {
      // What stands behind the last block cannot be read: it may have been a block that nobody else has.
      #expect(revision == UInt64(harness.ledger.count) + 1)
      return
    }
    // A last segment that was removed leaves no trace but in the backup.
    #expect(whole ? plan.actions.count <= 1 : !plan.actions.isEmpty)
    expectEqual(try LogHarness.readAll(disk), harness.ledger)
    let log = try LogHarness.reader(disk)
    _ = try Verification.run(log, SnapshotStore(disk, LogHarness.identity))
    #expect(try DamageSurvey(disk, LogHarness.identity).isWhole)
    // It can be written on.
    let again = try LogHarness(disk, ledger: harness.ledger)
    try again.append([[1, 2, 3]])
    expectEqual(try LogHarness.readAll(disk), again.ledger)
  }

  @Test func aBackupThatEndsBeforeTheDamageDoesAndItsOwnBlocksBehindItStay() throws {
    let again = try LogHarness.create(CrashDisk(), segmentBytes: 80 * Frame.alignment)
    for place in 0..<6 as Range<UInt8> { try again.append([[place, 1]]) }
    let backup = CrashDisk()
    try BackupRun.run(again.disk, to: backup)
    for place in 0..<4 as Range<UInt8> { try again.append([[place, 9]]) }
    try again.confirm(isFinal: true)
    let scan = try #require(try LogHarness.reader(again.disk).segments.last?.live)
    let path = Layout.live(scan.first)
    // What the backup has is damaged; what it does not have is taken from the damaged file itself.
    let disk = again.disk.copy()
    disk.flip(path, bit: (scan.blocks[1].offset + 130) * 8)
    let plan = try repair(disk, from: backup)
    guard case .rewrite(_, let through, let own, let donated, path)? = plan.actions.first else {
      Issue.record("\(plan.actions)")
      return
    }
    #expect(own == 4 && donated > 0 && through == UInt64(again.ledger.count))
    expectEqual(try LogHarness.readAll(disk), again.ledger)
    #expect(try disk.list(Layout.broken).count == 1)
    // A block that only the damaged file had is lost, and nothing is made up for it.
    for lost in [scan.blocks.count - 2, scan.blocks.count - 1] {
      let hopeless = again.disk.copy()
      hopeless.flip(path, bit: (scan.blocks[lost].offset + 130) * 8)
      let revision = scan.blocks[lost].header.firstRevision
      #expect(throws: RepairObstacle.unrecoverable(revision: revision, file: path)) {
        try repair(hopeless, from: backup)
      }
    }
  }

  @Test func everyCrashWithinARepairCanBeRepairedAgain() throws {
    let harness = try filled(seed: 2)
    let backup = CrashDisk()
    try BackupRun.run(harness.disk, to: backup)
    let damaged = harness.disk.copy()
    for path in try damagedFiles(damaged) where path.hasSuffix(".sealed") || path.hasSuffix(".live") {
      // Within the first pack, or the first block.
      damaged.flip(path, bit: (path.hasSuffix(".sealed") ? 310 : 4096 + 130) * 8)
    }
    let whole = damaged.copy()
    try repair(whole, from: backup)
    var random = SeededGenerator(seed: 3)
    for death in 1...whole.operationCount {
      let disk = damaged.copy()
      disk.diesAtOperation = death
      #expect(throws: (any Error).self) { try repair(disk, from: backup) }
      disk.crash(&random)
      try repair(disk, from: backup)
      expectEqual(try LogHarness.readAll(disk), harness.ledger)
    }
  }

  @Test func whatDoesNotFitIsNotTaken() throws {
    let harness = try filled(seed: 3)
    let disk = harness.disk.copy()
    let sealed = try #require(try SegmentName.all(in: disk.list(Layout.log)).first)
    disk.flip(sealed.path, bit: try #require(try disk.size(sealed.path)) / 2 * 8)
    // Another cluster's backup.
    let stranger = CrashDisk()
    let identity = LogIdentity(clusterID: "ffffffffffffffffffffffffffffffff", timeline: 1)
    try DirectoryIdentity.create(stranger, identity, segmentBytes: 48 * 1024)
    let survey = try DamageSurvey(disk, LogHarness.identity)
    #expect(throws: RepairObstacle.self) {
      try RepairPlan(survey, disk, LogHarness.identity, from: try RepairDonor(stranger, identity))
    }
    // A forged copy: the same cluster, another history.
    let forged = try filled(seed: 4)
    #expect(throws: RepairObstacle.self) { try repair(disk, from: forged.disk) }
    // A copy that is damaged at the same place.
    #expect(throws: RepairObstacle.self) { try repair(disk, from: disk.copy()) }
    let before = harness.disk.operationCount
    _ = try DamageSurvey(harness.disk, LogHarness.identity)
    #expect(harness.disk.operationCount == before)
  }
}
