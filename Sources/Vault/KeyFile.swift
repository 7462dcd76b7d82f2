internal import MusterBytes
internal import MusterKernel

/// The file of one key, 52 bytes: `musterk1`, tenant (4) and number (4) little-endian, the key (32), and the CRC-32C of
/// all that (4).
enum KeyFile {
  static let byteCount = 52
  private static let magic = Array("musterk1".utf8)
  private static let secretBytes = 32

  static func bytes(_ key: SealingKey, _ secret: [UInt8]) -> [UInt8] {
    precondition(secret.count == secretBytes, "a key is of 256 bits")
    var writer = ByteWriter(capacity: byteCount)
    writer.raw(magic)
    writer.fixed(key.tenant)
    writer.fixed(key.number)
    writer.raw(secret)
    writer.fixed(CRC32C.checksum(writer.bytes))
    return writer.array()
  }

  /// The key in a file; nil when the file is not that key's, or is damaged.
  static func secret(_ file: [UInt8], of key: SealingKey) -> [UInt8]? {
    guard file.count == byteCount else { return nil }
    let secret = Array(file[16..<48])
    return bytes(key, secret) == file ? secret : nil
  }
}

extension SealingKey {
  var path: String { "\(tenant)-\(number).key" }

  init?(path: String) {
    guard path.hasSuffix(".key") else { return nil }
    let words = path.dropLast(4).split(separator: "-", omittingEmptySubsequences: false)
    guard words.count == 2, let tenant = UInt32(words[0]), let number = UInt32(words[1]) else { return nil }
    self.init(tenant: tenant, number: number)
    guard self.path == path else { return nil }
  }
}
