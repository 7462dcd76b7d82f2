internal import MusterBytes

/// How much is to be kept; 0 is all of it.
package struct RetentionBounds: Equatable, Sendable {
  /// Commits from this log time on are kept.
  package var logSince: UInt64 = 0
  package var logBytes: UInt64 = 0
  package var snapshotsSince: UInt64 = 0
  package var snapshotBytes: UInt64 = 0

  package init() {}
}

/// Finds what may go under a policy. It changes nothing.
package enum RetentionPlanner {
  /// Snapshots that are kept in any case.
  private static let snapshotsMin = 2

  /// The newest horizon that a policy allows, behind the present one; nil when nothing may go.
  ///
  /// The horizon is the revision of a snapshot, since the states from there on rest on it, and the segment that holds
  /// it stays. So a policy keeps what it asks for, and up to a segment and the span between two snapshots more.
  package static func horizon(
    _ log: LogReader, _ snapshots: SnapshotStore, _ bounds: RetentionBounds
  ) throws(LogError) -> Horizon? {
    let names = try snapshots.list().filter { $0.revision <= log.lastRevision }
    let wanted = firstWanted(log, bounds)
    guard names.count >= snapshotsMin,
      let oldest = names.dropLast(snapshotsMin - 1).last(where: { $0.revision <= wanted }),
      oldest.revision > log.oldestRevision,
      let segment = log.segments.last(where: { $0.name.first <= oldest.revision })
    else { return nil }
    let manifest = try snapshots.manifest(oldest)
    var horizon = Horizon()
    horizon.revision = oldest.revision
    horizon.time = manifest.time
    horizon.digestLow = manifest.digestLow
    horizon.digestHigh = manifest.digestHigh
    horizon.firstRevision = segment.name.first
    horizon.chain = segment.chainBefore.withUnsafeBytes { Array($0) }
    return horizon
  }

  /// The first revision of the oldest segment that the policy keeps.
  private static func firstWanted(_ log: LogReader, _ bounds: RetentionBounds) -> UInt64 {
    var bytes = log.segments.reduce(0) { $0 + storedBytes($1) }
    var wanted = log.firstRevision
    // The last segment is written to.
    for (segment, next) in zip(log.segments, log.segments.dropFirst()) {
      let isOld = (segment.units.last?.time ?? .max) < bounds.logSince
      guard isOld || (bounds.logBytes > 0 && bytes > bounds.logBytes) else { break }
      bytes -= storedBytes(segment)
      wanted = next.name.first
    }
    return wanted
  }

  /// A live segment is as long as it was made, and mostly zeros.
  private static func storedBytes(_ segment: SegmentContent) -> UInt64 {
    UInt64(segment.live?.end ?? segment.fileBytes)
  }

  /// Groups of snapshots that are older than the policy keeps, or more than it has space for. What the horizon and the
  /// newest snapshots rest on stays.
  package static func surplus(
    _ log: LogReader, _ snapshots: SnapshotStore, _ bounds: RetentionBounds
  ) throws(LogError) -> [SnapshotName] {
    guard bounds.snapshotsSince > 0 || bounds.snapshotBytes > 0 else { return [] }
    let groups = try groups(snapshots.list().filter { $0.revision <= log.lastRevision })
    var bytes: UInt64 = 0
    for name in groups.joined() { bytes += UInt64(try snapshots.size(name)) }
    var surplus: [SnapshotName] = []
    for group in groups.dropLast(1) {
      // Bases of two groups at least, unless the newest group has two snapshots itself.
      guard groups.joined().count - surplus.count - group.count >= snapshotsMin, let newest = group.last else { break }
      if let horizon = log.horizon, group.contains(where: { $0.revision <= horizon.revision }) { continue }
      let isOld = try snapshots.manifest(newest).time < bounds.snapshotsSince
      guard isOld || (bounds.snapshotBytes > 0 && bytes > bounds.snapshotBytes) else { break }
      for name in group { bytes -= min(bytes, UInt64(try snapshots.size(name))) }
      surplus += group
    }
    return surplus
  }

  /// Each base with its deltas.
  private static func groups(_ names: [SnapshotName]) -> [[SnapshotName]] {
    var groups: [[SnapshotName]] = []
    for name in names {
      if name.isBase || groups.isEmpty { groups.append([]) }
      groups[groups.count - 1].append(name)
    }
    return groups
  }
}
