internal import Crypto
internal import Glibc
internal import MusterBytes
internal import MusterHosting

/// The files of a replica on disk.
package struct FileTree {
  let root: String

  private static let chunk = 256 * 1024
  /// A file holds still once it was not written for so long, in nanoseconds. Times of files are coarse: two writes within
  /// one of their ticks look like one, and the time stands before the bytes do.
  private static let stillness: UInt64 = 200_000_000

  struct Seen: Equatable {
    var path: String
    var bytes: UInt64
    var changed: UInt64
  }

  /// Every ordinary file, in the order of paths. Links and devices are passed over.
  func files() throws -> [Seen] {
    var found: [Seen] = []
    try walk("", &found)
    return found.sorted { $0.path < $1.path }
  }

  private func walk(_ place: String, _ found: inout [Seen]) throws {
    for name in FileText.names(in: place.isEmpty ? root : "\(root)/\(place)") {
      let path = place.isEmpty ? name : "\(place)/\(name)"
      guard FileManifest.isPath(path[...]) else { continue }
      var status = stat()
      guard lstat("\(root)/\(path)", &status) == 0 else { continue }
      switch status.st_mode & S_IFMT {
      case S_IFDIR: try walk(path, &found)
      case S_IFREG: found.append(FileTree.seen(path, status))
      default: continue
      }
      guard found.count <= FileManifest.filesMax else {
        throw HostProblem.notNow("more than \(FileManifest.filesMax) files")
      }
    }
  }

  private static func seen(_ path: String, _ status: stat) -> Seen {
    let nanoseconds = UInt64(clamping: status.st_mtim.tv_sec) * 1_000_000_000 + UInt64(clamping: status.st_mtim.tv_nsec)
    return Seen(path: path, bytes: UInt64(clamping: status.st_size), changed: nanoseconds)
  }

  /// Reads a file and says what is in it.
  ///
  /// - Returns: nil when it was changed just now, or while it was read, or is gone.
  func entry(_ seen: Seen) throws -> FileEntry? {
    guard !FileTree.isRecent(seen.changed), let digest = try FileTree.digest("\(root)/\(seen.path)") else { return nil }
    var status = stat()
    guard lstat("\(root)/\(seen.path)", &status) == 0, FileTree.seen(seen.path, status) == seen else { return nil }
    return FileEntry(path: seen.path, bytes: seen.bytes, changed: seen.changed, digest: digest)
  }

  /// A time in the future is no reason to wait for it.
  private static func isRecent(_ changed: UInt64) -> Bool {
    var time = timespec()
    clock_gettime(CLOCK_REALTIME, &time)
    let now = UInt64(clamping: time.tv_sec) &* 1_000_000_000 &+ UInt64(clamping: time.tv_nsec)
    return now > changed ? now - changed < stillness : changed - now < stillness
  }

  /// SHA-256 of a file's content; nil when it is not there.
  package static func digest(_ path: String) throws -> String? {
    let file = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
    guard file >= 0 else {
      if errno == ENOENT { return nil }
      throw FileText.problem("read", path)
    }
    defer { close(file) }
    var hash = SHA256()
    var buffer = [UInt8](repeating: 0, count: chunk)
    while true {
      let count = Glibc.read(file, &buffer, buffer.count)
      guard count >= 0 else { throw FileText.problem("read", path) }
      if count == 0 { break }
      buffer.withUnsafeBytes { hash.update(bufferPointer: UnsafeRawBufferPointer(rebasing: $0[..<count])) }
    }
    return hexadecimal(hash.finalize())
  }

  /// Part of a file; fewer bytes at its end.
  func read(_ path: String, at offset: UInt64, most: Int) throws -> [UInt8] {
    let file = open("\(root)/\(path)", O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
    guard file >= 0 else { throw FileText.problem("read", path) }
    defer { close(file) }
    guard let place = off_t(exactly: offset) else { return [] }
    let wanted = min(most, FileTree.chunk)
    let bytes = [UInt8](unsafeUninitializedCapacity: wanted) { buffer, count in
      count = max(0, pread(file, buffer.baseAddress, wanted, place))
    }
    return bytes
  }

  /// Puts a file that was received whole in its place, with the directories above it.
  func install(_ received: String, as path: String) throws {
    let parts = path.split(separator: "/")
    for depth in 1..<max(parts.count, 1) {
      let directory = "\(root)/\(parts[..<depth].joined(separator: "/"))"
      guard mkdir(directory, 0o700) == 0 || errno == EEXIST else { throw FileText.problem("make", directory) }
    }
    guard rename(received, "\(root)/\(path)") == 0 else { throw FileText.problem("install", path) }
    try FileText.syncDirectory(of: "\(root)/\(path)")
  }

  func remove(_ path: String) throws { try FileText.delete("\(root)/\(path)") }

  /// What a file looks like now, for the manifest; nil when it is not there.
  func look(_ path: String) -> Seen? {
    var status = stat()
    return lstat("\(root)/\(path)", &status) == 0 ? FileTree.seen(path, status) : nil
  }
}
