import MusterBytes
import MusterLog
import MusterSimulatedDisk
import MusterWorkload
import Testing

/// Reading beside a writer, again and again.
@Suite struct GrowingTests {
  private static let segmentBytes = 4 << 20

  private func open(
    _ storage: any Storage, confirmed: UInt64 = 0, reusing older: LogReader? = nil
  ) throws -> LogReader {
    try LogReader(
      storage, identity: LogHarness.identity, confirmed: confirmed, isGrowing: true, reusing: older)
  }

  private func expectSame(_ grown: LogReader, _ whole: LogReader) {
    #expect(grown.lastRevision == whole.lastRevision)
    #expect(grown.segments.map(\.name) == whole.segments.map(\.name))
    for (a, b) in zip(grown.segments, whole.segments) {
      #expect(a.units.map(\.offset) == b.units.map(\.offset))
      #expect(a.fileBytes == b.fileBytes && a.chainBefore == b.chainBefore)
      #expect(a.live?.end == b.live?.end && a.live?.durableThrough == b.live?.durableThrough)
      #expect(a.live?.lastConfirmation == b.live?.lastConfirmation && a.live?.run == b.live?.run)
      #expect(a.live?.declaredBytes == b.live?.declaredBytes && a.live?.isFinal == b.live?.isFinal)
    }
  }

  /// A commit of so many bytes that do not compress.
  private func commit(_ count: Int, _ random: inout SeededGenerator) -> [UInt8] {
    (0..<count).map { _ in UInt8(truncatingIfNeeded: random.next()) }
  }

  @Test(arguments: [1, 2, 3] as [UInt64]) func whatGrewIsWhatIsThere(seed: UInt64) throws {
    let harness = try LogHarness.create(CrashDisk(), segmentBytes: GrowingTests.segmentBytes)
    var random = SeededGenerator(seed: seed)
    var known: LogReader?
    for _ in 0..<120 {
      for _ in 0..<random.below(4) {
        let size = random.oneIn(8) ? 60_000 : 1 + random.below(9000)
        // Some blocks are longer than what is read at a time.
        let count = random.oneIn(12) ? 16 : 1 + random.below(3)
        try harness.append((0..<count).map { _ in commit(size, &random) })
      }
      if random.oneIn(3) { try harness.writer.confirm() }
      if random.oneIn(10) { try harness.pack() }
      let grown = try open(harness.disk, reusing: known)
      expectSame(grown, try LogHarness.reader(harness.disk))
      known = grown
    }
    let grown = try #require(known)
    #expect(grown.segments.count >= 2)
    #expect(try LogHarness.readAll(grown) == harness.ledger)
  }

  @Test func onlyWhatWasAppendedIsRead() throws {
    let harness = try LogHarness.create(CrashDisk(), segmentBytes: GrowingTests.segmentBytes)
    var random = SeededGenerator(seed: 4)
    for _ in 0..<60 { try harness.append([commit(30_000, &random)]) }
    let storage = CountingStorage(harness.disk)
    var log = try open(storage)
    #expect(storage.bytesRead > 60 * 30_000 && storage.bytesRead < GrowingTests.segmentBytes)
    for _ in 0..<20 {
      try harness.append([commit(3_000, &random)])
      storage.bytesRead = 0
      log = try open(storage, reusing: log)
      #expect(log.lastRevision == UInt64(harness.ledger.count))
      #expect(storage.bytesRead < 600_000, "of \(GrowingTests.segmentBytes)")
    }
    storage.bytesRead = 0
    #expect(try LogHarness.readAll(log) == harness.ledger)
    #expect(storage.bytesRead == 0, "it is in memory, whatever becomes of the file")
  }

  /// A frame that is being written may look like anything; it is read when it is whole.
  @Test func aFrameThatIsHalfWrittenIsReadLater() throws {
    let harness = try LogHarness.create(CrashDisk(), segmentBytes: GrowingTests.segmentBytes)
    var random = SeededGenerator(seed: 5)
    for _ in 0..<10 { try harness.append([commit(20_000, &random)]) }
    let before = try open(harness.disk)
    let end = try #require(before.segments.last?.live?.end)
    try harness.append([commit(20_000, &random)])
    let half = harness.disk.copy()
    try half.write(Layout.live(1), at: end + 8192, [UInt8](repeating: 0, count: 8192))
    let meanwhile = try open(half, reusing: before)
    #expect(meanwhile.lastRevision == 10)
    #expect(try open(harness.disk, reusing: meanwhile).lastRevision == 11)
  }

  /// What is known to be durable and cannot be read is corruption, also for whoever read up to there before.
  @Test func whatWasConfirmedAndIsDamagedIsCorrupt() throws {
    let harness = try LogHarness.create(CrashDisk(), segmentBytes: GrowingTests.segmentBytes)
    var random = SeededGenerator(seed: 6)
    for _ in 0..<10 { try harness.append([commit(2_000, &random)]) }
    let before = try open(harness.disk)
    let end = try #require(before.segments.last?.live?.end)
    for _ in 0..<3 { try harness.append([commit(2_000, &random)]) }
    harness.disk.flip(Layout.live(1), bit: (end + 500) * 8)
    // As far as this reader knows the frame may be on its way.
    #expect(try open(harness.disk, reusing: before).lastRevision == 10)
    #expect(throws: LogError.self) { try open(harness.disk, confirmed: 13, reusing: before) }
    #expect(throws: LogError.self) { try open(harness.disk, confirmed: 13) }
  }
}

/// Counts what is read.
private final class CountingStorage: Storage {
  private let disk: CrashDisk
  var bytesRead = 0

  init(_ disk: CrashDisk) { self.disk = disk }

  func read(_ path: String, at offset: Int, count: Int) throws(StorageError) -> [UInt8] {
    let bytes = try disk.read(path, at: offset, count: count)
    bytesRead += bytes.count
    return bytes
  }

  func list(_ directory: String) throws(StorageError) -> [String] { try disk.list(directory) }
  func size(_ path: String) throws(StorageError) -> Int? { try disk.size(path) }
  func makeDirectory(_ path: String) throws(StorageError) { try disk.makeDirectory(path) }
  func create(_ path: String, zeros: Int) throws(StorageError) { try disk.create(path, zeros: zeros) }
  func write(_ path: String, at offset: Int, _ bytes: UnsafeRawBufferPointer) throws(StorageError) {
    try disk.write(path, at: offset, bytes)
  }
  func sync(_ path: String) throws(StorageError) { try disk.sync(path) }
  func rename(_ path: String, to newPath: String) throws(StorageError) { try disk.rename(path, to: newPath) }
  func remove(_ path: String) throws(StorageError) { try disk.remove(path) }
  func syncDirectory(_ path: String) throws(StorageError) { try disk.syncDirectory(path) }
}
