package import MusterBytes

/// Where the history begins that is still kept. Written after the commit that cuts is durable, and before anything is
/// deleted; what is older is not shown from then on, whether it is still there or not.
package struct Horizon: FieldMessage, Hashable {
  /// The oldest revision that is kept, and there is a snapshot of it.
  package var revision: UInt64 = 0
  /// Log time of that revision.
  package var time: UInt64 = 0
  package var digestLow: UInt64 = 0
  package var digestHigh: UInt64 = 0
  /// The first revision of the oldest segment that is kept: the one that holds the horizon.
  package var firstRevision: UInt64 = 0
  /// The chain value before that segment: 32 bytes.
  package var chain: [UInt8] = []
  /// The commit that cut, and its log time.
  package var cutAt: UInt64 = 0
  package var cutTime: UInt64 = 0
  /// The right edge of the tree of all commits before that segment: the hashes of its incomplete tiles, the leaves' first.
  /// With it the tree goes on without what was cut.
  package var edge: [UInt8] = []

  /// Five levels of tiles that are nearly full: more than a log can be long.
  package static let edgeBytesMax = 5 * 255 * SHA256Value.byteCount

  package init() {}

  package mutating func visit<V: FieldVisitor & ~Copyable>(_ fields: inout V) throws(WireError) {
    try fields.uint64(1, &revision)
    try fields.uint64(2, &time)
    try fields.fixed64(3, &digestLow)
    try fields.fixed64(4, &digestHigh)
    try fields.uint64(5, &firstRevision)
    try fields.bytes(6, &chain, max: SHA256Value.byteCount)
    try fields.uint64(7, &cutAt)
    try fields.uint64(8, &cutTime)
    try fields.bytes(9, &edge, max: Horizon.edgeBytesMax)
  }

  package var digest: SetDigest { SetDigest(low: digestLow, high: digestHigh) }

  package var isSound: Bool {
    firstRevision > 0 && firstRevision <= revision && revision <= cutAt && chain.count == SHA256Value.byteCount
  }
}

extension Horizon {
  /// The horizon of a data directory; nil while everything is kept.
  package static func read(_ storage: any Storage, _ identity: LogIdentity) throws(LogError) -> Horizon? {
    guard let content = try SmallFile.read(storage, Layout.horizon, .horizon) else { return nil }
    guard identity.owns(content.header) else { throw .foreign(file: Layout.horizon) }
    guard let horizon = try? Horizon(bytes: content.bytes, refusingUnknownFields: true), horizon.isSound else {
      throw .corrupt(Fault(file: Layout.horizon, offset: 0, problem: "where the history begins makes no sense"))
    }
    return horizon
  }

  package func write(_ storage: any Storage, _ identity: LogIdentity) throws(LogError) {
    var header = identity.frame(.horizon)
    header.firstRevision = revision
    header.anchor = firstRevision
    try SmallFile.write(storage, Layout.horizon, header, encoded())
  }
}

/// Deletes what lies before the horizon.
package enum Cutting {
  /// Makes the cut: first the horizon is durable, then files go, the oldest first. A crash in between leaves files that
  /// nobody shows; the same call deletes them.
  ///
  /// - Returns: the files that were deleted.
  @discardableResult
  package static func cut(
    _ storage: any Storage, _ identity: LogIdentity, to horizon: Horizon
  ) throws(LogError) -> [String] {
    let known = try Horizon.read(storage, identity)
    if known?.revision ?? 0 < horizon.revision { try horizon.write(storage, identity) }
    let doomed = try leftovers(storage, identity)
    try reading { () throws(StorageError) in
      for path in doomed { try storage.remove(path) }
      guard !doomed.isEmpty else { return }
      try storage.syncDirectory(Layout.log)
      try storage.syncDirectory(Layout.snapshots)
    }
    return doomed
  }

  /// Files that lie before the horizon: segments that end before it, and snapshots that the one at the horizon does not
  /// rest on.
  package static func leftovers(_ storage: any Storage, _ identity: LogIdentity) throws(LogError) -> [String] {
    guard let horizon = try Horizon.read(storage, identity) else { return [] }
    let names = try reading { () throws(StorageError) in try SegmentName.all(in: storage.list(Layout.log)) }
    let snapshots = SnapshotStore(storage, identity)
    let oldest = try snapshots.base(ofSnapshotAt: horizon.revision) ?? horizon.revision
    return names.filter { $0.first < horizon.firstRevision }.map(\.path)
      + (try snapshots.list()).filter { $0.revision < oldest }.map(\.path)
  }
}
