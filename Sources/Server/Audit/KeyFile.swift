internal import Glibc
internal import MusterAudit
internal import MusterDisk
internal import MusterHistory
internal import MusterLog

/// The file with the signing key, which only its owner can read.
enum KeyFile {
  /// Reads the key, or makes one where none is yet.
  ///
  /// - Parameters:
  ///   - path: nil for the one of the data directory.
  ///   - isSigned: something was signed here before, so a missing key is not made anew.
  static func open(
    _ path: String?, _ files: AuditFiles, root: String, name: String, isSigned: Bool
  ) throws -> SigningKey {
    let path = path ?? "\(root)/\(AuditFiles.signingKey)"
    if let text = try read(path) {
      do throws(AuditError) { return try SigningKey(text) } catch { throw ServerError.badKey(path, "\(error)") }
    }
    guard !isSigned else {
      throw ServerError.badKey(
        path, "it is missing, and checkpoints were signed with it: put it back, or give --signing-key")
    }
    let key = try SigningKey(name: name, seed: randomBytes(SigningKey.seedBytes))
    let folder = path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
    let file = path.lastIndex(of: "/").map { String(path[path.index(after: $0)...]) } ?? path
    if folder == "\(root)/\(AuditFiles.folder)" {
      try files.write(AuditFiles.signingKey, Array("\(key.text)\n".utf8))
    } else {
      try FileStorage(root: folder.isEmpty ? "/" : folder).replace(file, in: "", with: Array("\(key.text)\n".utf8))
    }
    return key
  }

  private static func read(_ path: String) throws -> String? {
    var status = stat()
    guard stat(path, &status) == 0 else {
      if errno == ENOENT { return nil }
      throw ServerError.badKey(path, String(cString: strerror(errno)))
    }
    guard status.st_mode & 0o077 == 0 else {
      throw ServerError.badKey(path, "others can read it: chmod 600 \(path)")
    }
    guard status.st_mode & S_IFMT == S_IFREG, status.st_size <= 4096 else {
      throw ServerError.badKey(path, "it is no file with a key")
    }
    let descriptor = Glibc.open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw ServerError.badKey(path, String(cString: strerror(errno))) }
    defer { close(descriptor) }
    var bytes = [UInt8](repeating: 0, count: 4096)
    let count = Glibc.read(descriptor, &bytes, bytes.count)
    guard count >= 0 else { throw ServerError.badKey(path, String(cString: strerror(errno))) }
    return String(decoding: bytes[..<count].prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self)
  }

  private static func randomBytes(_ count: Int) -> [UInt8] {
    // On Linux this generator is the kernel's.
    var generator = SystemRandomNumberGenerator()
    return (0..<count).map { _ in UInt8.random(in: .min ... .max, using: &generator) }
  }
}
