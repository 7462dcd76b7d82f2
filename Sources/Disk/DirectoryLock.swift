internal import Glibc
package import MusterLog

/// The lock of a data directory: one writer at a time. It ends with the process, also when that is killed.
package final class DirectoryLock: Sendable {
  private let descriptor: Int32

  private init(_ descriptor: Int32) { self.descriptor = descriptor }

  deinit { close(descriptor) }

  /// Lets others write, though this value may live on.
  package func release() { flock(descriptor, LOCK_UN) }

  /// Takes the lock, or nil when another process has it.
  package static func take(_ root: String) throws(StorageError) -> DirectoryLock? {
    let path = root + "/" + Layout.lock
    let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { throw failure(path) }
    if flock(descriptor, LOCK_EX | LOCK_NB) == 0 { return DirectoryLock(descriptor) }
    let code = errno
    close(descriptor)
    if code == EWOULDBLOCK { return nil }
    throw failure(path, code)
  }

  /// True when a writer has the directory. Asks without taking, writing or waiting.
  package static func isHeld(_ root: String) -> Bool {
    let descriptor = open(root + "/" + Layout.lock, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return false }
    defer { close(descriptor) }
    if flock(descriptor, LOCK_SH | LOCK_NB) == 0 { return false }
    return errno == EWOULDBLOCK
  }

  private static func failure(_ path: String, _ code: Int32 = errno) -> StorageError {
    StorageError(operation: "lock", path: path, code: code, message: String(cString: strerror(code)))
  }
}
