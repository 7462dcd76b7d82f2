internal import MusterBytes

/// Walks through a file whose frames lie one behind the other, and checks every header and checksum. Nothing is expanded.
struct FrameWalk {
  /// What is read at once, unless a frame is longer.
  private static let pieceBytes = 1 << 18

  let storage: any Storage
  let identity: LogIdentity
  let path: String
  /// The first revision of the segment, or the revision of the snapshot, that every frame says it belongs to.
  let anchor: UInt64

  /// - Parameter end: where the last frame must end.
  /// - Returns: how many pages the frames of pages say they hold.
  @discardableResult
  func run(through end: Int) throws(LogError) -> UInt64 {
    var offset = 0
    var pages: UInt64 = 0
    while offset < end {
      var piece = try read(offset, min(FrameWalk.pieceBytes, end - offset))
      var at = 0
      while at < piece.count {
        let header = try header(piece, at, offset + at)
        let next = at + FrameHeader.byteCount + Int(header.storedBytes)
        guard offset + next <= end else { throw fault(offset + at, "a frame goes beyond the end of the file") }
        if next > piece.count {
          // The rest of it is in the next piece, which begins with it.
          if at > 0 { break }
          piece = try read(offset, next)
        }
        guard isWhole(header, piece, at) else {
          throw fault(offset + at, "the checksum of a frame does not hold", header.firstRevision)
        }
        if header.kind == .pages { pages += UInt64(header.parts) }
        at = next
        if piece.count - at < FrameHeader.byteCount, offset + at < end { break }
      }
      offset += at
    }
    return pages
  }

  private func header(_ piece: [UInt8], _ at: Int, _ offset: Int) throws(LogError) -> FrameHeader {
    guard piece.count - at >= FrameHeader.byteCount else { throw fault(offset, "a frame header is cut short") }
    let result = piece.withUnsafeBytes { FrameHeader.parse(UnsafeRawBufferPointer(rebasing: $0[at...])) }
    switch result {
    case .newer(let version, let flags): throw .newer(file: path, version: version, flags: flags)
    case .blank: throw fault(offset, "a frame that was durable is not there")
    case .broken(let problem): throw fault(offset, problem)
    case .valid(let header):
      guard identity.owns(header) else { throw .foreign(file: path) }
      guard header.anchor == anchor else { throw fault(offset, "a frame stands here that belongs elsewhere") }
      return header
    }
  }

  private func isWhole(_ header: FrameHeader, _ piece: [UInt8], _ at: Int) -> Bool {
    piece.withUnsafeBytes {
      let start = at + FrameHeader.byteCount
      guard start <= $0.count else { return false }
      return Frame.isWhole(header, UnsafeRawBufferPointer(rebasing: $0[start...]))
    }
  }

  private func read(_ offset: Int, _ count: Int) throws(LogError) -> [UInt8] {
    let bytes = try reading { () throws(StorageError) in try storage.read(path, at: offset, count: count) }
    guard bytes.count == count else { throw fault(offset + bytes.count, "the file is shorter than it was") }
    return bytes
  }

  private func fault(_ offset: Int, _ problem: String, _ revision: UInt64? = nil) -> LogError {
    .corrupt(Fault(file: path, offset: offset, revision: revision ?? anchor, problem: problem))
  }
}
