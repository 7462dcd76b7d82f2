import MusterBytes
import MusterLog
import MusterSimulatedDisk
import MusterWorkload
import Testing

@Suite struct RecoveryTests {
  private let path = Layout.live(1)

  /// A log of three blocks, the last one of several sectors and not confirmed.
  private func log() throws -> (CrashDisk, LogHarness, LiveScan.Entry) {
    var random = SeededGenerator(seed: 11)
    let disk = CrashDisk()
    let harness = try LogHarness.create(disk)
    try harness.append([[1, 2, 3]])
    try harness.append([[4]])
    try harness.append([(0..<6000).map { _ in UInt8(1 + random.below(255)) }])
    let scan = try #require(try LogHarness.reader(disk).segments[0].live)
    return (disk, harness, try #require(scan.blocks.last))
  }

  /// Puts the zeros back that a sector had before it was written.
  private func erase(_ disk: CrashDisk, _ offset: Int, _ count: Int = 512) throws {
    try disk.write(path, at: offset, [UInt8](repeating: 0, count: count))
    try disk.sync(path)
  }

  @Test func aTornFrameIsKeptAsideAndCleared() throws {
    let (disk, harness, last) = try log()
    try erase(disk, last.offset + 1024)
    let torn = try disk.read(path, at: last.offset, count: 8192)
    let plan = try RecoveryPlan.make(try LogHarness.reader(disk))
    #expect(plan.lastRevision == 2)
    #expect(plan.tornBytes == FrameHeader.byteCount + Int(last.header.storedBytes))
    let copy = "broken/00000000000000000001.live-\(last.offset)-1.broken"
    #expect(
      plan.actions == [
        .remove(Layout.spare),
        .keepAside(file: path, offset: last.offset, bytes: 8192, copy: copy),
        .clear(file: path, offset: last.offset, bytes: 8192),
        .rewrite(file: path, offset: 8192, bytes: 4096),
      ])
    let again = try LogHarness(disk, ledger: Array(harness.ledger.prefix(2)))
    let isKept = try disk.read(copy, at: 0, count: 10_000) == torn
    #expect(isKept)
    expectEqual(try LogHarness.readAll(disk), Array(harness.ledger.prefix(2)))
    // The same place torn once more does not cost the first evidence.
    try again.append([[UInt8](repeating: 9, count: 3000)])
    try erase(disk, last.offset)
    let next = try RecoveryPlan.make(try LogHarness.reader(disk))
    let copies = next.actions.compactMap { action in
      if case .keepAside(_, _, _, let copy) = action { copy } else { nil }
    }
    #expect(copies.count == 1 && copies != [copy])
  }

  @Test func everySectorOfTheLastFrameThatIsMissingIsATornWrite() throws {
    let (disk, harness, last) = try log()
    let length = FrameHeader.byteCount + Int(last.header.storedBytes)
    for sector in stride(from: 0, to: length, by: 512) {
      let torn = disk.copy()
      try torn.write(path, at: last.offset + sector, [UInt8](repeating: 0, count: min(512, length - sector)))
      expectEqual(try LogHarness.readAll(torn), Array(harness.ledger.prefix(2)))
    }
  }

  @Test func theSameDamageIsCorruptionOnceTheFrameIsConfirmed() throws {
    let (disk, harness, last) = try log()
    try harness.confirm()
    for sector in stride(from: 0, to: 6000, by: 512) {
      let damaged = disk.copy()
      try damaged.write(path, at: last.offset + sector, [UInt8](repeating: 0, count: 512))
      let error = #expect(throws: LogError.self) { try LogHarness.readAll(damaged) }
      guard case .corrupt(let fault) = error else {
        Issue.record("\(String(describing: error)) is not corruption")
        continue
      }
      #expect(fault.file == path && fault.offset == last.offset && fault.revision == 3)
    }
  }

  @Test func rotInTheLastFrameIsNeverCut() throws {
    let (disk, _, last) = try log()
    // No sector of this frame is blank, so a flipped bit cannot be a write that was cut short.
    for byte in stride(from: 0, to: FrameHeader.byteCount + Int(last.header.storedBytes), by: 7) {
      disk.flip(path, bit: (last.offset + byte) * 8 + byte % 8)
      #expect(throws: LogError.self, "byte \(byte)") { try LogHarness.readAll(disk) }
      disk.flip(path, bit: (last.offset + byte) * 8 + byte % 8)
    }
  }

  @Test func contentThatLooksLikeAFrameDoesNotHideATornWrite() throws {
    let disk = CrashDisk()
    let harness = try LogHarness.create(disk, segmentBytes: 128 * 1024)
    try harness.append([[1]])
    // A commit whose bytes on a 4 KiB boundary of the file are a whole confirmation frame.
    var fake = LogHarness.identity.frame(.confirmation)
    fake.anchor = 1
    fake.firstRevision = 3
    fake.durableThrough = 2
    var random = SeededGenerator(seed: 4)
    var content = (0..<40_000).map { _ in UInt8(1 + random.below(255)) }
    let block = 8192 + FrameHeader.byteCount
    let head = 12_288 - block
    func shift(_ by: Int) { content.replaceSubrange((head - by)..<(head - by + 128), with: fake.encoded()) }
    // Behind the block's own header and the commit's length.
    shift(headerBytes(content.count))
    try harness.append([content])
    guard case .valid = try disk.read(path, at: 12_288, count: 128).withUnsafeBytes({ FrameHeader.parse($0) }) else {
      Issue.record("the content has a frame on the boundary")
      return
    }
    try erase(disk, 16_384)
    #expect(try RecoveryPlan.make(try LogHarness.reader(disk)).lastRevision == 1)
  }

  /// Bytes of a block before its only commit.
  private func headerBytes(_ commit: Int) -> Int {
    var builder = BlockBuilder(after: .zero)
    builder.append([UInt8](repeating: 1, count: commit))
    let block = builder.seal(
      origin: BlockOrigin(timeline: 1, term: 1, run: 1), firstRevision: 2, time: 2, eventCount: 1, digest: SetDigest())
    return block.bytes.count - commit
  }

  @Test(arguments: 0..<20)
  func recoveryThatIsCutShortAnywhereEndsTheSame(seed: Int) throws {
    var random = SeededGenerator(seed: UInt64(seed))
    let (disk, harness, last) = try log()
    try erase(disk, last.offset + 512 * random.below(8))
    let kept = Array(harness.ledger.prefix(2))
    for operation in 1...40 {
      let broken = disk.copy()
      broken.diesAtOperation = operation
      let isDone = (try? LogHarness(broken, ledger: kept)) != nil
      broken.crash(&random)
      let again = try LogHarness(broken, ledger: kept)
      expectEqual(try LogHarness.readAll(broken), kept)
      try again.append([[5]])
      expectEqual(try LogHarness.readAll(broken), kept + [[5]])
      if isDone { return }
    }
    Issue.record("recovery takes fewer steps")
  }

  /// Nothing but the last word itself is written again: nobody says that it is on disk.
  @Test func aCleanStopLeavesNextToNothingToDo() throws {
    let (disk, harness, _) = try log()
    try harness.confirm(isFinal: true)
    let plan = try RecoveryPlan.make(try LogHarness.reader(disk))
    let last = (try disk.size(plan.segment.path) ?? 0) - harness.writer.preparedBytes - Frame.alignment
    #expect(
      plan.actions == [
        .remove(Layout.spare), .rewrite(file: plan.segment.path, offset: last, bytes: Frame.alignment),
      ])
    #expect(plan.lastRevision == 3)
    #expect(plan.confirmedThrough == 3)
  }

  /// A start gives a segment the zeros back that it lost; how many, a whole header with a checksum says, and whoever
  /// can write the file can write that.
  @Test func aSegmentThatClaimsToBeEndlessIsRefused() throws {
    let (disk, harness, _) = try log()
    try harness.confirm(isFinal: true)
    let head = try disk.read(path, at: 0, count: FrameHeader.byteCount)
    guard case .valid(var header) = head.withUnsafeBytes({ FrameHeader.parse($0) }) else {
      Issue.record("the log begins with a segment's frame")
      return
    }
    for (parts, isRefused) in [(16_384, false), (16_385, true), (UInt32.max, true)] as [(UInt32, Bool)] {
      header.parts = parts
      try disk.write(path, at: 0, header.encoded())
      do throws(LogError) {
        let plan = try RecoveryPlan.make(try LogReader(disk, identity: LogHarness.identity, confirmed: 0))
        #expect(!isRefused && plan.segmentBytes == 64 << 20)
      } catch {
        guard case .corrupt(let fault) = error else {
          Issue.record("\(error) is not corruption")
          continue
        }
        #expect(isRefused && fault.file == path && fault.offset == 0)
      }
    }
  }
}

@Suite struct GrowingLogTests {
  private func reader(_ disk: CrashDisk) throws -> LogReader {
    try LogReader(disk, identity: LogHarness.identity, confirmed: 0, isGrowing: true)
  }

  @Test func whatIsJustBeingWrittenIsTheEndAndNotDamage() throws {
    var random = SeededGenerator(seed: 8)
    let disk = CrashDisk()
    let harness = try LogHarness.create(disk)
    try harness.append([[1]])
    try harness.confirm()
    try harness.append([(0..<5000).map { _ in UInt8(1 + random.below(255)) }])
    let scan = try #require(try reader(disk).segments[0].live)
    let last = try #require(scan.blocks.last)
    // Any part of the frame may be there already, at any byte.
    for cut in stride(from: 0, to: 5000, by: 61) {
      let half = disk.copy()
      try half.write(Layout.live(1), at: last.offset + cut, [UInt8](repeating: 0, count: 8192 - cut))
      let log = try reader(half)
      #expect(log.lastRevision == 1)
      #expect(log.segments[0].live?.tornBytes == 0)
    }
  }

  @Test func whatIsConfirmedIsStillDamage() throws {
    let disk = CrashDisk()
    let harness = try LogHarness.create(disk)
    try harness.append([[1]])
    try harness.append([[2]])
    disk.flip(Layout.live(1), bit: (4096 + 150) * 8)
    #expect(throws: LogError.self) {
      // The second block says that the first is durable.
      let log = try LogReader(disk, identity: LogHarness.identity, confirmed: 1, isGrowing: true)
      _ = try log.verifyChain()
    }
  }
}
