internal import Glibc
public import MusterLog
internal import Synchronization

/// Files below a directory, by system calls. Safe to use from several threads.
///
/// Directories are made with mode 0700 and files with 0600.
public final class FileStorage: Storage, Sendable {
  public let root: String
  private let files = Mutex<[String: OpenFile]>([:])
  /// Open files kept for the next use; more than any journal needs at once.
  private static let filesKept = 64

  public init(root: String) { self.root = root }

  private func absolute(_ path: String) -> String { path.isEmpty ? root : root + "/" + path }

  public func list(_ directory: String) throws(StorageError) -> [String] {
    guard let stream = opendir(absolute(directory)) else {
      if errno == ENOENT { return [] }
      throw failed("list", directory)
    }
    defer { closedir(stream) }
    var names: [String] = []
    while let entry = readdir(stream) {
      let name = withUnsafeBytes(of: &entry.pointee.d_name) { raw in
        String(decoding: raw.prefix { $0 != 0 }, as: UTF8.self)
      }
      if name != "." && name != ".." { names.append(name) }
    }
    return names.sorted()
  }

  public func size(_ path: String) throws(StorageError) -> Int? {
    var status = stat()
    if stat(absolute(path), &status) == 0 { return Int(status.st_size) }
    if errno == ENOENT { return nil }
    throw failed("stat", path)
  }

  public func read(_ path: String, at offset: Int, count: Int) throws(StorageError) -> [UInt8] {
    guard count > 0 else { return [] }
    let file = try open(path, O_RDONLY)
    var problem: Int32 = 0
    let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
      while filled < count {
        let got = pread(file.descriptor, buffer.baseAddress.map { $0 + filled }, count - filled, off_t(offset + filled))
        if got < 0 && errno == EINTR { continue }
        if got < 0 { problem = errno }
        if got <= 0 { break }
        filled += got
      }
    }
    guard problem == 0 else { throw failed("read", path, problem) }
    return bytes
  }

  /// Makes the directory itself, and its name durable.
  package func makeRoot() throws(StorageError) {
    try makeDirectory("")
    var name = root[...]
    while name.count > 1, name.last == "/" { name.removeLast() }
    let parent = name.lastIndex(of: "/").map { $0 == name.startIndex ? "/" : String(name[..<$0]) } ?? "."
    try syncDirectory(at: parent)
  }

  public func makeDirectory(_ path: String) throws(StorageError) {
    if mkdir(absolute(path), 0o700) != 0 && errno != EEXIST { throw failed("mkdir", path) }
  }

  public func create(_ path: String, zeros: Int) throws(StorageError) {
    forget(path)
    let descriptor = Glibc.open(absolute(path), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { throw failed("create", path) }
    keep(path, OpenFile(descriptor, isWritable: true))
    let piece = [UInt8](repeating: 0, count: min(zeros, 1 << 20))
    var offset = 0
    while offset < zeros {
      let length = min(piece.count, zeros - offset)
      try write(path, at: offset, Array(piece.prefix(length)))
      offset += length
    }
  }

  public func write(_ path: String, at offset: Int, _ bytes: UnsafeRawBufferPointer) throws(StorageError) {
    let file = try open(path, O_RDWR)
    var done = 0
    while done < bytes.count {
      let put = pwrite(file.descriptor, bytes.baseAddress.map { $0 + done }, bytes.count - done, off_t(offset + done))
      if put < 0 && errno == EINTR { continue }
      guard put > 0 else { throw failed("write", path, put == 0 ? ENOSPC : errno) }
      done += put
    }
  }

  public func sync(_ path: String) throws(StorageError) {
    let file = try open(path, O_RDWR)
    guard fdatasync(file.descriptor) == 0 else { throw failed("sync", path) }
  }

  public func rename(_ path: String, to newPath: String) throws(StorageError) {
    guard Glibc.rename(absolute(path), absolute(newPath)) == 0 else { throw failed("rename", path) }
    let file = files.withLock { $0.removeValue(forKey: path) }
    forget(newPath)
    if let file { keep(newPath, file) }
  }

  public func remove(_ path: String) throws(StorageError) {
    forget(path)
    if unlink(absolute(path)) != 0 && errno != ENOENT { throw failed("remove", path) }
  }

  public func syncDirectory(_ path: String) throws(StorageError) {
    try syncDirectory(at: absolute(path))
  }

  private func syncDirectory(at path: String) throws(StorageError) {
    let descriptor = Glibc.open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard descriptor >= 0 else { throw failed("open", at: path) }
    defer { close(descriptor) }
    guard fsync(descriptor) == 0 else { throw failed("sync", at: path) }
  }

  // MARK: Open files

  private func open(_ path: String, _ mode: Int32) throws(StorageError) -> OpenFile {
    let wantsWriting = mode != O_RDONLY
    if let known = files.withLock({ $0[path] }), known.isWritable || !wantsWriting { return known }
    let descriptor = Glibc.open(absolute(path), mode | O_CLOEXEC)
    guard descriptor >= 0 else { throw failed("open", path) }
    let file = OpenFile(descriptor, isWritable: wantsWriting)
    keep(path, file)
    return file
  }

  private func keep(_ path: String, _ file: OpenFile) {
    files.withLock { files in
      if files.count >= FileStorage.filesKept { files.removeAll() }
      files[path] = file
    }
  }

  private func forget(_ path: String) { files.withLock { files in files[path] = nil } }

  private func failed(_ operation: String, _ path: String, _ code: Int32 = errno) -> StorageError {
    failed(operation, at: absolute(path), code)
  }

  private func failed(_ operation: String, at path: String, _ code: Int32 = errno) -> StorageError {
    StorageError(operation: operation, path: path, code: code, message: String(cString: strerror(code)))
  }
}

/// A descriptor that is closed when nobody uses it any more.
private final class OpenFile: Sendable {
  let descriptor: Int32
  let isWritable: Bool

  init(_ descriptor: Int32, isWritable: Bool) {
    self.descriptor = descriptor
    self.isWritable = isWritable
  }

  deinit { close(descriptor) }
}
