internal import MusterBytes

/// Opens the files of segments and reads their frames.
struct SegmentFiles {
  let storage: any Storage
  let identity: LogIdentity
  private let expander = Expander()

  init(storage: any Storage, identity: LogIdentity) {
    self.storage = storage
    self.identity = identity
  }

  /// - Parameters:
  ///   - confirmed: the highest revision known to be durable from elsewhere.
  ///   - isGrowing: a writer may be at its end.
  ///   - before: what was found in this file earlier.
  func open(
    _ name: SegmentName, confirmed: UInt64, isGrowing: Bool, before: SegmentContent?
  ) throws(LogError) -> SegmentContent {
    // A packed segment never changes.
    if name.isSealed {
      if let before { return before }
      return try openSealed(name)
    }
    if isGrowing || before != nil, let content = try grown(name, confirmed: confirmed, before) { return content }
    return try openLive(name, confirmed: confirmed, isGrowing: isGrowing)
  }

  // MARK: Live

  private func openLive(_ name: SegmentName, confirmed: UInt64, isGrowing: Bool) throws(LogError) -> SegmentContent {
    let bytes = try read(name.path, 0, try size(name.path))
    let reader = LiveSegmentReader(identity: identity, path: name.path, bytes: bytes)
    let scan = try reader.scan(first: name.first, confirmed: confirmed, isGrowing: isGrowing)
    return SegmentContent(
      name: name, fileBytes: scan.fileBytes, units: scan.blocks.map { LogUnit(name, $0) },
      chainBefore: scan.chainBefore, live: scan, bytes: LiveBytes(reader))
  }

  /// Read at a time of a segment that is written to.
  private static let stepBytes = 256 * 1024
  /// Any frame fits.
  private static let stepBytesMax = 2 * 1024 * 1024

  /// A segment that is written to: what was found before stays, and only what was appended since is read.
  ///
  /// - Returns: nil when what is known to be durable was not all found, or something stands behind it that this reader
  ///   does not know: then the whole file is to be looked at.
  private func grown(
    _ name: SegmentName, confirmed: UInt64, _ before: SegmentContent?
  ) throws(LogError) -> SegmentContent? {
    var content = if let before { before } else { try head(name) }
    guard var scan = content.live, var bytes = content.bytes else { return nil }
    (content.live, content.bytes) = (nil, nil)
    let known = scan.blocks.count
    var step = SegmentFiles.stepBytes
    while scan.end < scan.fileBytes {
      let start = scan.end
      let part = try read(name.path, start, min(step, scan.fileBytes - start))
      let reader = LiveSegmentReader(identity: identity, path: name.path, bytes: part)
      reader.scanOn(&scan, from: start)
      if scan.end > start {
        let whole = Array(part[..<(scan.end - start)])
        bytes.append(LiveSegmentReader(identity: identity, path: name.path, bytes: whole), at: start)
        continue
      }
      switch reader.parse(0) {
      case .newer: return nil
      case .valid where step < SegmentFiles.stepBytesMax: step = SegmentFiles.stepBytesMax
      case .valid, .blank, .broken: step = 0
      }
      if step == 0 { break }
    }
    guard max(confirmed, scan.durableThrough) <= scan.lastRevision else { return nil }
    content.units += scan.blocks[known...].map { LogUnit(name, $0) }
    (content.live, content.bytes) = (scan, bytes)
    return content
  }

  /// A live segment of which only the first frame was read.
  private func head(_ name: SegmentName) throws(LogError) -> SegmentContent {
    let first = try read(name.path, 0, Frame.alignment)
    let reader = LiveSegmentReader(identity: identity, path: name.path, bytes: first)
    var scan = try reader.open(name.first)
    scan.fileBytes = try size(name.path)
    return SegmentContent(
      name: name, fileBytes: scan.fileBytes, units: [], chainBefore: scan.chainBefore, live: scan,
      bytes: LiveBytes(reader))
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
    content.keyScheme = index.keyScheme
    content.keyUnits = index.keyUnits
    content.indexOffset = offset
    guard SegmentFiles.ascend(index.keyUnits, before: offset) else {
      throw name.fault(offset, "the index of the segment makes no sense")
    }
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
          commitCount: pack.commitCount, blockCount: pack.blockCount, eventCount: pack.eventCount, time: pack.time))
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

  private static func ascend(_ units: [KeyUnitEntry], before end: Int) -> Bool {
    var last: KeyUnitEntry?
    for unit in units {
      if let last, unit.first <= last.first || unit.offset <= last.offset { return false }
      last = unit
    }
    return last.map { $0.offset < UInt64(end) } ?? true
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
    try frameHeader(name, offset, kind, try read(name.path, offset, FrameHeader.byteCount))
  }

  private func frameHeader(
    _ name: SegmentName, _ offset: Int, _ kind: FrameKind, _ bytes: [UInt8]
  ) throws(LogError) -> FrameHeader {
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
    let isWhole = stored.withUnsafeBytes { Frame.expand(header, $0, into: &writer, using: expander) }
    guard isWhole else { throw name.fault(offset, "the checksum of a frame does not hold", header.firstRevision) }
  }

  /// Reads a pack with its header at once, and expands it behind what `writer` holds.
  func expandPack(_ unit: LogUnit, into writer: inout ByteWriter) throws(LogError) {
    // The index is believed only as far as a frame may go.
    let length = FrameHeader.byteCount + min(unit.storedBytes, Frame.storedBytesMax)
    let bytes = try read(unit.segment.path, unit.offset, length)
    let header = try frameHeader(unit.segment, unit.offset, .pack, bytes)
    guard header.firstRevision == unit.firstRevision, header.commitCount == unit.commitCount,
      header.parts == unit.blockCount, header.time == unit.time, Int(header.storedBytes) == unit.storedBytes
    else {
      throw unit.segment.fault(
        unit.offset, "the frame is not the one that the index speaks of", unit.firstRevision)
    }
    let isWhole = bytes.withUnsafeBytes {
      Frame.expand(
        header, UnsafeRawBufferPointer(rebasing: $0.dropFirst(FrameHeader.byteCount)), into: &writer, using: expander)
    }
    guard isWhole else {
      throw unit.segment.fault(unit.offset, "the checksum of a frame does not hold", unit.firstRevision)
    }
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
