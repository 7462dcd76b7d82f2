/// Files in memory, which are only read.
package final class HeldFiles: Storage {
  package var files: [String: [UInt8]] = [:]

  package init() {}

  package func list(_ directory: String) throws(StorageError) -> [String] {
    files.keys.filter { $0.hasPrefix(directory + "/") }.map { String($0.dropFirst(directory.count + 1)) }.sorted()
  }

  package func size(_ path: String) throws(StorageError) -> Int? { files[path]?.count }

  package func read(_ path: String, at offset: Int, count: Int) throws(StorageError) -> [UInt8] {
    guard let bytes = files[path], offset < bytes.count else { return [] }
    return Array(bytes[offset..<min(offset + count, bytes.count)])
  }

  private func refuse(_ operation: String, _ path: String) -> StorageError {
    StorageError(operation: operation, path: path, code: 0, message: "these files are only read")
  }

  package func makeDirectory(_ path: String) throws(StorageError) { throw refuse("mkdir", path) }
  package func create(_ path: String, zeros: Int) throws(StorageError) { throw refuse("create", path) }
  package func write(_ path: String, at offset: Int, _ bytes: UnsafeRawBufferPointer) throws(StorageError) {
    throw refuse("write", path)
  }
  package func sync(_ path: String) throws(StorageError) { throw refuse("sync", path) }
  package func rename(_ path: String, to newPath: String) throws(StorageError) { throw refuse("rename", path) }
  package func remove(_ path: String) throws(StorageError) { throw refuse("remove", path) }
  package func syncDirectory(_ path: String) throws(StorageError) { throw refuse("sync", path) }
}
