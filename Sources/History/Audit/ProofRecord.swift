package import MusterBytes
internal import MusterCluster
package import MusterProtocol

/// A record of the file that proves an export: its head, a part of the log, or the checkpoint at the end.
///
/// The file begins with a line, `heading`; each record stands behind its length as a varint.
package struct ProofRecord: FieldMessage, Hashable {
  package static let heading = "muster/export-proof@v1\n"
  /// The longest that a record may be.
  package static let bytesMax = 1 << 20 + 64 * 1024

  /// Of the first record: which format the export has.
  package var format = ""
  /// A `ProofPart`, in zlib's format, and how long it is when it is expanded.
  package var part: [UInt8] = []
  package var partBytes: UInt32 = 0
  /// Of the last record: a signed note.
  package var note: [UInt8] = []

  package init() {}

  package init(_ part: ProofPart) {
    let bytes = part.encoded()
    self.part = Deflate.compress(bytes)
    partBytes = UInt32(bytes.count)
  }

  package mutating func visit<V: FieldVisitor & ~Copyable>(_ fields: inout V) throws(WireError) {
    try fields.string(1, &format, max: Limits.nameBytes)
    try fields.bytes(2, &part, max: ProofRecord.bytesMax)
    try fields.uint32(3, &partBytes)
    try fields.bytes(4, &note, max: ProofRecord.bytesMax)
  }

  /// The part of the log in it; nil when it cannot be read.
  package var expanded: ProofPart? {
    guard let bytes = Deflate.expand(part, length: Int(partBytes), limit: ProofRecord.bytesMax) else { return nil }
    return try? ProofPart(bytes: bytes, refusingUnknownFields: true)
  }
}
