import MusterDisk
import MusterLog

/// A directory that is written to by one process at a time: a backup, or what is restored or repaired.
struct LockedDirectory {
  let path: String
  let storage: FileStorage
  private let lock: DirectoryLock

  /// Makes the directory when it is absent.
  init(_ path: String) throws {
    self.path = path
    storage = FileStorage(root: path)
    let taken: DirectoryLock?
    do throws(StorageError) {
      try storage.makeRoot()
      taken = try DirectoryLock.take(path)
    } catch {
      throw JournalError.log(.storage(error), directory: path)
    }
    guard let taken else { throw JournalError.locked(path) }
    lock = taken
  }

  /// Says whose directory an error is about.
  func opened<T>(_ body: () throws(LogError) -> T) throws(JournalError) -> T {
    do throws(LogError) { return try body() } catch { throw .log(error, directory: path) }
  }
}
