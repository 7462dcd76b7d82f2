import MusterBytes
import MusterLog
import MusterSimulatedDisk
import MusterWorkload
import Testing

/// The index of what commits speak of. Here a commit speaks of its bytes: of kind 1 with each value it holds, of kind 2
/// with its length.
@Suite struct KeyIndexTests {
  private static let find: KeyFinder = { bytes, body in
    for byte in bytes { body(LogKey(kind: 1, id: UInt32(byte))) }
    body(LogKey(kind: 2, id: UInt32(bytes.count)))
  }
  private static let keys = CommitKeys(scheme: 7, find: find)

  private func harness(_ seed: UInt64, blocks: Int, _ keys: CommitKeys? = keys) throws -> LogHarness {
    let harness = try LogHarness.create(CrashDisk(), segmentBytes: 512 * 1024)
    var random = SeededGenerator(seed: seed)
    for block in 0..<blocks {
      try harness.append(
        (0..<20).map { _ in
          (0...random.below(200)).map { _ in UInt8(truncatingIfNeeded: block / 3 + random.below(4) * random.below(4)) }
        })
    }
    try harness.pack(keys)
    return harness
  }

  private func selection(_ groups: [[ClosedRange<LogKey>]]) -> LogSelection {
    var selection = LogSelection(KeyIndexTests.keys)
    for group in groups { selection.require(anyOf: group) }
    return selection
  }

  private func speaks(_ commit: [UInt8], _ groups: [[ClosedRange<LogKey>]]) -> Bool {
    let found = commit.map { LogKey(kind: 1, id: UInt32($0)) } + [LogKey(kind: 2, id: UInt32(commit.count))]
    return groups.allSatisfy { group in group.contains { range in found.contains { range.contains($0) } } }
  }

  private func randomGroups(_ random: inout SeededGenerator) -> [[ClosedRange<LogKey>]] {
    (0...random.below(3)).map { _ in
      (0...random.below(4)).map { _ in
        let low = LogKey(kind: UInt32(random.below(3)), id: UInt32(random.below(260)))
        let high = LogKey(kind: low.kind + UInt32(random.below(2)), id: low.id + UInt32(random.below(30)))
        return random.oneIn(2) ? low...low : low...high
      }
    }
  }

  @Test(arguments: [true, false]) func noCommitThatIsMeantIsLeftOut(isIndexed: Bool) throws {
    let harness = try harness(1, blocks: 300, isIndexed ? KeyIndexTests.keys : nil)
    let log = try LogHarness.reader(harness.disk)
    #expect(log.segments.filter(\.name.isSealed).count > 1)
    #expect(log.segments.allSatisfy { !$0.name.isSealed || ($0.keyScheme == 7) == isIndexed })
    var random = SeededGenerator(seed: 2)
    var left = 0
    for round in 0..<300 {
      let groups = randomGroups(&random)
      let from = UInt64(1 + random.below(3000))
      let through = from + UInt64(random.below(3000))
      let units = try log.units(
        from: from, through: through, matching: selection(groups), rebuilding: round % 2 == 0)
      left += units.count
      for (place, commit) in harness.ledger.enumerated() where speaks(commit, groups) {
        let revision = UInt64(place) + 1
        guard (from...through).contains(revision) else { continue }
        let isFound = units.contains { $0.firstRevision <= revision && revision <= $0.lastRevision }
        #expect(isFound)
      }
    }
    let all = log.units(from: 1, through: log.lastRevision).count
    if isIndexed { #expect(left < 300 * all / 2) }
  }

  @Test func anIndexOfAnotherSchemeIsNotAsked() throws {
    let harness = try harness(3, blocks: 200, CommitKeys(scheme: 8) { _, _ in })
    let log = try LogHarness.reader(harness.disk)
    let segment = try #require(log.segments.first)
    #expect(segment.keyScheme == 8)
    let key = LogKey(kind: 1, id: 0)
    let units = try log.units(in: segment, from: 1, through: segment.lastRevision, matching: selection([[key...key]]))
    #expect(units.count == segment.units.count)
  }

  /// An older scheme that did not say of what length commits are: they are found by what it did say.
  @Test func anIndexOfAnOlderSchemeIsAskedForMore() throws {
    let bytesAlone = OlderKeys(
      scheme: 6,
      widened: { ranges in
        ranges.contains { $0.upperBound.kind >= 2 }
          ? ranges + [LogKey(kind: 1, id: 0)...LogKey(kind: 1, id: 255)] : ranges
      },
      find: { bytes, body in for byte in bytes { body(LogKey(kind: 1, id: UInt32(byte))) } })
    let keys = CommitKeys(scheme: 7, after: [bytesAlone], find: KeyIndexTests.find)
    let harness = try harness(3, blocks: 200, CommitKeys(bytesAlone))
    let log = try LogHarness.reader(harness.disk)
    let segment = try #require(log.segments.first)
    #expect(segment.keyScheme == 6)
    #expect(try log.checkKeys(segment, against: keys))
    func found(_ key: LogKey) throws -> Int {
      var selection = LogSelection(keys)
      selection.require(anyOf: [key])
      return try log.units(in: segment, from: 1, through: segment.lastRevision, matching: selection).count
    }
    #expect(try found(LogKey(kind: 2, id: 100)) == segment.units.count)
    #expect(try found(LogKey(kind: 1, id: 3)) < segment.units.count)
  }

  @Test func commitsThatCannotBeReadLeaveNoIndexBehind() throws {
    struct Unreadable: Error {}
    let harness = try harness(4, blocks: 200, CommitKeys(scheme: 7) { _, _ in throw Unreadable() })
    let log = try LogHarness.reader(harness.disk)
    #expect(log.segments.first?.name.isSealed == true)
    #expect(log.segments.first?.keyScheme == 0)
    _ = try log.verifyChain()
  }

  @Test func hostileKeysAreRefusedAndNeverTrap() throws {
    let harness = try harness(5, blocks: 200)
    let log = try LogHarness.reader(harness.disk)
    let segment = try #require(log.segments.first)
    let path = segment.name.path
    let size = try #require(try harness.disk.size(path))
    var random = SeededGenerator(seed: 6)
    var refused = 0
    for _ in 0..<200 {
      // A frame of keys that is whole and says anything.
      let disk = harness.disk.copy()
      let entry = segment.keyUnits[random.below(segment.keyUnits.count)]
      let offset = Int(entry.offset)
      let bytes = try disk.read(path, at: offset, count: size - offset)
      guard case .valid(var header) = bytes.withUnsafeBytes({ FrameHeader.parse($0) }) else { continue }
      let junk = (0..<Int(header.storedBytes)).map { _ in UInt8(random.below(random.oneIn(2) ? 4 : 256)) }
      header.codec = .none
      header.rawBytes = header.storedBytes
      header.storedChecksum = CRC32C.checksum(junk)
      try disk.write(path, at: offset, header.encoded() + junk)
      let damaged = try LogHarness.reader(disk)
      do {
        try damaged.verifyKeys(damaged.segments[0])
      } catch {
        refused += 1
      }
    }
    #expect(refused > 190)
  }

  @Test func segmentsOfTheFirstVersionAreStillRead() throws {
    let bytes = GoldenSegment.bytes
    let disk = CrashDisk()
    try DirectoryIdentity.create(disk, LogHarness.identity, segmentBytes: 48 * 1024)
    try disk.remove(Layout.live(1))
    try disk.create(Layout.sealed(1), zeros: 0)
    try disk.write(Layout.sealed(1), at: 0, bytes)
    let log = try LogReader(disk, identity: LogHarness.identity, confirmed: 0)
    _ = try log.verifyChain()
    #expect(log.lastRevision == 6)
    #expect(log.segments[0].keyScheme == 0 && log.segments[0].keyUnits.isEmpty)
    var commits: [[UInt8]] = []
    try log.forEachBlock(from: 1, through: 6) { block in
      try block.forEachCommit { bytes, _ in
        commits.append(Array(bytes))
        return true
      }
    }
    #expect(commits == GoldenSegment.commits)
    #expect(try LogHarness.readAll(disk) == GoldenSegment.commits)
  }
}
