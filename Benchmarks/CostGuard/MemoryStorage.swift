import MusterLog

/// Files in memory that cost as little as possible, so that what is counted is ours; it counts what the log asks of a disk.
final class MemoryStorage: Storage {
  private final class File {
    var bytes: [UInt8] = []
  }

  private var files: [String: File] = [:]
  private(set) var syncs: UInt64 = 0
  private(set) var bytesWritten: UInt64 = 0

  func list(_ directory: String) throws(StorageError) -> [String] {
    files.keys.filter { $0.hasPrefix(directory + "/") }.map { String($0.dropFirst(directory.count + 1)) }.sorted()
  }

  func size(_ path: String) throws(StorageError) -> Int? { files[path]?.bytes.count }

  func read(_ path: String, at offset: Int, count: Int) throws(StorageError) -> [UInt8] {
    let file = try file("read", path)
    guard offset < file.bytes.count else { return [] }
    return Array(file.bytes[offset..<min(offset + count, file.bytes.count)])
  }

  func makeDirectory(_ path: String) throws(StorageError) {}

  func create(_ path: String, zeros: Int) throws(StorageError) {
    let file = File()
    file.bytes = [UInt8](repeating: 0, count: zeros)
    files[path] = file
  }

  func write(_ path: String, at offset: Int, _ bytes: UnsafeRawBufferPointer) throws(StorageError) {
    let file = try file("write", path)
    let end = offset + bytes.count
    if end > file.bytes.count { file.bytes += [UInt8](repeating: 0, count: end - file.bytes.count) }
    file.bytes.withUnsafeMutableBytes { target in
      UnsafeMutableRawBufferPointer(rebasing: target[offset..<end]).copyMemory(from: bytes)
    }
    bytesWritten += UInt64(bytes.count)
  }

  func sync(_ path: String) throws(StorageError) { syncs += 1 }

  func rename(_ path: String, to newPath: String) throws(StorageError) {
    files[newPath] = try file("rename", path)
    files[path] = nil
  }

  func remove(_ path: String) throws(StorageError) { files[path] = nil }

  func syncDirectory(_ path: String) throws(StorageError) { syncs += 1 }

  private func file(_ operation: String, _ path: String) throws(StorageError) -> File {
    guard let file = files[path] else {
      throw StorageError(operation: operation, path: path, code: 2, message: "no such file")
    }
    return file
  }
}
