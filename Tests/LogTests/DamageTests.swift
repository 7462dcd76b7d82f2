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

  @Test func everyFlippedByteOfASealedSegmentAndASnapshotIsFound() throws {
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
    let sealed = Layout.sealed(1)
    for byte in 0..<(try disk.size(sealed) ?? 0) {
      disk.flip(sealed, bit: byte * 8 + byte % 8)
      #expect(throws: LogError.self, "byte \(byte)") { try LogHarness.readAll(disk) }
      disk.flip(sealed, bit: byte * 8 + byte % 8)
    }
    let store = SnapshotStore(disk, LogHarness.identity)
    let name = try #require(try store.list().first)
    for byte in 0..<(try disk.size(name.path) ?? 0) {
      disk.flip(name.path, bit: byte * 8 + byte % 8)
      #expect(throws: LogError.self, "byte \(byte)") { try store.verify(name) }
      disk.flip(name.path, bit: byte * 8 + byte % 8)
    }
    expectEqual(try LogHarness.readAll(disk), harness.ledger)
  }

  @Test func everyTruncationOfTheLastCommitsIsFoundOrHarmless() throws {
    let (disk, ledger) = try stopped(blocks: 10)
    let path = Layout.live(1)
    let scan = try #require(try LogHarness.reader(disk).segments[0].live)
    let start = try #require(scan.blocks.first).offset
    for length in stride(from: start, through: scan.end, by: 97) {
      let cut = disk.copy()
      cut.truncate(path, to: length)
      if let found = try? LogHarness.readAll(cut) {
        expectEqual(found, ledger)
      }
    }
    // Cut behind the frame that says nothing follows, nothing is lost.
    let cut = disk.copy()
    cut.truncate(path, to: scan.end)
    expectEqual(try LogHarness.readAll(cut), ledger)
    #expect(throws: LogError.self) {
      let shorter = disk.copy()
      shorter.truncate(path, to: scan.end - 1)
      _ = try LogHarness.readAll(shorter)
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
