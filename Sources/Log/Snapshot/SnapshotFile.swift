internal import MusterBytes

/// One snapshot file that is read.
struct SnapshotFile {
  private let storage: any Storage
  private let identity: LogIdentity
  private let name: SnapshotName
  private let manifestOffset: Int
  let manifest: SnapshotManifest

  init(_ storage: any Storage, _ identity: LogIdentity, _ name: SnapshotName) throws(LogError) {
    self.storage = storage
    self.identity = identity
    self.name = name
    let path = name.path
    let size = try reading { () throws(StorageError) in try storage.size(path) } ?? 0
    let start = max(0, size - SealedIndex.trailerBytes)
    let trailer = try reading { () throws(StorageError) in
      try storage.read(path, at: start, count: SealedIndex.trailerBytes)
    }
    guard let offset = SealedIndex.offset(inTrailer: trailer), offset < size else {
      throw .corrupt(Fault(file: path, offset: start, revision: name.revision, problem: "the trailer cannot be read"))
    }
    manifestOffset = offset
    var content = ByteWriter()
    _ = try SnapshotFile.readFrame(storage, identity, name, offset, .manifest, into: &content)
    guard let decoded = try? SnapshotManifest(bytes: content.bytes, refusingUnknownFields: true),
      decoded.revision == name.revision, decoded.isBase == name.isBase
    else {
      throw .corrupt(Fault(file: path, offset: offset, revision: name.revision, problem: "the manifest makes no sense"))
    }
    manifest = decoded
  }

  /// Calls `body` with every page, in ascending order.
  func forEachPage(_ body: (PageAddress, UnsafeRawBufferPointer) throws -> Void) throws {
    var offset = 0
    var seen: UInt64 = 0
    var content = ByteWriter(capacity: 1 << 17)
    while offset < manifestOffset {
      content.removeAll()
      let header = try SnapshotFile.readFrame(storage, identity, name, offset, .pages, into: &content)
      seen += UInt64(header.parts)
      guard try walk(content.bytes, header.parts, body) else {
        throw fault(offset, "a unit of pages makes no sense")
      }
      offset += FrameHeader.byteCount + Int(header.storedBytes)
    }
    guard offset == manifestOffset, seen == manifest.pageCount else { throw fault(offset, "pages are missing") }
  }

  private func walk(
    _ bytes: UnsafeRawBufferPointer, _ count: UInt32, _ body: (PageAddress, UnsafeRawBufferPointer) throws -> Void
  ) throws -> Bool {
    var reader = ByteReader(bytes)
    for _ in 0..<count {
      guard let table = try? reader.varint(), let page = try? reader.varint(), let content = try? reader.delimited(),
        let narrowTable = UInt32(exactly: table), let narrowPage = UInt32(exactly: page)
      else { return false }
      try body(PageAddress(table: narrowTable, page: narrowPage), content)
    }
    return reader.isAtEnd
  }

  private func fault(_ offset: Int, _ problem: String) -> LogError {
    .corrupt(Fault(file: name.path, offset: offset, revision: name.revision, problem: problem))
  }

  private static func readFrame(
    _ storage: any Storage, _ identity: LogIdentity, _ name: SnapshotName, _ offset: Int, _ kind: FrameKind,
    into writer: inout ByteWriter
  ) throws(LogError) -> FrameHeader {
    func fault(_ problem: String) -> LogError {
      .corrupt(Fault(file: name.path, offset: offset, revision: name.revision, problem: problem))
    }
    let head = try reading { () throws(StorageError) in
      try storage.read(name.path, at: offset, count: FrameHeader.byteCount)
    }
    switch head.withUnsafeBytes({ FrameHeader.parse($0) }) {
    case .newer(let version, let flags): throw .newer(file: name.path, version: version, flags: flags)
    case .blank, .broken: throw fault("a frame header cannot be read")
    case .valid(let header):
      guard identity.owns(header) else { throw .foreign(file: name.path) }
      guard header.kind == kind, header.anchor == name.revision else { throw fault("a frame belongs elsewhere") }
      let stored = try reading { () throws(StorageError) in
        try storage.read(name.path, at: offset + FrameHeader.byteCount, count: Int(header.storedBytes))
      }
      let isWhole = stored.withUnsafeBytes { Frame.expand(header, $0, into: &writer) }
      guard isWhole else { throw fault("the checksum of a frame does not hold") }
      return header
    }
  }
}
