package import MusterBytes

/// Whose files these are.
public struct LogIdentity: Equatable, Sendable {
  /// 16 random bytes, as 32 hexadecimal digits.
  public var clusterID: String
  public var timeline: UInt64
  /// The clusters that this one was restored from, the oldest first: the frames and blocks of their time stay as they
  /// were written.
  package var ancestors: [Ancestor] = []

  public init(clusterID: String, timeline: UInt64) {
    self.clusterID = clusterID
    self.timeline = timeline
  }

  /// True for 32 lower-case hexadecimal digits.
  public var isValid: Bool { ClusterWords(clusterID) != nil && timeline > 0 }
}

/// What a cluster was before it was restored.
///
/// Its commits up to `revision` are this cluster's own, byte for byte, and so are its blocks up to `lastRevision`. The
/// two differ when it was restored to the middle of a block: the commits between them stand in the first block of the
/// next timeline.
package struct Ancestor: FieldMessage, Hashable {
  package var clusterID = ""
  package var timeline: UInt64 = 0
  /// The last commit that was taken over. A tree of commits had this many leaves.
  package var revision: UInt64 = 0
  /// The last revision of the last block that was taken over.
  package var lastRevision: UInt64 = 0
  /// The chain value of that block: 32 bytes.
  package var chain: [UInt8] = []

  package init() {}

  package mutating func visit<V: FieldVisitor & ~Copyable>(_ fields: inout V) throws(WireError) {
    try fields.string(1, &clusterID, max: 32)
    try fields.uint64(2, &timeline)
    try fields.uint64(3, &revision)
    try fields.uint64(4, &lastRevision)
    try fields.bytes(5, &chain, max: SHA256Value.byteCount)
  }
}

/// The ancestors in the file that says whose directory it is.
package struct Ancestry: FieldMessage, Hashable {
  /// A cluster that was restored more often than this begins anew with an export.
  package static let ancestorsMax = 64

  package var ancestors: [Ancestor] = []

  package init() {}
  package init(_ ancestors: [Ancestor]) { self.ancestors = ancestors }

  package mutating func visit<V: FieldVisitor & ~Copyable>(_ fields: inout V) throws(WireError) {
    try fields.messages(1, &ancestors, count: Ancestry.ancestorsMax)
  }

  /// Each one was restored to no later than where the next one was cut off, and says all that it must.
  var isSound: Bool {
    for (place, ancestor) in ancestors.enumerated() {
      guard ClusterWords(ancestor.clusterID) != nil, ancestor.timeline > 0,
        ancestor.chain.count == SHA256Value.byteCount, ancestor.lastRevision <= ancestor.revision
      else { return false }
      if place > 0, ancestor.lastRevision < ancestors[place - 1].lastRevision { return false }
    }
    return true
  }
}

/// A cluster id as frames carry it.
private struct ClusterWords: Equatable {
  var high: UInt64 = 0
  var low: UInt64 = 0

  /// Nil unless it is 32 lower-case hexadecimal digits.
  init?(_ text: String) {
    guard text.utf8.count == 32 else { return nil }
    for byte in text.utf8 {
      let digit: UInt8
      switch byte {
      case UInt8(ascii: "0")...UInt8(ascii: "9"): digit = byte - UInt8(ascii: "0")
      case UInt8(ascii: "a")...UInt8(ascii: "f"): digit = byte - UInt8(ascii: "a") + 10
      default: return nil
      }
      high = high << 4 | low >> 60
      low = low << 4 | UInt64(digit)
    }
  }
}

extension LogIdentity {
  package var clusterWords: (UInt64, UInt64) { ClusterWords(clusterID).map { ($0.high, $0.low) } ?? (0, 0) }

  package func frame(_ kind: FrameKind) -> FrameHeader {
    var header = FrameHeader()
    header.kind = kind
    header.cluster = clusterWords
    header.timeline = timeline
    return header
  }

  /// True for frames of this cluster and timeline, and for those of ancestors from before they were left.
  package func owns(_ header: FrameHeader) -> Bool {
    if header.cluster == clusterWords && header.timeline == timeline { return true }
    return ancestors.contains { $0.owns(header) }
  }

  /// Which timeline the block that holds a revision is of.
  package func timeline(ofBlockAt revision: UInt64) -> UInt64 {
    ancestors.first { revision <= $0.lastRevision }?.timeline ?? timeline
  }
}

extension Ancestor {
  fileprivate func owns(_ header: FrameHeader) -> Bool {
    guard let words = ClusterWords(clusterID) else { return false }
    return header.cluster == (words.high, words.low) && header.timeline == timeline
      && header.firstRevision <= lastRevision && (header.commitCount == 0 || header.lastRevision <= lastRevision)
  }
}
