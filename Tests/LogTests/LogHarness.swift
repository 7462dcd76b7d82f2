import MusterBytes
import MusterLog
import MusterSimulatedDisk
import MusterWorkload
import Testing

/// A log on a disk that crashes, driven as the journal drives one, with a ledger of what was acknowledged.
final class LogHarness {
  static let identity = LogIdentity(clusterID: "00112233445566778899aabbccddeeff", timeline: 1)

  let disk: CrashDisk
  private let segmentBytes: Int
  private(set) var writer: LogWriter
  private var builder: BlockBuilder
  private let run: UInt64
  /// Every commit that was acknowledged, by revision less one.
  private(set) var ledger: [[UInt8]]
  let plan: RecoveryPlan

  /// Makes a log on an empty disk.
  static func create(_ disk: CrashDisk, segmentBytes: Int = 48 * 1024) throws -> LogHarness {
    try DirectoryIdentity.create(disk, identity, segmentBytes: segmentBytes)
    return try LogHarness(disk, ledger: [], segmentBytes: segmentBytes)
  }

  /// Recovers a log.
  init(_ disk: CrashDisk, ledger: [[UInt8]], segmentBytes: Int = 48 * 1024) throws {
    self.disk = disk
    self.segmentBytes = segmentBytes
    self.ledger = ledger
    let plan = try RecoveryPlan.make(try LogHarness.reader(disk))
    try plan.execute(disk)
    self.plan = plan
    run = plan.lastRun + 1
    writer = LogWriter(disk, identity: LogHarness.identity, plan: plan, run: run, segmentBytes: segmentBytes)
    builder = BlockBuilder(after: plan.chain)
  }

  static func reader(_ disk: CrashDisk) throws -> LogReader {
    let identity = try DirectoryIdentity.read(disk)
    let newest = try SnapshotStore(disk, identity).list().last
    return try LogReader(disk, identity: identity, confirmed: newest?.revision ?? 0)
  }

  /// Every commit that can be read, after checking frames, blocks and chain.
  static func readAll(_ disk: CrashDisk) throws -> [[UInt8]] {
    let log = try reader(disk)
    _ = try log.verifyChain()
    return try readAll(log)
  }

  static func readAll(_ log: LogReader) throws -> [[UInt8]] {
    var commits: [[UInt8]] = []
    try log.forEachBlock(from: 1, through: log.lastRevision) { block in
      try block.forEachCommit { bytes, _ in
        commits.append(Array(bytes))
        return true
      }
    }
    return commits
  }

  /// Appends a block and, when that returned, notes its commits as acknowledged.
  ///
  /// - Parameter events: what the block says it holds; without it one a commit.
  func append(_ commits: [[UInt8]], events: UInt32? = nil) throws {
    if !writer.isSpareReady {
      try LogWriter.prepareSpare(disk, bytes: segmentBytes, pause: {})
      writer.isSpareReady = true
    }
    for commit in commits { builder.append(commit) }
    let block = builder.seal(
      origin: BlockOrigin(timeline: 1, term: 1, run: run), firstRevision: UInt64(ledger.count) + 1,
      time: UInt64(ledger.count) + 1, eventCount: events ?? UInt32(commits.count), digest: SetDigest())
    try writer.append(block)
    ledger += commits
  }

  func confirm(isFinal: Bool = false) throws { try writer.confirm(isFinal: isFinal) }

  /// Packs every full segment.
  func pack(_ keys: CommitKeys? = nil) throws {
    let names = try SegmentName.all(in: disk.list(Layout.log))
    for (place, name) in names.enumerated() where !name.isSealed && place + 1 < names.count {
      try LogWriter.seal(
        disk, LogHarness.identity, first: name.first, through: names[place + 1].first - 1, keys: keys)
    }
  }

  /// Writes a snapshot with a few pages.
  ///
  /// - Parameter parent: the snapshot whose pages it changes; 0 for a base.
  func snapshot(changing parent: UInt64 = 0) throws {
    var manifest = SnapshotManifest()
    manifest.revision = UInt64(ledger.count)
    manifest.parent = parent
    manifest.depth = parent == 0 ? 0 : 1
    let writer = try SnapshotWriter(disk, LogHarness.identity, manifest)
    for page in 0..<3 as Range<UInt32> {
      try [UInt8](repeating: UInt8(page), count: 100).withUnsafeBytes {
        try writer.add(PageAddress(table: 1, page: page), $0)
      }
    }
    _ = try writer.finish()
  }
}

extension SeededGenerator {
  /// Bytes of a commit; some compress well, some do not.
  mutating func commit() -> [UInt8] {
    let length = 1 + below(oneIn(10) ? 9000 : 300)
    let isRandom = oneIn(2)
    return (0..<length).map { isRandom ? UInt8(truncatingIfNeeded: next()) : UInt8(truncatingIfNeeded: $0 / 9) }
  }

  mutating func commits() -> [[UInt8]] { (0...below(4)).map { _ in commit() } }
}

/// Compares commits without printing megabytes when they differ.
func expectEqual(_ found: [[UInt8]], _ expected: [[UInt8]], sourceLocation: SourceLocation = #_sourceLocation) {
  let difference = zip(found, expected).enumerated().first { $0.element.0 != $0.element.1 }?.offset
  let isEqual = found == expected
  #expect(
    isEqual,
    "\(found.count) commits instead of \(expected.count), the first that differs: \(difference.map(String.init) ?? "none")",
    sourceLocation: sourceLocation)
}
