/// Why an operation on stored files failed.
public struct StorageError: Error, Equatable, Sendable, CustomStringConvertible {
  /// `write`, `sync`, `rename` …
  public var operation: String
  public var path: String
  /// The system's error number.
  public var code: Int32
  public var message: String

  public init(operation: String, path: String, code: Int32, message: String) {
    self.operation = operation
    self.path = path
    self.code = code
    self.message = message
  }

  public var description: String { "\(operation) \(path): \(message) (error \(code))" }
}

/// The files below a data directory, as the log asks for them. Paths are relative, with `/` between names.
///
/// The disk implements it with system calls, the simulator with live and durable bytes; the code that decides what to
/// write and in which order is the same above both.
public protocol Storage: AnyObject {
  /// The names in a directory, sorted; empty when there is no such directory.
  func list(_ directory: String) throws(StorageError) -> [String]
  /// Nil when there is no such file.
  func size(_ path: String) throws(StorageError) -> Int?
  /// Reads up to `count` bytes; fewer at the end of the file.
  func read(_ path: String, at offset: Int, count: Int) throws(StorageError) -> [UInt8]

  func makeDirectory(_ path: String) throws(StorageError)
  /// Makes a file of so many written zeros. It is not synced.
  func create(_ path: String, zeros: Int) throws(StorageError)
  /// Writes within a file or at its end.
  func write(_ path: String, at offset: Int, _ bytes: UnsafeRawBufferPointer) throws(StorageError)
  /// Makes a file's bytes durable. An error is final: what was written may be lost although it can be read.
  func sync(_ path: String) throws(StorageError)
  func rename(_ path: String, to newPath: String) throws(StorageError)
  func remove(_ path: String) throws(StorageError)
  /// Makes the names in a directory durable.
  func syncDirectory(_ path: String) throws(StorageError)
}

/// What is written between two syncs when nobody waits for it.
private let pieceBytes = 256 * 1024

extension Storage {
  package func write(_ path: String, at offset: Int, _ bytes: [UInt8]) throws(StorageError) {
    try write(path, at: offset, bytes[...])
  }

  package func write(_ path: String, at offset: Int, _ bytes: ArraySlice<UInt8>) throws(StorageError) {
    let result = bytes.withUnsafeBytes { raw -> Result<Void, StorageError> in
      do throws(StorageError) { return .success(try write(path, at: offset, raw)) } catch { return .failure(error) }
    }
    try result.get()
  }

  /// Puts a whole small file in place, so that after a crash there is the old one or the new one.
  package func replace(
    _ path: String, in directory: String, with bytes: [UInt8], pause: () -> Void = {}
  ) throws(StorageError) {
    let temporary = path + ".new"
    try create(temporary, zeros: 0)
    try writeInPieces(temporary, bytes, pause: pause)
    try rename(temporary, to: path)
    try syncDirectory(directory)
  }

  /// Fills a new file and makes it durable bit by bit, so that others who sync meanwhile wait for one piece at most.
  package func writeInPieces(_ path: String, _ bytes: [UInt8], pause: () -> Void) throws(StorageError) {
    var offset = 0
    while offset < bytes.count {
      let piece = bytes[offset..<min(offset + pieceBytes, bytes.count)]
      try write(path, at: offset, piece)
      try sync(path)
      offset += piece.count
      if offset < bytes.count { pause() }
    }
  }
}
