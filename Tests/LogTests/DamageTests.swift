import MusterBytes
import MusterLog
import MusterSimulatedDisk
import MusterWorkload
import Testing

@Suite struct DamageTests {
  /// A small log that was stopped cleanly: everything in it is confirmed.
  private func stopped(blocks: Int) throws -> (CrashDisk, [[UInt8]]) {
    var random = SeededGenerator(seed: 5)
    let disk = CrashDisk()
    let harness = try LogHarness.create(disk)
    for _ in 0..<blocks { try harness.append([random.commit()]) }
    try harness.confirm(isFinal: true)
    return (disk, harness.ledger)
  }

  @Test func everyFlippedBitOfEveryFrameIsFound() throws {
    let (disk, ledger) = try stopped(blocks: 6)
    let path = Layout.live(1)
    guard let scan = try LogHarness.reader(disk).segments[0].live else {
      Issue.record("the segment is live")
      return
    }
    // Every header and content, the segment's own frame and the final confirmation included.
    var frames = [0, scan.end - Frame.alignment]
    frames += scan.blocks.map(\.offset)
    var checked = 0
    for frame in frames {
      for bit in 0..<(FrameHeader.byteCount * 8) {
        disk.flip(path, bit: frame * 8 + bit)
        #expect(throws: LogError.self, "byte \(frame + bit / 8), bit \(bit % 8)") { try LogHarness.readAll(disk) }
        disk.flip(path, bit: frame * 8 + bit)
        checked += 1
      }
    }
    #expect(checked == 8 * FrameHeader.byteCount * 8)
    for block in scan.blocks {
      for byte in 0..<Int(block.header.storedBytes) {
        let bit = (block.offset + FrameHeader.byteCount + byte) * 8 + byte % 8
        disk.flip(path, bit: bit)
        #expect(throws: LogError.self) { try LogHarness.readAll(disk) }
        disk.flip(path, bit: bit)
      }
    }
    expectEqual(try LogHarness.readAll(disk), ledger)
  }

  /// A packed segment, a live one behind it, and a snapshot.
  private func packed() throws -> (CrashDisk, LogHarness) {
    var random = SeededGenerator(seed: 6)
    let disk = CrashDisk()
    let harness = try LogHarness.create(disk)
    for _ in 0..<12 { try harness.append([random.commit(), random.commit()]) }
    try harness.snapshot()
    while try disk.list(Layout.log).filter({ $0.hasSuffix(".live") }).count < 2 {
      try harness.append(random.commits())
    }
    try harness.pack()
    try harness.confirm(isFinal: true)
    return (disk, harness)
  }

  /// Every bit of every header, of the index and the trailer; of the content one bit of every byte.
  @Test func everyFlippedBitOfAPackedSegmentIsFound() throws {
    let (disk, harness) = try packed()
    let sealed = Layout.sealed(1)
    let size = try disk.size(sealed) ?? 0
    let heads = [0, size - 400] + (try LogHarness.reader(disk).segments[0].units.map(\.offset))
    var bits: [Int] = []
    for byte in 0..<size {
      let isHead = heads.contains { $0..<($0 + FrameHeader.byteCount) ~= byte } || byte > size - 400
      bits += isHead ? Array(byte * 8..<byte * 8 + 8) : [byte * 8 + byte % 8]
    }
    for bit in bits {
      disk.flip(sealed, bit: bit)
      #expect(throws: LogError.self, "byte \(bit / 8), bit \(bit % 8)") { try LogHarness.readAll(disk) }
      disk.flip(sealed, bit: bit)
    }
    expectEqual(try LogHarness.readAll(disk), harness.ledger)
  }

  @Test func everyTruncationOfAPackedSegmentIsFound() throws {
    let (disk, _) = try packed()
    let sealed = Layout.sealed(1)
    for length in 0..<(try disk.size(sealed) ?? 0) {
      let shorter = disk.copy()
      shorter.truncate(sealed, to: length)
      #expect(throws: LogError.self, "cut at \(length)") { try LogHarness.readAll(shorter) }
    }
  }

  @Test func everyFlippedBitOfASnapshotIsFound() throws {
    let (disk, _) = try packed()
    let store = SnapshotStore(disk, LogHarness.identity)
    let name = try #require(try store.list().first)
    for bit in 0..<(try disk.size(name.path) ?? 0) * 8 {
      disk.flip(name.path, bit: bit)
      #expect(throws: LogError.self, "byte \(bit / 8), bit \(bit % 8)") { try store.verify(name) }
      disk.flip(name.path, bit: bit)
    }
    _ = try store.verify(name)
  }

  /// Lengths around every 4 KiB boundary, and some between.
  private static let cuts = (-3...3).map { $0 } + stride(from: 20, to: 4090, by: 407)

  @Test(arguments: [true, false])
  func everyTruncationOfTheLastCommitsIsFoundOrHarmless(isStopped: Bool) throws {
    var random = SeededGenerator(seed: 21)
    let disk = CrashDisk()
    let harness = try LogHarness.create(disk, segmentBytes: 80 * Frame.alignment)
    for _ in 0..<64 { try harness.append([(0..<(1 + random.below(3000))).map { UInt8(truncatingIfNeeded: $0) }]) }
    try harness.confirm(isFinal: isStopped)
    let path = Layout.live(1)
    let scan = try #require(try LogHarness.reader(disk).segments[0].live)
    let start = try #require(scan.blocks.first).offset
    #expect(scan.blocks.count == 64)
    for frame in stride(from: start, through: scan.end, by: Frame.alignment) {
      for cut in DamageTests.cuts {
        let shorter = disk.copy()
        shorter.truncate(path, to: frame + cut)
        if isStopped && frame + cut >= scan.end {
          // Behind the frame that says nothing follows, nothing was.
          expectEqual(try LogHarness.readAll(shorter), harness.ledger)
        } else {
          #expect(throws: LogError.self, "cut at \(frame + cut)") { try LogHarness.readAll(shorter) }
        }
      }
    }
  }

  @Test func readersNeverWrite() throws {
    let (disk, _) = try stopped(blocks: 4)
    let before = disk.operationCount
    disk.flip(Layout.live(1), bit: 4096 * 8 + 3)
    _ = try? LogHarness.readAll(disk)
    _ = try? RecoveryPlan.make(try LogHarness.reader(disk))
    #expect(disk.operationCount == before)
  }

  @Test func aMissingSegmentIsNamed() throws {
    var random = SeededGenerator(seed: 9)
    let disk = CrashDisk()
    let harness = try LogHarness.create(disk)
    while try disk.list(Layout.log).filter({ $0.hasSuffix(".live") }).count < 3 {
      try harness.append(random.commits())
    }
    let names = try SegmentName.all(in: disk.list(Layout.log))
    try disk.remove(names[1].path)
    #expect(throws: LogError.self) { try LogHarness.readAll(disk) }
  }

  @Test func anotherClustersLogIsForeign() throws {
    let (disk, _) = try stopped(blocks: 1)
    let other = LogIdentity(clusterID: "ffffffffffffffffffffffffffffffff", timeline: 1)
    #expect(throws: LogError.foreign(file: Layout.live(1))) { try LogReader(disk, identity: other, confirmed: 0) }
  }
}
