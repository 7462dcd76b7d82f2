import MusterLog
import MusterSimulatedDisk
import MusterWorkload
import Testing

@Suite struct CrashTests {
  /// Whatever a crash leaves, everything acknowledged is there, what is there was written, and writing goes on.
  @Test(arguments: 0..<200)
  func nothingAcknowledgedIsLost(seed: Int) throws {
    var random = SeededGenerator(seed: UInt64(seed))
    let disk = CrashDisk()
    var harness = try LogHarness.create(disk)
    var ledger: [[UInt8]] = []
    for _ in 0..<4 {
      disk.diesAtOperation = disk.operationCount + 1 + random.below(60)
      var attempted: [[UInt8]] = []
      do {
        while true {
          attempted = random.commits()
          try harness.append(attempted)
          ledger = harness.ledger
          attempted = []
          if random.oneIn(3) { try harness.confirm() }
          if random.oneIn(8) { try harness.pack() }
          if random.oneIn(10) { try harness.snapshot() }
        }
      } catch {
        #expect(disk.isDown)
      }
      disk.crash(&random)
      let found = try LogHarness.readAll(disk)
      expectEqual(Array(found.prefix(ledger.count)), ledger)
      // A block that was not acknowledged may be there whole, and never in part.
      let isWhole = found.count == ledger.count || found == ledger + attempted
      #expect(isWhole)
      harness = try LogHarness(disk, ledger: found)
      ledger = found
      expectEqual(try LogHarness.readAll(disk), ledger)
      try harness.append([[1, 2, 3]])
      ledger = harness.ledger
      expectEqual(try LogHarness.readAll(disk), ledger)
    }
  }

  /// A confirmation is in the page cache alone when its sync failed: whoever goes on behind it must not leave a hole there.
  @Test(arguments: 0..<30)
  func aConfirmationWhoseSyncFailedLeavesNoHole(seed: Int) throws {
    var random = SeededGenerator(seed: UInt64(seed))
    let disk = CrashDisk()
    let harness = try LogHarness.create(disk)
    for _ in 0...random.below(5) { try harness.append(random.commits()) }
    disk.failsAtSync = disk.syncs + 1
    #expect(throws: LogError.self) { try harness.confirm(isFinal: seed.isMultiple(of: 2)) }
    disk.restart()
    let again = try LogHarness(disk, ledger: harness.ledger)
    for _ in 0...random.below(3) { try again.append(random.commits()) }
    disk.crash(&random)
    expectEqual(try LogHarness.readAll(disk), again.ledger)
  }

  @Test func everySyncThatFailsIsFinalAndLosesNothing() throws {
    var reached = 0
    for failing in 1...200 {
      var random = SeededGenerator(seed: 77)
      let disk = CrashDisk()
      let harness = try LogHarness.create(disk)
      disk.failsAtSync = disk.syncs + failing
      var failed = false
      for _ in 0..<40 {
        do {
          try harness.append(random.commits())
        } catch is StorageError {
          // The spare could not be prepared: the log itself is untouched, and it is tried again.
          continue
        } catch {
          failed = true
          break
        }
      }
      if !failed && disk.syncs < failing { break }
      guard failed else { continue }
      reached += 1
      let acknowledged = harness.ledger
      // The writer that saw it writes nothing more; only a new start finds out what is on disk.
      #expect(throws: (any Error).self) { try harness.append([[9]]) }
      expectEqual(harness.ledger, acknowledged)
      disk.crash(&random)
      let found = try LogHarness.readAll(disk)
      expectEqual(Array(found.prefix(acknowledged.count)), acknowledged)
    }
    #expect(reached >= 30)
  }

  @Test func aFullDiskRefusesBeforeItWritesAndGoesOnWhenThereIsSpace() throws {
    let disk = CrashDisk()
    let harness = try LogHarness.create(disk)
    disk.capacity = 1 << 20
    try harness.append([[1]])
    let before = try LogHarness.readAll(disk)
    disk.capacity = 0
    harness.writer.isSpareReady = false
    let large = [[UInt8]](repeating: [UInt8](repeating: 7, count: 30_000), count: 3)
    // The spare cannot be made, and the block does not fit what is left of the segment.
    #expect(throws: StorageError.self) { try harness.append(large) }
    expectEqual(try LogHarness.readAll(disk), before)
    disk.capacity = Int.max
    let again = try LogHarness(disk, ledger: before)
    try again.append([[2]])
    expectEqual(try LogHarness.readAll(disk), before + [[2]])
  }
}
