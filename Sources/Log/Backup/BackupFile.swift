package import MusterBytes

/// One file of a journal, as its backup has it: a packed segment or a snapshot.
package struct BackupFile: FieldMessage, Hashable {
  /// `log/….sealed`, `snapshots/….base` or `.delta`.
  package var name = ""
  /// How long it is; 0 while a segment that is written to is not packed yet.
  package var bytes: UInt64 = 0
  /// The revisions of a segment; of a snapshot both are its own.
  package var firstRevision: UInt64 = 0
  package var lastRevision: UInt64 = 0
  /// The chain value after its last block; of a snapshot the one that it says, if it does.
  package var chain: [UInt8] = []

  package init() {}

  package mutating func visit<V: FieldVisitor & ~Copyable>(_ fields: inout V) throws(WireError) {
    try fields.string(1, &name, max: BackupFile.nameBytesMax)
    try fields.uint64(2, &bytes)
    try fields.uint64(3, &firstRevision)
    try fields.uint64(4, &lastRevision)
    try fields.bytes(5, &chain, max: SHA256Value.byteCount)
  }

  private static let nameBytesMax = 64

  /// The segment that it is, if it is one.
  package var segment: SegmentName? {
    name == Layout.sealed(firstRevision) ? SegmentName(first: firstRevision, isSealed: true) : nil
  }

  package var snapshot: SnapshotName? {
    for isBase in [true, false] where name == Layout.snapshot(firstRevision, isBase: isBase) {
      return SnapshotName(revision: firstRevision, isBase: isBase)
    }
    return nil
  }

  /// Whatever a stranger sent is one of our files in its place, or it is not written.
  package var isSound: Bool {
    guard firstRevision > 0, firstRevision <= lastRevision else { return false }
    if segment != nil { return chain.count == SHA256Value.byteCount }
    return snapshot != nil && firstRevision == lastRevision && [0, SHA256Value.byteCount].contains(chain.count)
  }

  /// True when both speak of the same commits, however they are packed.
  package func holdsTheSame(as other: BackupFile) -> Bool {
    name == other.name && lastRevision == other.lastRevision && chain == other.chain
  }
}

/// What there is to be backed up, up to a revision: everything that is durable then.
package struct BackupListing: Sendable {
  package var manifest: BackupManifest
  /// The segments in the order of their revisions, then the snapshots, parents before their deltas.
  package var files: [BackupFile] = []

  package init(_ manifest: BackupManifest) { self.manifest = manifest }

  package var identity: LogIdentity { manifest.identity }
  package var lastRevision: UInt64 { manifest.lastRevision }
}

/// Asks what there is to be backed up.
package struct BackupRequest: FieldMessage, Hashable {
  package init() {}
  package mutating func visit<V: FieldVisitor & ~Copyable>(_ fields: inout V) throws(WireError) {}
}

/// Asks for the bytes of a file.
package struct BackupRead: FieldMessage, Hashable {
  package var file = BackupFile()

  package init() {}
  package init(_ file: BackupFile) { self.file = file }

  package mutating func visit<V: FieldVisitor & ~Copyable>(_ fields: inout V) throws(WireError) {
    try fields.message(1, &file)
  }
}
