package import MusterBytes

/// How agents ask each other for files.
///
/// A request is 26 bytes and a path: `MDT1`, kind, a zero, shard (u32), offset (u64), most bytes (u32), length of the
/// path (u32); an answer is 9 bytes and its content: status (0 for done), length (u32), CRC32C of the content (u32).
/// Numbers are big-endian.
package enum FileProtocol {
  package enum Kind: UInt8 {
    /// `HISTORY OFFSET`: how far the replica is.
    case head = 1
    case manifest = 2
    case content = 3
  }

  package struct Request: Equatable {
    var kind: Kind
    var shard: UInt32
    var offset: UInt64 = 0
    var most: UInt32 = 0
    var path = ""

    package init(kind: Kind, shard: UInt32, offset: UInt64 = 0, most: UInt32 = 0, path: String = "") {
      self.kind = kind
      self.shard = shard
      self.offset = offset
      self.most = most
      self.path = path
    }
  }

  static let magic = Array("MDT1".utf8)
  static let requestHead = 26
  static let answerHead = 9

  package static func bytes(_ request: Request) -> [UInt8] {
    magic + [request.kind.rawValue, 0] + big(request.shard) + big(request.offset) + big(request.most)
      + big(UInt32(request.path.utf8.count)) + Array(request.path.utf8)
  }

  /// - Returns: the request and the bytes it took, or nil while it is not whole.
  /// - Throws: when it is none.
  package static func request(_ bytes: [UInt8]) throws(WireError) -> (Request, Int)? {
    guard bytes.count >= requestHead else {
      guard zip(bytes, magic).allSatisfy(==) else { throw .noAlternative }
      return nil
    }
    guard Array(bytes[..<4]) == magic, let kind = Kind(rawValue: bytes[4]), bytes[5] == 0 else { throw .noAlternative }
    let length = Int(number(bytes, 22, 4))
    guard length <= FileManifest.pathBytes else { throw .noAlternative }
    guard bytes.count >= requestHead + length else { return nil }
    let path = String(decoding: bytes[requestHead..<(requestHead + length)], as: UTF8.self)
    guard path.isEmpty || FileManifest.isPath(path[...]) else { throw .noAlternative }
    let request = Request(
      kind: kind, shard: UInt32(number(bytes, 6, 4)), offset: number(bytes, 10, 8), most: UInt32(number(bytes, 18, 4)),
      path: path)
    return (request, requestHead + length)
  }

  static func answer(_ content: [UInt8]?) -> [UInt8] {
    guard let content else { return [1] + big(UInt32(0)) + big(CRC32C.checksum([])) }
    return [0] + big(UInt32(content.count)) + big(CRC32C.checksum(content)) + content
  }

  /// - Precondition: `count` bytes are there, at most eight.
  static func number(_ bytes: [UInt8], _ start: Int, _ count: Int) -> UInt64 {
    bytes[start..<(start + count)].reduce(0) { $0 << 8 | UInt64($1) }
  }

  private static func big(_ number: some FixedWidthInteger) -> [UInt8] {
    withUnsafeBytes(of: number.bigEndian) { Array($0) }
  }
}
