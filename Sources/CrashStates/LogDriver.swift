package import MusterBytes
package import MusterLog

/// A log on a disk that may crash, driven as the journal drives one.
package final class LogDriver {
  package static let identity = LogIdentity(clusterID: "00112233445566778899aabbccddeeff", timeline: 1)
  /// Small, so that a short history has several.
  package static let segmentBytes = 40 * 1024

  package let disk: WeakDisk
  package let plan: RecoveryPlan
  private let writer: LogWriter
  private var builder: BlockBuilder
  private let run: UInt64

  /// Makes a log on a disk that has none.
  package static func create(_ disk: WeakDisk) throws -> LogDriver {
    try DirectoryIdentity.create(disk, identity, segmentBytes: segmentBytes)
    return try LogDriver(disk)
  }

  /// Recovers a log.
  package init(_ disk: WeakDisk) throws {
    self.disk = disk
    plan = try RecoveryPlan.make(try LogDriver.reader(disk))
    try plan.execute(disk)
    run = plan.lastRun + 1
    writer = LogWriter(
      disk, identity: try DirectoryIdentity.read(disk), plan: plan, run: run, segmentBytes: LogDriver.segmentBytes)
    builder = BlockBuilder(after: plan.chain)
    try writer.confirm()
  }

  package static func reader(_ disk: WeakDisk) throws -> LogReader {
    let identity = try DirectoryIdentity.read(disk)
    let newest = try SnapshotStore(disk, identity).list().last
    return try LogReader(disk, identity: identity, confirmed: newest?.revision ?? 0)
  }

  package var lastRevision: UInt64 { writer.durable }

  package func confirm(isFinal: Bool = false) throws { try writer.confirm(isFinal: isFinal) }

  /// Whether a block of so many bytes can be written without a segment more.
  package func hasRoom(for bytes: Int) -> Bool {
    writer.preparedBytes >= Frame.aligned(FrameHeader.byteCount + bytes + 1024) + Frame.alignment
  }

  package var isSpareReady: Bool { writer.isSpareReady }

  package func prepareSpare() throws {
    try LogWriter.prepareSpare(disk, bytes: LogDriver.segmentBytes, pause: {})
    writer.isSpareReady = true
  }

  /// Writes a block and returns when it is durable.
  package func append(
    _ commits: [[UInt8]], time: UInt64? = nil, events: Int? = nil, digest: SetDigest = SetDigest()
  ) throws {
    for commit in commits { builder.append(commit) }
    let first = writer.durable + 1
    try writer.append(
      builder.seal(
        origin: BlockOrigin(timeline: 1, term: 1, run: run), firstRevision: first, time: time ?? first,
        eventCount: UInt32(events ?? commits.count), digest: digest))
  }

  /// Packs every full segment.
  package func pack(_ keys: CommitKeys? = nil) throws {
    let names = try SegmentName.all(in: disk.list(Layout.log))
    for (place, name) in names.enumerated() where !name.isSealed && place + 1 < names.count {
      try LogWriter.seal(
        disk, LogDriver.identity, first: name.first, through: names[place + 1].first - 1, keys: keys)
    }
  }
}

extension LogReader {
  /// Every commit that is kept.
  package func commits() throws -> [[UInt8]] {
    var commits: [[UInt8]] = []
    try forEachBlock(from: firstRevision, through: lastRevision) { block in
      try block.forEachCommit { bytes, _ in
        commits.append(Array(bytes))
        return true
      }
    }
    return commits
  }
}
