internal import CZlib

/// The zlib format (RFC 1950), which every language's standard library reads: for files that others check.
package enum Deflate {
  package static func compress(_ bytes: [UInt8]) -> [UInt8] {
    var length = compressBound(UInt(bytes.count))
    var target = [UInt8](repeating: 0, count: Int(length))
    let code = compress2(&target, &length, bytes, UInt(bytes.count), Z_DEFAULT_COMPRESSION)
    precondition(code == Z_OK, "a buffer of the bound's length holds what is compressed")
    return Array(target.prefix(Int(length)))
  }

  /// The bytes, or nil when they are not exactly `length`.
  ///
  /// - Parameter limit: the longest that `length` may be; it is checked before anything is allocated.
  package static func expand(_ bytes: [UInt8], length: Int, limit: Int) -> [UInt8]? {
    guard (0...limit).contains(length) else { return nil }
    var got = UInt(max(length, 1))
    var taken = UInt(bytes.count)
    var target = [UInt8](repeating: 0, count: max(length, 1))
    guard uncompress2(&target, &got, bytes, &taken) == Z_OK, got == UInt(length), taken == UInt(bytes.count) else {
      return nil
    }
    return Array(target.prefix(length))
  }
}
