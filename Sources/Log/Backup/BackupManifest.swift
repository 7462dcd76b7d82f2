package import MusterBytes

/// Whose journal a backup is of and how far it reaches: written last in every run, so that everything up to there is
/// in it.
package struct BackupManifest: FieldMessage, Hashable {
  package var clusterID = ""
  package var timeline: UInt64 = 0
  /// 0 while the first run is under way.
  package var lastRevision: UInt64 = 0
  /// The chain value of the last block: 32 bytes.
  package var chain: [UInt8] = []
  /// Log time of the last commit.
  package var time: UInt64 = 0
  package var ancestors: [Ancestor] = []
  /// Where the journal's history begins; nil while it has all of it. A backup may reach further back.
  package var horizon: Horizon?

  package init() {}

  /// Of a backup that nothing is in yet.
  package init(beginning identity: LogIdentity) {
    clusterID = identity.clusterID
    timeline = identity.timeline
    ancestors = identity.ancestors
  }

  package mutating func visit<V: FieldVisitor & ~Copyable>(_ fields: inout V) throws(WireError) {
    try fields.string(1, &clusterID, max: 32)
    try fields.uint64(2, &timeline)
    try fields.uint64(3, &lastRevision)
    try fields.bytes(4, &chain, max: SHA256Value.byteCount)
    try fields.uint64(5, &time)
    try fields.messages(6, &ancestors, count: Ancestry.ancestorsMax)
    try fields.message(7, &horizon)
  }

  package var identity: LogIdentity {
    var identity = LogIdentity(clusterID: clusterID, timeline: timeline)
    identity.ancestors = ancestors
    return identity
  }

  /// True when it says all that it must.
  package var isSound: Bool {
    identity.isValid && horizon?.isSound != false && Ancestry(ancestors).isSound
      && (lastRevision == 0 || chain.count == SHA256Value.byteCount)
  }
}

extension BackupManifest {
  /// What the backup in a directory says of itself; nil when it is none.
  package static func read(_ storage: any Storage) throws(LogError) -> BackupManifest? {
    guard let content = try SmallFile.read(storage, Layout.backup, .backup) else { return nil }
    guard let manifest = try? BackupManifest(bytes: content.bytes, refusingUnknownFields: true),
      manifest.isSound, manifest.identity.owns(content.header)
    else { throw .corrupt(Fault(file: Layout.backup, offset: 0, problem: "the manifest of the backup makes no sense")) }
    return manifest
  }

  func write(_ storage: any Storage) throws(LogError) {
    try SmallFile.write(storage, Layout.backup, identity.frame(.backup), encoded())
  }
}

/// A file of one frame that is replaced as a whole.
enum SmallFile {
  /// - Returns: nil when there is no such file.
  static func read(
    _ storage: any Storage, _ path: String, _ kind: FrameKind
  ) throws(LogError) -> (header: FrameHeader, bytes: [UInt8])? {
    let size = try reading { () throws(StorageError) in try storage.size(path) }
    guard let size else { return nil }
    let bytes = try reading { () throws(StorageError) in
      try storage.read(path, at: 0, count: min(size, Frame.rawBytesMax))
    }
    switch bytes.withUnsafeBytes({ FrameHeader.parse($0) }) {
    case .newer(let version, let flags): throw .newer(file: path, version: version, flags: flags)
    case .blank: throw fault(path, "the file is blank")
    case .broken(let problem): throw fault(path, problem)
    case .valid(let header):
      var content = ByteWriter(capacity: Int(header.rawBytes))
      let isWhole = bytes.withUnsafeBytes {
        Frame.expand(header, UnsafeRawBufferPointer(rebasing: $0[FrameHeader.byteCount...]), into: &content)
      }
      guard isWhole, header.kind == kind, size == FrameHeader.byteCount + Int(header.storedBytes) else {
        throw fault(path, "the checksum of the frame does not hold, or it does not fill the file")
      }
      return (header, content.array())
    }
  }

  static func write(
    _ storage: any Storage, _ path: String, _ header: FrameHeader, _ content: [UInt8]
  ) throws(LogError) {
    var writer = ByteWriter(capacity: 512)
    content.withUnsafeBytes { _ = Frame.append($0, header, codec: .none, to: &writer) }
    try reading { () throws(StorageError) in try storage.replace(path, in: Layout.root, with: writer.array()) }
  }

  private static func fault(_ path: String, _ problem: String) -> LogError {
    .corrupt(Fault(file: path, offset: 0, problem: problem))
  }
}
