internal import MusterBytes
internal import MusterLog

/// Puts right the checksums of stored bytes, so that what is behind them is reached.
enum Checksummed {
  private static let storedBytesAt = 68
  private static let checksumAt = 120
  private static let magic = Array("musterf1".utf8)

  /// Every frame that begins where the one before ends.
  static func frames(_ bytes: [UInt8], alignment: Int) -> [UInt8] {
    var bytes = bytes
    var offset = 0
    while offset + FrameHeader.byteCount <= bytes.count, bytes[offset..<(offset + 8)].elementsEqual(magic) {
      let stored = (0..<4).reduce(0) { $0 | Int(bytes[offset + storedBytesAt + $1]) << (8 * $1) }
      let start = offset + FrameHeader.byteCount
      let end = min(start + stored, bytes.count)
      put(CRC32C.checksum(Array(bytes[start..<end])), at: offset + checksumAt, in: &bytes)
      put(CRC32C.checksum(Array(bytes[offset..<(offset + checksumAt + 4)])), at: offset + checksumAt + 4, in: &bytes)
      offset += (FrameHeader.byteCount + stored + alignment - 1) / alignment * alignment
    }
    return bytes
  }

  /// The trailer of a packed segment or a snapshot.
  static func trailer(_ bytes: [UInt8]) -> [UInt8] {
    guard bytes.count >= 16 else { return bytes }
    var bytes = bytes
    let start = bytes.count - 16
    put(CRC32C.checksum(Array(bytes[start..<(start + 8)])), at: start + 8, in: &bytes)
    bytes.replaceSubrange((start + 12)..., with: Array("ndex".utf8))
    return bytes
  }

  private static func put(_ checksum: UInt32, at offset: Int, in bytes: inout [UInt8]) {
    for place in 0..<4 { bytes[offset + place] = UInt8(truncatingIfNeeded: checksum >> (8 * UInt32(place))) }
  }
}
