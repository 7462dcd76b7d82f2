internal import MusterBytes

/// Packs a full segment: many blocks to one compressed frame, an index behind them. The logical blocks stay what they
/// are; their chain values are left out, since they follow from the blocks.
///
/// A class, because the buffers it holds cannot be copied.
package final class SegmentPacker {
  /// Raw bytes gathered before they are compressed together.
  package static let packBytes = 64 * 1024
  /// As quick as level 3 on packs, which become 3.4 to 5.3 % smaller; level 6 would take twice as long for 3 % more.
  private static let level: Int32 = 4
  /// A quarter of that time, for what does not shrink by an eighth with any level: values that were compressed or
  /// encrypted before they came.
  private static let hastyLevel: Int32 = -1

  private let identity: LogIdentity
  private let first: UInt64
  private let chainBefore: SHA256Value
  private let run: UInt64
  /// What the frames say is durable.
  private let durableThrough: UInt64
  private var output = ByteWriter(capacity: 1 << 20)
  private var pack = ByteWriter(capacity: 2 * packBytes)
  private let compressor = Compressor()
  /// True behind a pack that hardly shrank. The first is always tried well.
  private var isHard = false
  private var entry = PackEntry()
  private var index = SealedIndex()
  private var keys: KeyIndexBuilder?
  /// The chain value of the last block that was added.
  private(set) var chain: SHA256Value

  /// Begins a segment.
  ///
  /// - Parameter keys: what is looked for in commits, so that they are found by what they speak of; nil for no index.
  init(
    _ identity: LogIdentity, first: UInt64, chainBefore: SHA256Value, run: UInt64, durableThrough: UInt64,
    keys: CommitKeys? = nil
  ) {
    self.identity = identity
    self.first = first
    self.chainBefore = chainBefore
    self.run = run
    self.durableThrough = durableThrough
    self.keys = keys.map { KeyIndexBuilder($0) }
    chain = chainBefore
    writeHead()
  }

  /// The bytes of the sealed form of a segment.
  ///
  /// - Parameter keys: what is looked for in commits, so that they are found by what they speak of; nil for no index.
  /// - Throws: when a block of the live form does not follow the one before.
  package static func pack(
    _ live: LiveBytes, _ scan: LiveScan, _ keys: CommitKeys? = nil
  ) throws(LogError) -> [UInt8] {
    let packer = SegmentPacker(
      live.identity, first: scan.first, chainBefore: scan.chainBefore, run: scan.run, durableThrough: scan.lastRevision,
      keys: keys)
    for block in scan.blocks { try packer.add(block, of: live) }
    return packer.finish()
  }

  /// The bytes of the segment.
  func finish() -> [UInt8] {
    closePack()
    writeIndex()
    return output.array()
  }

  private func frame(_ kind: FrameKind) -> FrameHeader {
    var header = identity.frame(kind)
    header.anchor = first
    header.firstRevision = first
    header.durableThrough = durableThrough
    header.run = run
    return header
  }

  private func writeHead() {
    chainBefore.withUnsafeBytes { _ = Frame.append($0, frame(.segment), codec: .none, to: &output) }
  }

  private func add(_ block: LiveScan.Entry, of live: LiveBytes) throws(LogError) {
    var raw = ByteWriter(capacity: Int(block.header.rawBytes) + 64)
    guard live.expand(block.offset, block.header, into: &raw) else {
      throw fault(block, live, "the frame cannot be read any more")
    }
    guard let view = try? BlockView(raw.bytes), view.header.previousChain != nil, add(view) else {
      throw fault(block, live, "the block does not follow the one before")
    }
  }

  /// Adds the next block.
  ///
  /// - Returns: false, with nothing added, when it says that it follows another one than the last.
  func add(_ view: BlockView) -> Bool {
    if let stored = view.header.previousChain, stored != chain { return false }
    chain = view.chain(after: chain)
    var head = ByteWriter(capacity: BlockHeader.bytesMax)
    view.header.encode(into: &head, omittingChain: true)
    let length = ByteWriter.varintSize(UInt64(head.count)) + head.count + view.commits.count
    if pack.count > 0 && pack.count + length > SegmentPacker.packBytes { closePack() }
    note(view.header)
    keys?.note(view)
    pack.varint(UInt64(length))
    pack.varint(UInt64(head.count))
    pack.raw(head.bytes)
    pack.raw(view.commits)
    return true
  }

  private func note(_ header: BlockHeader) {
    if entry.blockCount == 0 { entry.firstRevision = header.firstRevision }
    entry.blockCount += 1
    entry.commitCount += header.commitCount
    entry.eventCount += UInt64(header.eventCount)
    entry.time = header.time
  }

  private func closePack() {
    guard entry.blockCount > 0 else { return }
    var header = frame(.pack)
    header.firstRevision = entry.firstRevision
    header.commitCount = entry.commitCount
    header.parts = entry.blockCount
    header.time = entry.time
    entry.offset = UInt64(output.count)
    entry.storedBytes = compressPack(header).storedBytes
    keys?.closePack(index.packs.count)
    index.packs.append(entry)
    entry = PackEntry()
    pack.removeAll()
  }

  private func compressPack(_ header: FrameHeader) -> FrameHeader {
    let start = output.count
    if isHard {
      let hasty = appendPack(header, SegmentPacker.hastyLevel)
      if SegmentPacker.hardlyShrank(hasty) { return hasty }
      output.truncate(to: start)
    }
    let written = appendPack(header, SegmentPacker.level)
    isHard = SegmentPacker.hardlyShrank(written)
    return written
  }

  private func appendPack(_ header: FrameHeader, _ level: Int32) -> FrameHeader {
    Frame.append(pack.bytes, header, codec: .zstandard, level: level, to: &output, using: compressor)
  }

  private static func hardlyShrank(_ frame: FrameHeader) -> Bool {
    UInt64(frame.storedBytes) * 8 > UInt64(frame.rawBytes) * 7
  }

  private func writeIndex() {
    index.chain = chain.withUnsafeBytes { Array($0) }
    var head = frame(.keys)
    head.version = 2
    keys?.write(head, to: &output, &index)
    let offset = output.count
    var content = ByteWriter()
    index.encode(into: &content)
    var header = frame(.index)
    header.parts = UInt32(index.packs.count)
    if index.keyScheme > 0 { header.version = 2 }
    Frame.append(content.bytes, header, codec: .zstandard, to: &output)
    SealedIndex.appendTrailer(offset, to: &output)
  }

  private func fault(_ block: LiveScan.Entry, _ live: LiveBytes, _ problem: String) -> LogError {
    .corrupt(Fault(file: live.path, offset: block.offset, revision: block.header.firstRevision, problem: problem))
  }
}
