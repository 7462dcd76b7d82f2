internal import CMusterBytes
internal import Crypto

/// CRC-32C (Castagnoli): what every stored frame and page is checked with.
package enum CRC32C {
  package static func checksum(_ bytes: UnsafeRawBufferPointer, continuing crc: UInt32 = 0) -> UInt32 {
    muster_crc32c(crc, bytes.baseAddress, bytes.count)
  }

  package static func checksum(_ bytes: [UInt8], continuing crc: UInt32 = 0) -> UInt32 {
    bytes.withUnsafeBytes { checksum($0, continuing: crc) }
  }

  /// The same sum without the processor's instruction.
  package static func portable(_ bytes: UnsafeRawBufferPointer, continuing crc: UInt32 = 0) -> UInt32 {
    muster_crc32c_portable(crc, bytes.baseAddress, bytes.count)
  }

  package static var isAccelerated: Bool { muster_crc32c_is_accelerated() }
}

/// A SHA-256 value: 32 bytes.
package struct SHA256Value: Hashable, Sendable {
  package var words: (UInt64, UInt64, UInt64, UInt64)

  package static let byteCount = 32
  package static let zero = SHA256Value(words: (0, 0, 0, 0))

  package init(words: (UInt64, UInt64, UInt64, UInt64)) { self.words = words }

  /// - Precondition: `bytes` holds exactly 32 bytes.
  package init(_ bytes: UnsafeRawBufferPointer) {
    precondition(bytes.count == SHA256Value.byteCount, "a SHA-256 value has 32 bytes")
    words = (
      bytes.loadUnaligned(fromByteOffset: 0, as: UInt64.self), bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self),
      bytes.loadUnaligned(fromByteOffset: 16, as: UInt64.self), bytes.loadUnaligned(fromByteOffset: 24, as: UInt64.self)
    )
  }

  /// The SHA-256 of the parts, one after the other.
  package static func hash(_ parts: UnsafeRawBufferPointer...) -> SHA256Value {
    var hasher = SHA256()
    for part in parts { hasher.update(bufferPointer: part) }
    return hasher.finalize().withUnsafeBytes { SHA256Value($0) }
  }

  package static func hash(_ bytes: [UInt8]) -> SHA256Value {
    bytes.withUnsafeBytes { hash($0) }
  }

  package func withUnsafeBytes<R>(_ body: (UnsafeRawBufferPointer) throws -> R) rethrows -> R {
    try Swift.withUnsafeBytes(of: words, body)
  }

  package var hex: String { withUnsafeBytes { hexadecimal($0) } }

  package static func == (a: SHA256Value, b: SHA256Value) -> Bool { a.words == b.words }

  package func hash(into hasher: inout Hasher) { hasher.combine(words.0) }
}

/// Lower-case hexadecimal, two digits a byte.
package func hexadecimal(_ bytes: some Sequence<UInt8>) -> String {
  let digits = Array("0123456789abcdef".utf8)
  var text: [UInt8] = []
  for byte in bytes {
    text.append(digits[Int(byte >> 4)])
    text.append(digits[Int(byte & 15)])
  }
  return String(decoding: text, as: UTF8.self)
}

/// A digest of a set of rows: the sum, lane by lane modulo 2⁶⁴, of the MurmurHash3 x64 128 of each row's bytes.
///
/// Sums do not depend on order, so a digest can follow changes row by row: subtract the old row, add the new one.
/// It finds divergence; it does not resist forgery, which is what the chain and the Merkle tree are for.
package struct SetDigest: Hashable, Sendable {
  package var low: UInt64 = 0
  package var high: UInt64 = 0

  package init() {}
  package init(low: UInt64, high: UInt64) {
    self.low = low
    self.high = high
  }

  /// The digest of one row; `seed` keeps rows of different tables apart.
  package init(row: UnsafeRawBufferPointer, seed: UInt32) {
    let hash = muster_hash128(row.baseAddress, row.count, seed)
    low = hash.low
    high = hash.high
  }

  package static func += (a: inout SetDigest, b: SetDigest) {
    a.low &+= b.low
    a.high &+= b.high
  }

  package static func -= (a: inout SetDigest, b: SetDigest) {
    a.low &-= b.low
    a.high &-= b.high
  }

  /// Sixteen bytes as 32 hexadecimal digits, the low lane first, each little-endian.
  package var hex: String {
    withUnsafeBytes(of: (low.littleEndian, high.littleEndian)) { hexadecimal($0) }
  }
}
