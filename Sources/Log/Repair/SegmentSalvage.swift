internal import MusterBytes

/// The blocks of a damaged segment that can still be read, whatever lies between them.
struct SegmentSalvage {
  struct Block {
    /// The logical block, or one without its chain value.
    var bytes: [UInt8]
    var lastRevision: UInt64
    /// The chain value that it says it follows.
    var previousChain: SHA256Value?
  }

  /// By first revision.
  private(set) var blocks: [UInt64: Block] = [:]
  /// The highest revision that a frame says is durable.
  private(set) var durableThrough: UInt64 = 0
  /// Behind the last frame that can be read something was written that cannot be.
  private(set) var isEndBroken = false

  init(_ name: SegmentName, _ storage: any Storage, _ identity: LogIdentity) throws(LogError) {
    let bytes = try reading { () throws(StorageError) in
      try storage.read(name.path, at: 0, count: try storage.size(name.path) ?? 0)
    }
    if name.isSealed {
      readPacks(bytes, name, identity)
    } else {
      readFrames(bytes, name, identity)
    }
  }

  /// True when something in the file can be read and is ours.
  static func holdsBlocks(
    of name: SegmentName, _ storage: any Storage, _ identity: LogIdentity
  ) throws(LogError) -> Bool {
    try !SegmentSalvage(name, storage, identity).blocks.isEmpty
  }

  // MARK: Live

  private mutating func readFrames(_ bytes: [UInt8], _ name: SegmentName, _ identity: LogIdentity) {
    let reader = LiveSegmentReader(identity: identity, path: name.path, bytes: bytes)
    var offset = 0
    var end = 0
    while offset < bytes.count {
      guard case .valid(let header) = reader.parse(offset), identity.owns(header), header.anchor == name.first else {
        offset += Frame.alignment
        continue
      }
      var content = ByteWriter(capacity: Int(header.rawBytes))
      guard reader.expand(offset, header, into: &content) else {
        offset += Frame.alignment
        continue
      }
      offset += Frame.aligned(FrameHeader.byteCount + Int(header.storedBytes))
      end = offset
      durableThrough = max(durableThrough, header.durableThrough)
      if header.kind == .block { keep(content.bytes) }
    }
    isEndBroken = reader.isBroken(behind: end)
  }

  // MARK: Packed

  private mutating func readPacks(_ bytes: [UInt8], _ name: SegmentName, _ identity: LogIdentity) {
    bytes.withUnsafeBytes { raw in
      var offset = 0
      while offset + FrameHeader.byteCount <= raw.count {
        let rest = UnsafeRawBufferPointer(rebasing: raw[offset...])
        guard case .valid(let header) = FrameHeader.parse(rest), identity.owns(header), header.anchor == name.first
        else {
          offset += 1
          continue
        }
        durableThrough = max(durableThrough, header.durableThrough)
        var content = ByteWriter(capacity: Int(header.rawBytes))
        let stored = UnsafeRawBufferPointer(rebasing: rest[FrameHeader.byteCount...])
        guard Frame.expand(header, stored, into: &content) else {
          offset += 1
          continue
        }
        offset += FrameHeader.byteCount + Int(header.storedBytes)
        guard header.kind == .pack else { continue }
        var blocks = ByteReader(content.bytes)
        while !blocks.isAtEnd, let block = try? blocks.delimited() { keep(block) }
      }
    }
  }

  private mutating func keep(_ bytes: UnsafeRawBufferPointer) {
    guard let view = try? BlockView(bytes) else { return }
    blocks[view.header.firstRevision] = Block(
      bytes: Array(bytes), lastRevision: view.header.lastRevision, previousChain: view.header.previousChain)
  }
}
