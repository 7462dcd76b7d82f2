internal import MusterBytes

/// One snapshot file that is read.
struct SnapshotFile {
  let storage: any Storage
  let identity: LogIdentity
  let name: SnapshotName
  /// Where the pages end and the manifest begins.
  let manifestOffset: Int
  let manifest: SnapshotManifest
  private let expander: Expander

  init(
    _ storage: any Storage, _ identity: LogIdentity, _ name: SnapshotName, _ expander: Expander
  ) throws(LogError) {
    self.expander = expander
    self.storage = storage
    self.identity = identity
    self.name = name
    let path = name.path
    guard let size = try reading({ () throws(StorageError) in try storage.size(path) }) else {
      throw .vanished(file: path)
    }
    let start = max(0, size - SealedIndex.trailerBytes)
    let trailer = try SnapshotFile.read(storage, name, start, SealedIndex.trailerBytes)
    guard let offset = SealedIndex.offset(inTrailer: trailer), offset < start else {
      throw name.fault(start, "the trailer cannot be read")
    }
    manifestOffset = offset
    var content = ByteWriter()
    let header = try SnapshotFile.readFrame(storage, identity, name, offset, .manifest, into: &content, expander)
    guard let decoded = try? SnapshotManifest(bytes: content.bytes, refusingUnknownFields: true),
      decoded.revision == name.revision, decoded.isBase == name.isBase,
      offset + FrameHeader.byteCount + Int(header.storedBytes) == start
    else { throw name.fault(offset, "the manifest makes no sense") }
    manifest = decoded
  }

  /// Reads and expands a frame, and checks all that can be checked of it alone.
  func readFrame(_ offset: Int, _ kind: FrameKind, into writer: inout ByteWriter) throws(LogError) -> FrameHeader {
    try SnapshotFile.readFrame(storage, identity, name, offset, kind, into: &writer, expander)
  }

  private static func readFrame(
    _ storage: any Storage, _ identity: LogIdentity, _ name: SnapshotName, _ offset: Int, _ kind: FrameKind,
    into writer: inout ByteWriter, _ expander: Expander
  ) throws(LogError) -> FrameHeader {
    let head = try read(storage, name, offset, FrameHeader.byteCount)
    switch head.withUnsafeBytes({ FrameHeader.parse($0) }) {
    case .newer(let version, let flags): throw .newer(file: name.path, version: version, flags: flags)
    case .blank, .broken: throw name.fault(offset, "a frame header cannot be read")
    case .valid(let header):
      guard identity.owns(header) else { throw .foreign(file: name.path) }
      guard header.kind == kind, header.anchor == name.revision else {
        throw name.fault(offset, "a frame stands here that belongs elsewhere")
      }
      let stored = try read(storage, name, offset + FrameHeader.byteCount, Int(header.storedBytes))
      let isWhole = stored.withUnsafeBytes { Frame.expand(header, $0, into: &writer, using: expander) }
      guard isWhole else { throw name.fault(offset, "the checksum of a frame does not hold") }
      return header
    }
  }

  /// Checks the checksum of every frame, and that there are as many pages as the manifest says.
  func verifyFrames() throws(LogError) {
    let size = try reading { () throws(StorageError) in try storage.size(name.path) } ?? 0
    let pages = try FrameWalk(storage: storage, identity: identity, path: name.path, anchor: name.revision)
      .run(through: size - SealedIndex.trailerBytes)
    guard pages == manifest.pageCount else { throw name.fault(manifestOffset, "pages are missing") }
  }

  private static let noSuchFile: Int32 = 2

  private static func read(
    _ storage: any Storage, _ name: SnapshotName, _ offset: Int, _ count: Int
  ) throws(LogError) -> [UInt8] {
    do throws(StorageError) {
      return try storage.read(name.path, at: offset, count: count)
    } catch {
      throw error.code == noSuchFile ? .vanished(file: name.path) : .storage(error)
    }
  }
}

extension SnapshotName {
  func fault(_ offset: Int, _ problem: String) -> LogError {
    .corrupt(Fault(file: path, offset: offset, revision: revision, problem: problem))
  }
}
