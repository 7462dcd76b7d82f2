public import MusterLog

/// What a snapshot is of. The pages are the caller's own: what they hold and how many there are is his matter.
public struct SnapshotDescription: Equatable, Sendable {
  /// The last revision of a block.
  public var revision: UInt64
  /// Log time of that revision, in microseconds since 1970.
  public var time: UInt64
  /// The snapshot whose pages this one changes; 0 for a base, which has all of them.
  public var parent: UInt64
  /// Of the state, as the block that ends with the revision has it.
  public var digest: StateDigest
  /// What the caller wants to find again; at most 64 KiB.
  public var metadata: [UInt8]

  public init(
    revision: UInt64, time: UInt64, parent: UInt64 = 0, digest: StateDigest = StateDigest(), metadata: [UInt8] = []
  ) {
    self.revision = revision
    self.time = time
    self.parent = parent
    self.digest = digest
    self.metadata = metadata
  }
}

extension SnapshotDescription {
  init(_ manifest: SnapshotManifest) {
    self.init(
      revision: manifest.revision, time: manifest.time, parent: manifest.parent,
      digest: StateDigest(low: manifest.digestLow, high: manifest.digestHigh), metadata: manifest.metadata)
  }

  var manifest: SnapshotManifest {
    precondition(metadata.count <= SnapshotManifest.metadataBytesMax, "a snapshot's metadata has at most 64 KiB")
    var manifest = SnapshotManifest()
    manifest.revision = revision
    manifest.time = time
    manifest.parent = parent
    manifest.digestLow = digest.low
    manifest.digestHigh = digest.high
    manifest.metadata = metadata
    return manifest
  }
}

extension Journal {
  /// Writes a snapshot: `pages` is handed a function that takes each page, in ascending order. May run on any thread,
  /// also while blocks are appended.
  ///
  /// - Returns: the bytes written.
  @discardableResult
  package func writeSnapshot(
    _ manifest: SnapshotManifest,
    _ pages: ((PageAddress, UnsafeRawBufferPointer) throws -> Void) throws -> Void
  ) throws -> Int {
    let writer = try SnapshotWriter(storage, identity, manifest)
    try pages { try writer.add($0, $1) }
    return try writer.finish()
  }

  /// Writes a snapshot: `pages` is handed a function that takes each page, in ascending order: table, number, bytes.
  /// A page has at most 1 MiB. May run on any thread, also while blocks are appended.
  ///
  /// - Returns: the bytes written.
  @discardableResult
  public func writeSnapshot(
    _ snapshot: SnapshotDescription, _ pages: ((UInt32, UInt32, [UInt8]) throws -> Void) throws -> Void
  ) throws -> Int {
    let writer = try SnapshotWriter(storage, identity, snapshot.manifest)
    try pages { table, page, bytes in
      try bytes.withUnsafeBytes { try writer.add(PageAddress(table: table, page: page), $0) }
    }
    return try writer.finish()
  }

  /// Drops the snapshots that grew old, each before what it changes, and each durably before the next.
  package func thinSnapshots() throws {
    let store = snapshots
    for name in SnapshotThinning.plan(try store.list(), try reader()) { try store.remove(name) }
  }

  /// How many events came after the newest snapshot.
  package func eventsSinceSnapshot() throws -> UInt64 {
    let newest = try snapshots.list().last?.revision ?? 0
    var events: UInt64 = 0
    try reader().forEachBlock(from: newest + 1, through: lastRevision) { block in
      events += UInt64(block.header.eventCount)
      return true
    }
    return events
  }

  /// Bytes of the log and of the snapshots, as the files' lengths say; 0 for what cannot be read.
  package func sizes() -> (log: UInt64, snapshots: UInt64) {
    (size(of: Layout.log), size(of: Layout.snapshots))
  }

  private func size(of directory: String) -> UInt64 {
    let names = (try? storage.list(directory)) ?? []
    return names.reduce(0) { sum, name in
      sum + UInt64(((try? storage.size(directory + "/" + name)) ?? nil) ?? 0)
    }
  }
}
