internal import MusterBytes

/// Opens the files of segments and reads their frames.
struct SegmentFiles {
  let storage: any Storage
  let identity: LogIdentity

  /// What is read of a growing segment behind what is known of it, so that not all of its zeros are read.
  private static let growthBytes = 2 << 20

  /// - Parameters:
  ///   - confirmed: the highest revision known to be durable from elsewhere.
  ///   - isGrowing: a writer may be at its end.
  ///   - before: what was found in this file earlier.
  func open(
    _ name: SegmentName, confirmed: UInt64, isGrowing: Bool, before: SegmentContent?
  ) throws(LogError) -> SegmentContent {
    // A packed segment never changes.
    if name.isSealed { return try before ?? openSealed(name) }
    return isGrowing
      ? try openGrowing(name, confirmed: confirmed, before: before) : try openLive(name, confirmed: confirmed)
  }

  // MARK: Live

  private func openLive(_ name: SegmentName, confirmed: UInt64) throws(LogError) -> SegmentContent {
    let bytes = try read(name.path, 0, try size(name.path))
    let reader = LiveSegmentReader(identity: identity, path: name.path, bytes: bytes)
    return SegmentContent(name, reader, try reader.scan(first: name.first, confirmed: confirmed), after: [])
  }

  /// Reads on behind what is known, until the end of what was written is seen.
  private func openGrowing(
    _ name: SegmentName, confirmed: UInt64, before: SegmentContent?
  ) throws(LogError) -> SegmentContent {
    let size = try size(name.path)
    var known = before?.live
    var bytes = known.flatMap { live in before?.reader.map { Array($0.bytes.prefix(live.end)) } } ?? []
    while true {
      bytes += try read(name.path, bytes.count, min(SegmentFiles.growthBytes, size - bytes.count))
      let reader = LiveSegmentReader(identity: identity, path: name.path, bytes: bytes)
      let isWhole = bytes.count >= size
      let scan = try reader.scan(
        first: name.first, confirmed: isWhole ? confirmed : 0, isGrowing: true, from: known)
      // The frame at the end could be cut off by what was read, unless the longest one had room.
      if isWhole || scan.end + Frame.aligned(FrameHeader.byteCount + Frame.storedBytesMax) <= bytes.count {
        guard scan.lastRevision >= confirmed || isWhole else {
          return SegmentContent(
            name, reader, try reader.scan(first: name.first, confirmed: confirmed, isGrowing: true), after: [])
        }
        return SegmentContent(name, reader, scan, after: before?.units ?? [])
      }
      known = nil
    }
  }

  // MARK: Packed

  private func openSealed(_ name: SegmentName) throws(LogError) -> SegmentContent {
    let size = try size(name.path)
    let start = max(0, size - SealedIndex.trailerBytes)
    let trailer = try read(name.path, start, SealedIndex.trailerBytes)
    guard let offset = SealedIndex.offset(inTrailer: trailer), offset < start else {
      throw name.fault(start, "the trailer of the segment cannot be read")
    }
    let index = try readIndex(name, offset)
    var content = SegmentContent(
      name: name, fileBytes: size, units: [], chainBefore: try readChainBefore(name),
      chainAfter: index.chain.withUnsafeBytes { SHA256Value($0) })
    var expected = name.first
    for pack in index.packs {
      guard pack.firstRevision == expected, pack.commitCount > 0, let at = Int(exactly: pack.offset), at < offset else {
        throw name.fault(offset, "the index of the segment has a gap", expected)
      }
      expected = pack.lastRevision + 1
      content.eventCount += pack.eventCount
      content.units.append(
        LogUnit(
          segment: name, offset: at, storedBytes: Int(pack.storedBytes), firstRevision: pack.firstRevision,
          commitCount: pack.commitCount, blockCount: pack.blockCount, time: pack.time))
    }
    return content
  }

  private func readIndex(_ name: SegmentName, _ offset: Int) throws(LogError) -> SealedIndex {
    let header = try frameHeader(name, offset, .index)
    var content = ByteWriter(capacity: Int(header.rawBytes))
    try expand(name, offset, header, into: &content)
    guard let index = try? SealedIndex(bytes: content.bytes, refusingUnknownFields: true),
      index.chain.count == SHA256Value.byteCount
    else { throw name.fault(offset, "the index of the segment makes no sense") }
    return index
  }

  private func readChainBefore(_ name: SegmentName) throws(LogError) -> SHA256Value {
    let header = try frameHeader(name, 0, .segment)
    guard header.firstRevision == name.first else { throw name.fault(0, "the segment does not fit its name") }
    var content = ByteWriter(capacity: 64)
    try expand(name, 0, header, into: &content)
    guard content.count == SHA256Value.byteCount else { throw name.fault(0, "the chain value cannot be read") }
    return SHA256Value(content.bytes)
  }

  // MARK: Frames

  func frameHeader(_ name: SegmentName, _ offset: Int, _ kind: FrameKind) throws(LogError) -> FrameHeader {
    let bytes = try read(name.path, offset, FrameHeader.byteCount)
    switch bytes.withUnsafeBytes({ FrameHeader.parse($0) }) {
    case .newer(let version, let flags): throw .newer(file: name.path, version: version, flags: flags)
    case .blank: throw name.fault(offset, "a frame that was durable is not there")
    case .broken(let problem): throw name.fault(offset, problem)
    case .valid(let header):
      guard identity.owns(header) else { throw .foreign(file: name.path) }
      guard header.kind == kind, header.anchor == name.first else {
        throw name.fault(offset, "a frame stands here that belongs elsewhere")
      }
      return header
    }
  }

  /// Reads and expands a frame's content behind what `writer` holds.
  func expand(
    _ name: SegmentName, _ offset: Int, _ header: FrameHeader, into writer: inout ByteWriter
  ) throws(LogError) {
    let stored = try read(name.path, offset + FrameHeader.byteCount, Int(header.storedBytes))
    let isWhole = stored.withUnsafeBytes { Frame.expand(header, $0, into: &writer) }
    guard isWhole else { throw name.fault(offset, "the checksum of a frame does not hold", header.firstRevision) }
  }

  // MARK: Files

  private func size(_ path: String) throws(LogError) -> Int {
    let size = try reading { () throws(StorageError) in try storage.size(path) }
    guard let size else { throw .corrupt(Fault(file: path, offset: 0, problem: "the file is missing")) }
    return size
  }

  private func read(_ path: String, _ offset: Int, _ count: Int) throws(LogError) -> [UInt8] {
    try reading { () throws(StorageError) in try storage.read(path, at: offset, count: count) }
  }
}
