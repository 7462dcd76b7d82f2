internal import Glibc
package import MusterLog

/// The lock of a data directory: one writer at a time. It ends with the process, also when that is killed.
///
/// A lock of the open file description (`F_OFD_SETLK`): unlike `flock` it can be asked for without being taken, so
/// that a reader that looks never keeps a writer out.
package final class DirectoryLock: Sendable {
  private let descriptor: Int32
  /// `F_OFD_SETLK` and `F_OFD_GETLK` of Linux, which the C library shows only to GNU sources.
  private static let set: Int32 = 37
  private static let get: Int32 = 36

  private init(_ descriptor: Int32) { self.descriptor = descriptor }

  deinit { close(descriptor) }

  /// Takes the lock, or nil when another process has it.
  package static func take(_ root: String) throws(StorageError) -> DirectoryLock? {
    let path = root + "/" + Layout.lock
    let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { throw failure(path) }
    var whole = request(F_WRLCK)
    if fcntl(descriptor, set, &whole) == 0 { return DirectoryLock(descriptor) }
    let code = errno
    close(descriptor)
    if code == EAGAIN || code == EACCES { return nil }
    throw failure(path, code)
  }

  /// Lets others write, though this value may live on.
  package func release() {
    var whole = DirectoryLock.request(F_UNLCK)
    _ = fcntl(descriptor, DirectoryLock.set, &whole)
  }

  /// True when a writer has the directory. Asks without taking, writing or waiting.
  package static func isHeld(_ root: String) -> Bool {
    let descriptor = open(root + "/" + Layout.lock, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return false }
    defer { close(descriptor) }
    var whole = request(F_WRLCK)
    return fcntl(descriptor, get, &whole) == 0 && whole.l_type != F_UNLCK
  }

  /// All of the file, from its beginning.
  private static func request(_ type: Int32) -> flock {
    var request = flock()
    request.l_type = Int16(type)
    request.l_whence = Int16(SEEK_SET)
    return request
  }

  private static func failure(_ path: String, _ code: Int32 = errno) -> StorageError {
    StorageError(operation: "lock", path: path, code: code, message: String(cString: strerror(code)))
  }
}
