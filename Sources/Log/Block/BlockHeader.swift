package import MusterBytes

/// A fingerprint of a state. The log keeps it and compares it; what it is computed from is the caller's matter.
public struct StateDigest: Hashable, Sendable {
  public var low: UInt64
  public var high: UInt64

  public init(low: UInt64 = 0, high: UInt64 = 0) {
    self.low = low
    self.high = high
  }
}

/// Under which leadership blocks are written.
public struct BlockOrigin: Equatable, Sendable {
  public var timeline: UInt64
  public var term: UInt64
  public var run: UInt64
  public var featureLevel: UInt32

  public init(timeline: UInt64, term: UInt64, run: UInt64, featureLevel: UInt32 = 1) {
    self.timeline = timeline
    self.term = term
    self.run = run
    self.featureLevel = featureLevel
  }
}

/// What a block says of its commits. With them it is the logical block: what is chained, replicated and repaired.
public struct BlockHeader: Equatable, Sendable {
  public var origin = BlockOrigin(timeline: 0, term: 0, run: 0)
  public var firstRevision: UInt64 = 0
  public var commitCount: UInt32 = 0
  public var eventCount: UInt32 = 0
  /// Log time of the last commit, in microseconds since 1970.
  public var time: UInt64 = 0
  /// Of the state after the last commit.
  package var digest = SetDigest()
  /// The chain value of the block before; zero for the first. Not stored in sealed segments, where it is recomputed.
  package var previousChain: SHA256Value?

  public init() {}

  /// The digest of the state after the last commit.
  public var stateDigest: StateDigest { StateDigest(low: digest.low, high: digest.high) }

  public var lastRevision: UInt64 { firstRevision &+ UInt64(commitCount) &- 1 }

  /// The most bytes a header takes.
  package static let bytesMax = 160
}

extension BlockHeader {
  /// The canonical bytes. Frozen: the chain hashes them.
  package func encode(into writer: inout ByteWriter, omittingChain: Bool = false) {
    writer.number(1, origin.timeline)
    writer.number(2, origin.term)
    writer.number(3, origin.run)
    writer.number(4, firstRevision)
    writer.number(5, UInt64(commitCount))
    writer.number(6, UInt64(eventCount))
    writer.number(7, UInt64(origin.featureLevel))
    writer.number(8, time)
    writer.tag(9, WireType.delimited)
    writer.varint(16)
    writer.fixed(digest.low)
    writer.fixed(digest.high)
    guard !omittingChain, let previousChain else { return }
    writer.tag(10, WireType.delimited)
    writer.varint(UInt64(SHA256Value.byteCount))
    previousChain.withUnsafeBytes { writer.raw($0) }
  }

  package init(from reader: inout ByteReader) throws(WireError) {
    self.init()
    try reader.uint64(1, &origin.timeline)
    try reader.uint64(2, &origin.term)
    try reader.uint64(3, &origin.run)
    try reader.uint64(4, &firstRevision)
    try reader.uint32(5, &commitCount)
    try reader.uint32(6, &eventCount)
    try reader.uint32(7, &origin.featureLevel)
    try reader.uint64(8, &time)
    guard try reader.advance(to: 9, WireType.delimited) else { throw .noAlternative }
    let lanes = try reader.delimited()
    guard lanes.count == 16 else { throw .outOfRange(field: 9) }
    digest = SetDigest(
      low: UInt64(littleEndian: lanes.loadUnaligned(as: UInt64.self)),
      high: UInt64(littleEndian: lanes.loadUnaligned(fromByteOffset: 8, as: UInt64.self)))
    if try reader.advance(to: 10, WireType.delimited) {
      let chain = try reader.delimited()
      guard chain.count == SHA256Value.byteCount else { throw .outOfRange(field: 10) }
      previousChain = SHA256Value(chain)
    }
    try reader.finishFields()
    guard firstRevision >= 1, commitCount >= 1, firstRevision <= UInt64.max - UInt64(commitCount) else {
      throw .outOfRange(field: 4)
    }
  }
}

extension ByteWriter {
  @inline(__always)
  fileprivate mutating func number(_ field: Int, _ value: UInt64) {
    var value = value
    uint64(field, &value)
  }
}
