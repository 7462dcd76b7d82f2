import MusterLog

/// Files in memory that never fail: the log above it is the real one.
final class MemoryStorage: Storage {
  private var files: [String: [UInt8]] = [:]

  func list(_ directory: String) throws(StorageError) -> [String] {
    let prefix = directory == Layout.root ? "" : directory + "/"
    return files.keys.compactMap { path in
      guard path.hasPrefix(prefix) else { return nil }
      let name = String(path.dropFirst(prefix.count))
      return name.contains("/") ? nil : name
    }.sorted()
  }

  func size(_ path: String) throws(StorageError) -> Int? { files[path]?.count }

  func read(_ path: String, at offset: Int, count: Int) throws(StorageError) -> [UInt8] {
    guard let bytes = files[path], offset < bytes.count else { return [] }
    return Array(bytes[offset..<min(offset + count, bytes.count)])
  }

  func makeDirectory(_ path: String) throws(StorageError) {}

  func create(_ path: String, zeros: Int) throws(StorageError) { files[path] = [UInt8](repeating: 0, count: zeros) }

  func write(_ path: String, at offset: Int, _ bytes: UnsafeRawBufferPointer) throws(StorageError) {
    var content = files[path] ?? []
    if content.count < offset + bytes.count {
      content += [UInt8](repeating: 0, count: offset + bytes.count - content.count)
    }
    content.replaceSubrange(offset..<(offset + bytes.count), with: bytes)
    files[path] = content
  }

  func sync(_ path: String) throws(StorageError) {}

  func rename(_ path: String, to newPath: String) throws(StorageError) {
    files[newPath] = files.removeValue(forKey: path)
  }

  func remove(_ path: String) throws(StorageError) { files[path] = nil }

  func syncDirectory(_ path: String) throws(StorageError) {}
}
