import Glibc
import MusterBytes
import MusterDisk
import MusterLog
import Synchronization

/// A directory of its own for one test; gone when the test ends.
final class Scratch {
  let path: String

  init() {
    var name = Array("/tmp/muster-disk-XXXXXX".utf8CString)
    precondition(mkdtemp(&name) != nil, "a temporary directory can be made")
    path = String(decoding: name.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  deinit { Scratch.remove(path) }

  /// A journal's directory within.
  var data: String { path + "/data" }

  private static func remove(_ path: String) {
    for name in (try? FileStorage(root: path).list("")) ?? [] { remove(path + "/" + name) }
    if unlink(path) != 0 { rmdir(path) }
  }
}

extension Journal {
  static let testIdentity = LogIdentity(clusterID: "00112233445566778899aabbccddeeff", timeline: 1)

  static var testOptions: JournalOptions {
    var options = JournalOptions()
    options.segmentBytes = 64 * 1024
    return options
  }

  /// Makes a journal and opens it.
  static func fresh(_ directory: String) throws -> Journal {
    try Journal.create(directory, identity: testIdentity, options: testOptions)
    return try Journal.open(directory, options: testOptions)
  }

  /// Appends one block.
  func append(_ commits: [[UInt8]], time: UInt64 = 0) throws {
    var builder = builder()
    for commit in commits { builder.append(commit) }
    try append(
      builder.seal(
        origin: BlockOrigin(timeline: 1, term: 1, run: run), firstRevision: lastRevision + 1, time: time,
        eventCount: UInt32(commits.count), digest: SetDigest()))
  }
}

extension JournalReader {
  func commits(from: UInt64 = 1, through: UInt64 = .max) throws -> [[UInt8]] {
    var found: [[UInt8]] = []
    try forEachCommit(from: from, through: through) { bytes, _ in
      found.append(Array(bytes))
      return true
    }
    return found
  }
}

/// Bytes that tell a revision, some compressible.
func commit(_ revision: Int, bytes: Int = 200) -> [UInt8] {
  (0..<bytes).map { UInt8(truncatingIfNeeded: $0 &* revision &+ revision) }
}

/// Real files that fail when they are told to.
final class FaultyStorage: Storage, Sendable {
  private let files: FileStorage
  private let faults = Mutex(Faults())

  private struct Faults {
    var isFull = false
    var failingSync: String?
  }

  init(_ root: String) { files = FileStorage(root: root) }

  /// New segments find no space.
  func fill(_ isFull: Bool) { faults.withLock { $0.isFull = isFull } }

  /// Syncs of paths that end so fail.
  func failSync(_ ending: String) { faults.withLock { $0.failingSync = ending } }

  func list(_ directory: String) throws(StorageError) -> [String] { try files.list(directory) }
  func size(_ path: String) throws(StorageError) -> Int? { try files.size(path) }
  func read(_ path: String, at offset: Int, count: Int) throws(StorageError) -> [UInt8] {
    try files.read(path, at: offset, count: count)
  }
  func makeDirectory(_ path: String) throws(StorageError) { try files.makeDirectory(path) }
  func create(_ path: String, zeros: Int) throws(StorageError) {
    if faults.withLock({ $0.isFull }) {
      throw StorageError(operation: "create", path: path, code: ENOSPC, message: "no space left on device")
    }
    try files.create(path, zeros: zeros)
  }
  func write(_ path: String, at offset: Int, _ bytes: UnsafeRawBufferPointer) throws(StorageError) {
    try files.write(path, at: offset, bytes)
  }
  func sync(_ path: String) throws(StorageError) {
    if let ending = faults.withLock({ $0.failingSync }), path.hasSuffix(ending) {
      throw StorageError(operation: "sync", path: path, code: EIO, message: "input/output error")
    }
    try files.sync(path)
  }
  func rename(_ path: String, to newPath: String) throws(StorageError) { try files.rename(path, to: newPath) }
  func remove(_ path: String) throws(StorageError) { try files.remove(path) }
  func syncDirectory(_ path: String) throws(StorageError) { try files.syncDirectory(path) }
}
