import MusterBytes
import MusterLog
import MusterSimulatedDisk
import MusterWorkload
import Testing

/// A backup from one disk to another, as the command drives it.
enum BackupRun {
  /// - Returns: the names of the files that were copied.
  @discardableResult
  static func run(_ source: CrashDisk, to target: CrashDisk, pieceBytes: Int = 10_000) throws -> [String] {
    let log = try LogHarness.reader(source)
    let origin = BackupSource(log, SnapshotStore(source, log.identity), through: log.lastRevision)
    let listing = try origin.listing()
    let backup = try BackupTarget(target, of: listing)
    let missing = try backup.missing(from: listing)
    for file in missing {
      try backup.begin(file)
      var offset = 0
      while true {
        let piece = try origin.read(file, at: offset, count: pieceBytes)
        try backup.append(piece)
        offset += piece.count
        if piece.count < pieceBytes { break }
      }
      try backup.finish()
    }
    try backup.close(listing)
    return missing.map(\.name)
  }
}

@Suite struct BackupTests {
  private var random = SeededGenerator(seed: 31)

  /// A log of packed segments, one that is not packed yet, a live one, and snapshots.
  private mutating func filled(segments: Int = 3) throws -> LogHarness {
    let harness = try LogHarness.create(CrashDisk())
    try fill(harness, segments)
    return harness
  }

  private mutating func fill(_ harness: LogHarness, _ segments: Int) throws {
    let before = try harness.disk.list(Layout.log).count
    while try harness.disk.list(Layout.log).count < before + segments {
      try harness.append(random.commits())
      if random.oneIn(9) { try harness.snapshot() }
    }
  }

  @Test mutating func aBackupHasEveryCommitAndTheNextRunCopiesOnlyWhatIsNew() throws {
    let harness = try filled()
    try harness.pack()
    try fill(harness, 1)
    let backup = CrashDisk()
    let first = try BackupRun.run(harness.disk, to: backup)
    expectEqual(try LogHarness.readAll(backup), harness.ledger)
    #expect(first.count == (try backup.list(Layout.log) + backup.list(Layout.snapshots)).count)
    #expect(try BackupRun.run(harness.disk, to: backup).isEmpty)
    try harness.append([[1, 2, 3]])
    try harness.snapshot()
    // What was live then is packed now: the backup has it as it is.
    try harness.pack()
    let second = try BackupRun.run(harness.disk, to: backup)
    #expect(second.count == 2, "\(second)")
    expectEqual(try LogHarness.readAll(backup), harness.ledger)
    _ = try Verification.run(try LogHarness.reader(backup), SnapshotStore(backup, LogHarness.identity))
    #expect(try BackupManifest.read(backup)?.lastRevision == UInt64(harness.ledger.count))
  }

  @Test mutating func aRunThatIsCutShortAnywhereLosesNothingAndTheNextGoesOn() throws {
    let harness = try filled(segments: 2)
    let older = CrashDisk()
    try BackupRun.run(harness.disk, to: older)
    let kept = harness.ledger
    try fill(harness, 2)
    for begun in [CrashDisk(), older] {
      let operations = begun.operationCount
      let whole = begun.copy()
      try BackupRun.run(harness.disk, to: whole)
      for death in stride(from: 1, through: whole.operationCount, by: 1) {
        let disk = begun.copy()
        disk.diesAtOperation = death
        #expect(throws: (any Error).self) { try BackupRun.run(harness.disk, to: disk) }
        disk.crash(&random)
        if begun === older {
          // What an earlier run finished can be read whatever became of this one.
          let found = try LogHarness.readAll(disk)
          expectEqual(Array(found.prefix(kept.count)), kept)
        }
        try BackupRun.run(harness.disk, to: disk)
        expectEqual(try LogHarness.readAll(disk), harness.ledger)
      }
      #expect(begun.operationCount == operations)
    }
  }

  @Test mutating func aFullDiskIsAnErrorAndLeavesTheOlderBackup() throws {
    let harness = try filled(segments: 2)
    let backup = CrashDisk()
    try BackupRun.run(harness.disk, to: backup)
    let kept = harness.ledger
    try fill(harness, 3)
    backup.capacity = 20_000
    #expect(throws: (any Error).self) { try BackupRun.run(harness.disk, to: backup) }
    expectEqual(Array(try LogHarness.readAll(backup).prefix(kept.count)), kept)
    #expect(try BackupManifest.read(backup)?.lastRevision == UInt64(kept.count))
    backup.capacity = .max
    try BackupRun.run(harness.disk, to: backup)
    expectEqual(try LogHarness.readAll(backup), harness.ledger)
  }

  @Test mutating func whatIsDamagedInTheJournalNeverReplacesWhatTheBackupHas() throws {
    let harness = try filled()
    try harness.pack()
    let backup = CrashDisk()
    let name = try #require(try SegmentName.all(in: harness.disk.list(Layout.log)).first { $0.isSealed })
    harness.disk.flip(name.path, bit: 3000 * 8)
    #expect(throws: LogError.self) { try BackupRun.run(harness.disk, to: backup) }
    #expect(try backup.size(name.path) == nil)
    harness.disk.flip(name.path, bit: 3000 * 8)
    try BackupRun.run(harness.disk, to: backup)
    // And what rots in the backup so that it cannot be opened is copied again.
    backup.truncate(name.path, to: 5000)
    #expect(try BackupRun.run(harness.disk, to: backup) == [name.path])
    expectEqual(try LogHarness.readAll(backup), harness.ledger)
  }

  @Test mutating func anotherClusterAnOlderCopyAndAnotherHistoryAreRefused() throws {
    let harness = try filled()
    try harness.confirm()
    let early = harness.disk.copy()
    let earlyLedger = harness.ledger
    try harness.append([[1]])
    let backup = CrashDisk()
    try BackupRun.run(harness.disk, to: backup)
    #expect(throws: LogError.behind(there: UInt64(harness.ledger.count), here: UInt64(earlyLedger.count))) {
      try BackupRun.run(early, to: backup)
    }
    let other = try LogHarness(early, ledger: earlyLedger)
    try other.append([[2]])
    try other.append([[3]])
    #expect(throws: LogError.forked(revision: UInt64(harness.ledger.count))) { try BackupRun.run(early, to: backup) }
    expectEqual(try LogHarness.readAll(backup), harness.ledger)
    let stranger = CrashDisk()
    try DirectoryIdentity.create(
      stranger, LogIdentity(clusterID: "ffffffffffffffffffffffffffffffff", timeline: 1), segmentBytes: 48 * 1024)
    #expect(throws: LogError.self) { try BackupRun.run(stranger, to: backup) }
    let occupied = CrashDisk()
    try occupied.create("letters", zeros: 10)
    #expect(throws: LogError.occupied) { try BackupRun.run(harness.disk, to: occupied) }
  }

  @Test mutating func everyFlippedBitOfTheManifestIsFound() throws {
    let harness = try filled(segments: 1)
    let backup = CrashDisk()
    try BackupRun.run(harness.disk, to: backup)
    for bit in 0..<(try backup.size(Layout.backup) ?? 0) * 8 {
      backup.flip(Layout.backup, bit: bit)
      #expect(throws: LogError.self, "byte \(bit / 8), bit \(bit % 8)") { try BackupManifest.read(backup) }
      backup.flip(Layout.backup, bit: bit)
    }
  }
}
