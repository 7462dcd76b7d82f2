internal import CLZ4
internal import CZstd

/// How the content of a frame or page is stored.
package enum Codec: UInt8, Sendable, CaseIterable {
  case none = 0
  case lz4 = 1
  case zstandard = 2
}

/// What can go wrong when stored bytes are expanded.
package enum CompressionError: Error, Equatable, Sendable {
  /// The declared length is above the bound that the caller allows.
  case declaredTooLong(declared: Int, limit: Int)
  /// The bytes do not expand to exactly the declared length.
  case malformed
}

/// The memory that expanding takes, kept from one piece to the next: to get it anew costs as much as expanding 64 KiB.
///
/// One caller at a time.
package final class Expander {
  private var made: OpaquePointer?

  package init() {}

  deinit { ZSTD_freeDCtx(made) }

  /// Nil when there was no memory for it; then each piece gets its own. Who opens a history and expands nothing pays nothing.
  fileprivate var context: OpaquePointer? {
    if made == nil { made = ZSTD_createDCtx() }
    return made
  }
}

/// The memory that compressing takes, kept from one piece to the next: some hundred KiB, which a heap takes from the kernel
/// and gives back each time.
///
/// One caller at a time.
package final class Compressor {
  /// Nil when there was no memory for it; then each piece gets its own.
  fileprivate let context: OpaquePointer?

  package init() { context = ZSTD_createCCtx() }

  deinit { ZSTD_freeCCtx(context) }
}

package enum Compression {
  /// Compresses `source` onto the end of `writer`.
  ///
  /// - Parameter compressor: for whoever compresses much.
  /// - Returns: false, with nothing written, when that would not make it smaller.
  package static func compress(
    _ source: UnsafeRawBufferPointer, with codec: Codec, level: Int32 = 1, into writer: inout ByteWriter,
    using compressor: Compressor? = nil
  ) -> Bool {
    guard source.count > 0, source.count <= Int(Int32.max) else { return false }
    // One byte less than the source: what does not shrink is not worth expanding later.
    return writer.appendUninitialized(atMost: source.count - 1) { target in
      switch codec {
      case .none:
        return nil
      case .lz4:
        let size = LZ4_compress_default(
          source.baseAddress?.assumingMemoryBound(to: CChar.self),
          target.baseAddress?.assumingMemoryBound(to: CChar.self), Int32(source.count), Int32(target.count))
        return size > 0 ? Int(size) : nil
      case .zstandard:
        let size =
          compressor?.context.map {
            ZSTD_compressCCtx($0, target.baseAddress, target.count, source.baseAddress, source.count, level)
          } ?? ZSTD_compress(target.baseAddress, target.count, source.baseAddress, source.count, level)
        return ZSTD_isError(size) == 0 && size > 0 ? size : nil
      }
    }
  }

  /// Expands `source` onto the end of `writer`, to exactly `length` bytes.
  ///
  /// - Parameters:
  ///   - limit: the longest that `length` may be; it is checked before anything is allocated.
  ///   - expander: for whoever expands much.
  package static func expand(
    _ source: UnsafeRawBufferPointer, with codec: Codec, length: Int, limit: Int, into writer: inout ByteWriter,
    using expander: Expander? = nil
  ) throws(CompressionError) {
    guard length >= 0, length <= limit else { throw .declaredTooLong(declared: length, limit: limit) }
    guard source.count <= Int(Int32.max) else { throw .malformed }
    if codec == .none {
      guard source.count == length else { throw .malformed }
      writer.raw(source)
      return
    }
    guard length > 0 else { throw .malformed }
    let done = writer.appendUninitialized(atMost: length) { target in
      switch codec {
      case .none:
        return nil
      case .lz4:
        let size = LZ4_decompress_safe(
          source.baseAddress?.assumingMemoryBound(to: CChar.self),
          target.baseAddress?.assumingMemoryBound(to: CChar.self), Int32(source.count), Int32(length))
        return Int(size) == length ? length : nil
      case .zstandard:
        let size =
          expander?.context.map {
            ZSTD_decompressDCtx($0, target.baseAddress, length, source.baseAddress, source.count)
          } ?? ZSTD_decompress(target.baseAddress, length, source.baseAddress, source.count)
        return ZSTD_isError(size) == 0 && size == length ? length : nil
      }
    }
    guard done else { throw .malformed }
  }
}
