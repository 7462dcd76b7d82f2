package import MusterBytes

/// Appends blocks and makes each durable before the next.
///
/// Order, and why: a frame is written into zeros that were synced before, then synced, then acknowledged. A segment's
/// first frame is synced under the spare's name, the name is changed, the directory synced, and only then is a block
/// written there: a segment that can be found is whole.
///
/// Invariants:
/// - `durable` never goes back, and grows only after a sync that succeeded.
/// - After an error of write or sync nothing is written any more: what is on disk is then unknown.
package final class LogWriter {
  private let storage: any Storage
  package let identity: LogIdentity
  private let run: UInt64
  private let segmentBytes: Int

  private var segment: SegmentName
  private var currentBytes: Int
  private var end: Int
  /// The chain value of the last block.
  package private(set) var chain: SHA256Value
  /// The last revision that is on disk.
  package private(set) var durable: UInt64
  /// The last revision that a frame says is on disk.
  package private(set) var confirmed: UInt64
  private var failure: StorageError?
  private var frame = ByteWriter(capacity: 1 << 16)

  /// A zeroed segment of full length stands ready under the spare's name.
  package var isSpareReady = false

  package init(_ storage: any Storage, identity: LogIdentity, plan: RecoveryPlan, run: UInt64, segmentBytes: Int) {
    self.storage = storage
    self.identity = identity
    self.run = run
    self.segmentBytes = segmentBytes
    segment = plan.segment
    currentBytes = plan.segmentBytes
    end = plan.segment.isSealed ? plan.segmentBytes : plan.end
    chain = plan.chain
    durable = plan.lastRevision
    confirmed = plan.confirmedThrough
  }

  package var segmentFirst: UInt64 { segment.first }

  /// Bytes that can still be written before a spare is needed.
  package var preparedBytes: Int { segment.isSealed ? 0 : max(0, currentBytes - end) }

  /// Writes a block and returns when it is durable.
  ///
  /// - Throws: `.full` with nothing written when no prepared space is left.
  package func append(_ block: SealedBlock, codec: Codec = .lz4) throws(LogError) {
    try requireHealthy()
    precondition(block.header.firstRevision == durable + 1, "blocks are appended in the order of their revisions")
    precondition(block.header.previousChain == chain, "a block follows the chain value before it")
    frame.removeAll()
    var header = header(.block)
    header.firstRevision = block.header.firstRevision
    header.commitCount = block.header.commitCount
    header.time = block.header.time
    header.durableThrough = durable
    let worst = Frame.aligned(FrameHeader.byteCount + block.bytes.count)
    precondition(worst + Frame.alignment <= segmentBytes, "a segment has room for the largest block")
    if preparedBytes < worst { try roll() }
    header.anchor = segment.first
    // What fits the shortest frame as it is would gain nothing.
    let codec = worst == Frame.alignment ? .none : codec
    block.bytes.withUnsafeBytes { _ = Frame.append($0, header, codec: codec, to: &frame) }
    try writeFrame()
    confirmed = max(confirmed, durable)
    durable = block.header.lastRevision
    chain = block.chain
  }

  /// Says on disk how far the log is durable, if it does not say so already.
  ///
  /// - Parameter isFinal: nothing will follow; the file may be cut behind this frame without loss.
  package func confirm(isFinal: Bool = false) throws(LogError) {
    try requireHealthy()
    guard isFinal || confirmed < durable, preparedBytes >= Frame.alignment else { return }
    frame.removeAll()
    var header = header(.confirmation)
    header.firstRevision = durable + 1
    header.durableThrough = durable
    header.anchor = segment.first
    header.isFinal = isFinal
    Frame.append(UnsafeRawBufferPointer(start: nil, count: 0), header, codec: .none, to: &frame)
    try writeFrame()
    confirmed = durable
  }

  private func header(_ kind: FrameKind) -> FrameHeader {
    var header = identity.frame(kind)
    header.run = run
    return header
  }

  /// Pads the frame, writes it and syncs it.
  private func writeFrame() throws(LogError) {
    frame.zeros(Frame.aligned(frame.count) - frame.count)
    precondition(end % Frame.alignment == 0 && frame.count <= preparedBytes, "a frame stays within prepared space")
    try fatal { () throws(StorageError) in
      try storage.write(segment.path, at: end, frame.bytes)
      if !Mutant.isOn(.unsyncedBlock) { try storage.sync(segment.path) }
    }
    end += frame.count
  }

  /// Goes on in the spare segment.
  private func roll() throws(LogError) {
    guard isSpareReady else { throw .full }
    let next = SegmentName(first: durable + 1, isSealed: false)
    precondition(next.first > segment.first || segment.isSealed, "a segment holds at least one block before the next")
    let head = LogWriter.segmentHead(
      identity, first: next.first, chain: chain, run: run, durableThrough: durable, bytes: segmentBytes)
    try fatal { () throws(StorageError) in
      try storage.write(Layout.spare, at: 0, head)
      try storage.sync(Layout.spare)
      try storage.rename(Layout.spare, to: next.path)
      if !Mutant.isOn(.unsyncedDirectory) { try storage.syncDirectory(Layout.log) }
    }
    isSpareReady = false
    segment = next
    currentBytes = segmentBytes
    end = Frame.alignment
    confirmed = durable
  }

  /// The first frame of a segment, padded.
  package static func segmentHead(
    _ identity: LogIdentity, first: UInt64, chain: SHA256Value, run: UInt64, durableThrough: UInt64, bytes: Int
  ) -> [UInt8] {
    var header = identity.frame(.segment)
    header.firstRevision = first
    header.anchor = first
    header.run = run
    header.durableThrough = durableThrough
    header.parts = UInt32(bytes / Frame.alignment)
    var writer = ByteWriter(capacity: Frame.alignment)
    chain.withUnsafeBytes { _ = Frame.append($0, header, codec: .none, to: &writer) }
    writer.zeros(Frame.alignment - writer.count)
    return writer.array()
  }

  private func requireHealthy() throws(LogError) {
    if let failure { throw .poisoned(failure) }
  }

  /// Runs writes whose failure is final.
  private func fatal(_ body: () throws(StorageError) -> Void) throws(LogError) {
    do throws(StorageError) {
      try body()
    } catch {
      failure = error
      throw .poisoned(error)
    }
  }
}

// MARK: - Space and sealing, on the journal's worker

extension LogWriter {
  /// Zeroes a segment ahead of its use, in pieces that are synced one by one, calling `pause` between them: no append
  /// waits behind more than one piece.
  package static func prepareSpare(
    _ storage: any Storage, bytes: Int, pause: () -> Void
  ) throws(StorageError) {
    try storage.create(Layout.spare, zeros: 0)
    try storage.writeInPieces(Layout.spare, [UInt8](repeating: 0, count: bytes), pause: pause)
    try storage.syncDirectory(Layout.log)
  }

  /// Replaces a full segment by its packed form.
  ///
  /// - Parameter keys: what its commits shall be found by.
  package static func seal(
    _ storage: any Storage, _ identity: LogIdentity, first: UInt64, through: UInt64, keys: CommitKeys? = nil,
    pause: () -> Void = {}
  ) throws(LogError) {
    let name = SegmentName(first: first, isSealed: false)
    let bytes = try reading { () throws(StorageError) in
      try storage.read(name.path, at: 0, count: try storage.size(name.path) ?? 0)
    }
    let live = LiveSegmentReader(identity: identity, path: name.path, bytes: bytes)
    let scan = try live.scan(first: first, confirmed: through)
    guard scan.lastRevision == through else {
      throw .corrupt(
        Fault(
          file: name.path, offset: scan.end, revision: through,
          problem: "the segment goes on behind the beginning of the next one"))
    }
    let packed = try SegmentPacker.pack(LiveBytes(live), scan, keys)
    try reading { () throws(StorageError) in
      try storage.replace(Layout.sealed(first), in: Layout.log, with: packed, pause: pause)
      try storage.remove(name.path)
      try storage.syncDirectory(Layout.log)
    }
  }
}
