package import MusterBytes

/// Where one pack of a sealed segment is, and what is in it.
package struct PackEntry: FieldMessage, Hashable {
  package var offset: UInt64 = 0
  package var storedBytes: UInt32 = 0
  package var firstRevision: UInt64 = 0
  package var commitCount: UInt32 = 0
  package var blockCount: UInt32 = 0
  package var eventCount: UInt64 = 0
  /// Log time of the last commit.
  package var time: UInt64 = 0

  package init() {}

  package var lastRevision: UInt64 { firstRevision &+ UInt64(commitCount) &- 1 }

  package mutating func visit<V: FieldVisitor & ~Copyable>(_ fields: inout V) throws(WireError) {
    try fields.uint64(1, &offset)
    try fields.uint32(2, &storedBytes)
    try fields.uint64(3, &firstRevision)
    try fields.uint32(4, &commitCount)
    try fields.uint32(5, &blockCount)
    try fields.uint64(6, &eventCount)
    try fields.uint64(7, &time)
  }
}

/// Where one unit of a segment's keys is, and with which key it begins.
package struct KeyUnitEntry: FieldMessage, Hashable {
  package var offset: UInt64 = 0
  package var kind: UInt32 = 0
  package var id: UInt32 = 0

  package init() {}

  package var first: LogKey { LogKey(kind: kind, id: id) }

  package mutating func visit<V: FieldVisitor & ~Copyable>(_ fields: inout V) throws(WireError) {
    try fields.uint64(1, &offset)
    try fields.uint32(2, &kind)
    try fields.uint32(3, &id)
  }
}

/// The footer of a sealed segment.
package struct SealedIndex: FieldMessage, Hashable {
  package var packs: [PackEntry] = []
  /// The chain value of the last block: 32 bytes.
  package var chain: [UInt8] = []
  /// Where it stands which packs speak of what, by ascending keys.
  package var keyUnits: [KeyUnitEntry] = []
  /// Who found those keys; 0 when they were not looked for.
  package var keyScheme: UInt32 = 0

  /// Behind the index frame: its offset (8 bytes), its CRC-32C (4), and a mark (4).
  package static let trailerBytes = 16
  package static let mark: UInt32 = 0x7865_646e  // "ndex"

  package init() {}

  package mutating func visit<V: FieldVisitor & ~Copyable>(_ fields: inout V) throws(WireError) {
    try fields.messages(1, &packs, count: 1 << 20)
    try fields.bytes(2, &chain, max: SHA256Value.byteCount)
    try fields.messages(3, &keyUnits, count: 1 << 16)
    try fields.uint32(4, &keyScheme)
  }

  static func appendTrailer(_ offset: Int, to writer: inout ByteWriter) {
    let start = writer.count
    writer.fixed(UInt64(offset))
    let sum = CRC32C.checksum(UnsafeRawBufferPointer(rebasing: writer.bytes[start...]))
    writer.fixed(sum)
    writer.fixed(mark)
  }

  /// The offset of the index frame, or nil when the trailer is broken.
  static func offset(inTrailer bytes: [UInt8]) -> Int? {
    guard bytes.count == trailerBytes else { return nil }
    return bytes.withUnsafeBytes { raw in
      let sum = UInt32(littleEndian: raw.loadUnaligned(fromByteOffset: 8, as: UInt32.self))
      let found = UInt32(littleEndian: raw.loadUnaligned(fromByteOffset: 12, as: UInt32.self))
      guard found == mark, CRC32C.checksum(UnsafeRawBufferPointer(rebasing: raw[..<8])) == sum else { return nil }
      return Int(exactly: UInt64(littleEndian: raw.loadUnaligned(as: UInt64.self)))
    }
  }
}
