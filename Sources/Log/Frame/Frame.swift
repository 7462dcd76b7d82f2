package import MusterBytes

/// A header and what is stored behind it.
package enum Frame {
  /// Live frames begin on such a boundary, so that writing one never touches a sector of an older one.
  package static let alignment = 4096
  /// What a disk writes all of or nothing of.
  package static let sectorBytes = 512
  /// Above every content of ours, with its lengths and header.
  package static let rawBytesMax = (1 << 20) + 4096
  package static let storedBytesMax = rawBytesMax
  /// The longest segment: what a start makes one as long again as its first frame says would otherwise have no end.
  package static let segmentBytesMax = 64 << 20

  package static func aligned(_ length: Int) -> Int { (length + alignment - 1) / alignment * alignment }

  /// Appends a frame: the header completed with codec, lengths and checksums, then the content, compressed if that
  /// makes it smaller.
  ///
  /// - Returns: the header as written.
  @discardableResult
  package static func append(
    _ content: UnsafeRawBufferPointer, _ header: FrameHeader, codec: Codec, level: Int32 = 1,
    to writer: inout ByteWriter, using compressor: Compressor? = nil
  ) -> FrameHeader {
    precondition(content.count <= rawBytesMax, "a frame's content is bounded")
    var full = header
    let start = writer.count
    writer.zeros(FrameHeader.byteCount)
    if codec != .none && Compression.compress(content, with: codec, level: level, into: &writer, using: compressor) {
      full.codec = codec
    } else {
      full.codec = .none
      writer.raw(content)
    }
    let stored = UnsafeRawBufferPointer(rebasing: writer.bytes[(start + FrameHeader.byteCount)...])
    full.storedBytes = UInt32(stored.count)
    full.rawBytes = UInt32(content.count)
    full.storedChecksum = CRC32C.checksum(stored)
    writer.overwrite(full.encoded(), at: start)
    return full
  }

  /// The content of a frame whose header was valid.
  ///
  /// - Parameter stored: at least the bytes behind the header that are the frame's.
  /// - Returns: false when the checksum does not hold or the content does not expand to its length.
  package static func expand(
    _ header: FrameHeader, _ stored: UnsafeRawBufferPointer, into writer: inout ByteWriter,
    using expander: Expander? = nil
  ) -> Bool {
    guard isWhole(header, stored) else { return false }
    let bytes = UnsafeRawBufferPointer(rebasing: stored[..<Int(header.storedBytes)])
    do throws(CompressionError) {
      try Compression.expand(
        bytes, with: header.codec, length: Int(header.rawBytes), limit: rawBytesMax, into: &writer,
        using: expander)
      return true
    } catch {
      return false
    }
  }

  /// True when the checksum of what is stored behind a valid header holds.
  ///
  /// - Parameter stored: at least the bytes behind the header that are the frame's.
  package static func isWhole(_ header: FrameHeader, _ stored: UnsafeRawBufferPointer) -> Bool {
    guard stored.count >= Int(header.storedBytes) else { return false }
    let bytes = UnsafeRawBufferPointer(rebasing: stored[..<Int(header.storedBytes)])
    return CRC32C.checksum(bytes) == header.storedChecksum
  }
}
