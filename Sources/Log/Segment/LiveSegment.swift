package import MusterBytes

/// Where the blocks of a live segment are, and how it ends.
package struct LiveScan: Sendable {
  package struct Entry: Sendable {
    package var offset: Int
    package var header: FrameHeader
  }

  package var first: UInt64
  package var chainBefore: SHA256Value
  package var blocks: [Entry] = []
  /// The highest revision that a frame here says is durable.
  package var durableThrough: UInt64 = 0
  /// Where the next frame would begin.
  package var end = 0
  /// Where the last frame begins, when that is a confirmation: it says what is durable, and not that it is so itself.
  package var lastConfirmation: Int?
  package var fileBytes = 0
  /// How long the file was made.
  package var declaredBytes = 0
  /// The last frame says that the server stopped cleanly behind it.
  package var isFinal = false
  package var run: UInt64 = 0
  /// What was begun behind `end` and never acknowledged, in bytes; 0 for nothing.
  package var tornBytes = 0

  package var lastRevision: UInt64 { (blocks.last?.header).map { $0.lastRevision } ?? first - 1 }
}

extension FrameHeader {
  package var lastRevision: UInt64 { firstRevision &+ UInt64(commitCount) &- 1 }
}

/// Reads live segments: frames on 4 KiB boundaries in a file of zeros.
package struct LiveSegmentReader {
  let identity: LogIdentity
  let path: String
  let bytes: [UInt8]

  package init(identity: LogIdentity, path: String, bytes: [UInt8]) {
    self.identity = identity
    self.path = path
    self.bytes = bytes
  }

  /// Finds every frame.
  ///
  /// - Parameters:
  ///   - first: the first revision, from the file's name.
  ///   - confirmed: the highest revision known to be durable from elsewhere: snapshots, a later segment.
  ///   - isGrowing: a writer may be at it. What it is just writing can look like anything, so behind what is
  ///     confirmed the log simply ends where it stops making sense.
  package func scan(first: UInt64, confirmed: UInt64, isGrowing: Bool = false) throws(LogError) -> LiveScan {
    var scan = try open(first)
    var expected = first
    while true {
      let (sight, header) = look(at: scan, expected: expected)
      if sight == .whole, let header {
        accept(header, &scan, &expected)
        continue
      }
      if case .newer(let version, let flags) = parse(scan.end) {
        throw .newer(file: path, version: version, flags: flags)
      }
      if sight == .cutShort && scan.isFinal && confirmed < expected { return scan }
      if isGrowing && max(confirmed, scan.durableThrough) < expected { return scan }
      let follower = firstFrame(behind: scan.end, firstOf: first)
      let isConfirmed = max(confirmed, scan.durableThrough, follower?.durableThrough ?? 0) >= expected
      if Mutant.isOn(.lostWriteIsEnd), sight == .blank || sight == .headMissing { return scan }
      if Mutant.isOn(.rotIsTorn), sight == .bodyRotten {
        scan.tornBytes = usedBytes(behind: scan.end)
        return scan
      }
      switch TailVerdict.of(sight, isConfirmed: isConfirmed, isFollowed: follower != nil) {
      case .goOn, .end: return scan
      case .torn:
        scan.tornBytes = usedBytes(behind: scan.end)
        return scan
      case .corrupt:
        throw .corrupt(Fault(file: path, offset: scan.end, revision: expected, problem: describe(sight)))
      }
    }
  }

  /// Goes on behind what was found before, as far as whole frames follow.
  ///
  /// - Parameter start: where in the file the bytes of this reader begin, which is where the next frame would.
  func scanOn(_ scan: inout LiveScan, from start: Int) {
    precondition(scan.end == start, "a scan goes on where it ended")
    // As if these bytes were a file of their own.
    var part = scan
    (part.blocks, part.end) = ([], 0)
    var expected = scan.lastRevision + 1
    while case (.whole, let header?) = look(at: part, expected: expected) { accept(header, &part, &expected) }
    guard part.end > 0 else { return }
    let found = part.blocks.map { LiveScan.Entry(offset: $0.offset + start, header: $0.header) }
    part.blocks = scan.blocks
    scan.blocks = []
    part.blocks += found
    part.end += start
    part.lastConfirmation = part.lastConfirmation.map { $0 + start }
    scan = part
  }

  private func accept(_ header: FrameHeader, _ scan: inout LiveScan, _ expected: inout UInt64) {
    if header.kind == .block {
      scan.blocks.append(LiveScan.Entry(offset: scan.end, header: header))
      expected = header.lastRevision + 1
    }
    scan.lastConfirmation = header.kind == .confirmation ? scan.end : nil
    scan.durableThrough = max(scan.durableThrough, header.durableThrough)
    scan.isFinal = header.isFinal
    scan.run = max(scan.run, header.run)
    scan.end += Frame.aligned(FrameHeader.byteCount + Int(header.storedBytes))
  }

  /// The segment's own frame: whose it is, and the chain value that its first block must follow.
  func open(_ first: UInt64) throws(LogError) -> LiveScan {
    switch parse(0) {
    case .newer(let version, let flags): throw .newer(file: path, version: version, flags: flags)
    case .blank, .broken: throw fault(0, first, "the segment's first frame cannot be read")
    case .valid(let header):
      guard identity.owns(header) else { throw .foreign(file: path) }
      var content = ByteWriter(capacity: 64)
      guard header.kind == .segment, header.firstRevision == first, expand(0, header, into: &content),
        content.count == SHA256Value.byteCount, isPaddingZero(0, header)
      else { throw fault(0, first, "the segment's first frame does not fit its name") }
      guard Int(header.parts) * Frame.alignment <= Frame.segmentBytesMax else {
        throw fault(0, first, "the segment's first frame says that it is longer than a segment can be")
      }
      var scan = LiveScan(first: first, chainBefore: SHA256Value(content.bytes))
      scan.declaredBytes = Int(header.parts) * Frame.alignment
      scan.durableThrough = header.durableThrough
      scan.run = header.run
      scan.end = Frame.alignment
      scan.fileBytes = bytes.count
      return scan
    }
  }

  private func look(at scan: LiveScan, expected: UInt64) -> (FrameSight, FrameHeader?) {
    let offset = scan.end
    guard offset < bytes.count else { return (bytes.count < scan.declaredBytes ? .cutShort : .blank, nil) }
    guard bytes.count - offset >= Frame.alignment else { return (.cutShort, nil) }
    switch parse(offset) {
    case .blank:
      guard usedBytes(behind: offset) > 0 else { return (bytes.count < scan.declaredBytes ? .cutShort : .blank, nil) }
      return (isZero(offset, offset + Frame.sectorBytes) ? .headMissing : .headRotten, nil)
    case .newer, .broken: return (.headRotten, nil)
    case .valid(let header): return (look(at: offset, header, expected, scan.first), header)
    }
  }

  private func look(at offset: Int, _ header: FrameHeader, _ expected: UInt64, _ first: UInt64) -> FrameSight {
    let length = FrameHeader.byteCount + Int(header.storedBytes)
    guard offset + Frame.aligned(length) <= bytes.count else { return .cutShort }
    guard identity.owns(header), header.anchor == first, follows(header, expected) else { return .stray }
    let isWhole = checksum(offset + FrameHeader.byteCount, offset + length) == header.storedChecksum
    guard isWhole || Mutant.isOn(.tornIsWhole) else {
      return hasBlankSector(offset, length) ? .bodyMissing : .bodyRotten
    }
    guard isPaddingZero(offset, header) else { return .bodyRotten }
    return .whole
  }

  private func follows(_ header: FrameHeader, _ expected: UInt64) -> Bool {
    switch header.kind {
    case .block: header.firstRevision == expected && header.commitCount > 0 && header.durableThrough < expected
    case .confirmation: header.firstRevision == expected && header.durableThrough < expected
    default: false
    }
  }

  /// The first whole frame of this segment behind the one at `offset`, which cannot be read.
  private func firstFrame(behind offset: Int, firstOf segment: UInt64) -> FrameHeader? {
    var at = offset + Frame.alignment
    // What lies within the length of a header that holds is content, whatever it looks like.
    if case .valid(let header) = parse(offset) {
      at = offset + Frame.aligned(FrameHeader.byteCount + Int(header.storedBytes))
    }
    while at + FrameHeader.byteCount <= bytes.count {
      if case .valid(let header) = parse(at), identity.owns(header), header.anchor == segment,
        at + FrameHeader.byteCount + Int(header.storedBytes) <= bytes.count,
        checksum(at + FrameHeader.byteCount, at + FrameHeader.byteCount + Int(header.storedBytes))
          == header.storedChecksum
      {
        return header
      }
      at += Frame.alignment
    }
    return nil
  }

  private func describe(_ sight: FrameSight) -> String {
    switch sight {
    case .blank, .headMissing: "a frame that was durable is not there"
    case .bodyMissing: "parts of a frame that was durable are not there"
    case .bodyRotten: "the checksum of a frame does not hold, and none of its sectors is missing"
    case .headRotten: "a frame header was written and cannot be read"
    case .stray: "a frame stands here that does not follow the one before"
    case .cutShort: "the file is shorter than it was made"
    case .whole: "a whole frame"
    }
  }
}

// MARK: - Bytes

extension LiveSegmentReader {
  package func parse(_ offset: Int) -> FrameHeaderResult {
    bytes.withUnsafeBytes { FrameHeader.parse(UnsafeRawBufferPointer(rebasing: $0[min(offset, bytes.count)...])) }
  }

  /// Expands the content of a frame behind what `writer` holds.
  package func expand(_ offset: Int, _ header: FrameHeader, into writer: inout ByteWriter) -> Bool {
    let start = offset + FrameHeader.byteCount
    guard start + Int(header.storedBytes) <= bytes.count else { return false }
    return bytes.withUnsafeBytes {
      Frame.expand(
        header, UnsafeRawBufferPointer(rebasing: $0[start..<(start + Int(header.storedBytes))]), into: &writer)
    }
  }

  private func checksum(_ from: Int, _ to: Int) -> UInt32 {
    bytes.withUnsafeBytes { CRC32C.checksum(UnsafeRawBufferPointer(rebasing: $0[from..<to])) }
  }

  private func isZero(_ from: Int, _ to: Int) -> Bool {
    bytes.withUnsafeBytes { raw in
      var place = min(from, raw.count)
      let end = min(to, raw.count)
      // Eight at a time, as in `usedBytes`.
      while end - place >= 8, raw.loadUnaligned(fromByteOffset: place, as: UInt64.self) == 0 { place += 8 }
      while place < end, raw[place] == 0 { place += 1 }
      return place >= end
    }
  }

  private func isPaddingZero(_ offset: Int, _ header: FrameHeader) -> Bool {
    let end = offset + FrameHeader.byteCount + Int(header.storedBytes)
    return isZero(end, offset + Frame.aligned(end - offset))
  }

  private func hasBlankSector(_ offset: Int, _ length: Int) -> Bool {
    stride(from: offset, to: offset + length, by: Frame.sectorBytes).contains {
      isZero($0, min($0 + Frame.sectorBytes, offset + length))
    }
  }

  /// How many bytes from `offset` to the last one that is not zero.
  private func usedBytes(behind offset: Int) -> Int {
    bytes.withUnsafeBytes { raw in
      var end = raw.count
      // Segments are mostly zeros: eight at a time.
      while end - offset >= 8, raw.loadUnaligned(fromByteOffset: end - 8, as: UInt64.self) == 0 { end -= 8 }
      while end > offset, raw[end - 1] == 0 { end -= 1 }
      return max(0, end - offset)
    }
  }

  /// True when something was written behind the last frame that cannot be read, and is no write that was cut short.
  func isBroken(behind end: Int) -> Bool {
    guard usedBytes(behind: end) > 0 else { return false }
    switch parse(end) {
    case .blank: return !isZero(end, end + Frame.sectorBytes)
    case .valid(let header): return !hasBlankSector(end, FrameHeader.byteCount + Int(header.storedBytes))
    case .newer, .broken: return true
    }
  }

  private func fault(_ offset: Int, _ revision: UInt64, _ problem: String) -> LogError {
    .corrupt(Fault(file: path, offset: offset, revision: revision, problem: problem))
  }
}
