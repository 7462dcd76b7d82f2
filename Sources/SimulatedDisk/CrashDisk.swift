package import MusterLog
package import MusterWorkload

/// A disk in memory that forgets as real ones do: what was not synced may be there after a crash, or not, or in part.
///
/// The model is weaker than any file system of use: each sector of 512 bytes that was written and not synced is kept
/// or lost on its own; each name that was made, changed or removed since the directory was synced is kept or lost on
/// its own; and after a sync that failed, what it should have written can be read until the power goes, and is then
/// lost, whatever is synced later. One caller at a time, whichever thread it is on.
package final class CrashDisk: Storage, @unchecked Sendable {
  private var live: [String: Inode] = [:]
  private var durable: [String: Inode] = [:]
  /// The process is gone: nothing works until `crash` or `restart` brings the disk back.
  package private(set) var isDown = false

  /// At this operation (counted from 1, writes, syncs and names alike) the process dies, before or within it.
  package var diesAtOperation: Int?
  /// At this sync an input/output error comes instead.
  package var failsAtSync: Int?
  /// Bytes that fit on the disk.
  package var capacity = Int.max
  package private(set) var syncs = 0
  package private(set) var operationCount = 0

  package init() {}

  // MARK: Crashing

  /// The machine loses its power: loses what that may lose, and brings the disk back up.
  package func crash(_ random: inout SeededGenerator) {
    var names: [String: Inode] = [:]
    for path in Set(live.keys).union(durable.keys).sorted() {
      let now = live[path]
      let before = durable[path]
      let kept = now === before || random.oneIn(2) ? now : before
      if let kept { names[path] = kept }
    }
    var seen: Set<ObjectIdentifier> = []
    for path in names.keys.sorted() {
      guard let inode = names[path], seen.insert(ObjectIdentifier(inode)).inserted else { continue }
      inode.crash(&random)
    }
    live = names
    durable = names
    restart()
  }

  /// Only the process died: what it wrote is still in memory, and the disk is up again.
  package func restart() {
    isDown = false
    diesAtOperation = nil
    failsAtSync = nil
    operationCount = 0
    syncs = 0
  }

  /// The power goes now, not at the next operation.
  package func losePower() { isDown = true }

  // MARK: Damage

  /// Changes stored bytes as rot would.
  package func flip(_ path: String, bit: Int) { live[path]?.flip(bit: bit) }

  /// Puts other bytes there, as a disk that loses or misplaces a write would.
  package func overwrite(_ path: String, at offset: Int, _ bytes: ArraySlice<UInt8>) {
    live[path]?.overwrite(bytes, at: offset)
  }

  /// Cuts a file as somebody might who should not.
  package func truncate(_ path: String, to length: Int) { live[path]?.truncate(to: length) }

  /// Another disk with the same content.
  package func copy() -> CrashDisk {
    let other = CrashDisk()
    for (path, inode) in live {
      let fresh = Inode(durable: inode.live)
      other.live[path] = fresh
      other.durable[path] = fresh
    }
    return other
  }

  // MARK: Storage

  private func failure(_ operation: String, _ path: String, _ code: Int32, _ message: String) -> StorageError {
    StorageError(operation: operation, path: path, code: code, message: message)
  }

  /// Counts an operation that changes the disk.
  private func step(_ operation: String, _ path: String) throws(StorageError) {
    guard !isDown else { throw failure(operation, path, 0, "the process is dead") }
    operationCount += 1
    if operationCount == diesAtOperation {
      isDown = true
      throw failure(operation, path, 0, "the process died")
    }
  }

  private func inode(_ operation: String, _ path: String) throws(StorageError) -> Inode {
    guard let inode = live[path] else { throw failure(operation, path, 2, "no such file") }
    return inode
  }

  /// Bytes that the files take.
  package var used: Int { live.values.reduce(0) { $0 + $1.live.count } }

  private func requireSpace(_ growth: Int, _ operation: String, _ path: String) throws(StorageError) {
    guard capacity < Int.max, growth > 0, used + growth > capacity else { return }
    throw failure(operation, path, 28, "no space left on device")
  }

  package func list(_ directory: String) throws(StorageError) -> [String] {
    let prefix = directory.isEmpty ? "" : directory + "/"
    return live.keys.filter { $0.hasPrefix(prefix) && !$0.dropFirst(prefix.count).contains("/") }
      .map { String($0.dropFirst(prefix.count)) }.sorted()
  }

  package func size(_ path: String) throws(StorageError) -> Int? { live[path]?.live.count }

  package func read(_ path: String, at offset: Int, count: Int) throws(StorageError) -> [UInt8] {
    let bytes = try inode("read", path).live
    guard offset < bytes.count else { return [] }
    if offset == 0, count >= bytes.count { return bytes }
    return Array(bytes[offset..<min(offset + count, bytes.count)])
  }

  package func makeDirectory(_ path: String) throws(StorageError) { try step("mkdir", path) }

  package func create(_ path: String, zeros: Int) throws(StorageError) {
    try step("create", path)
    try requireSpace(zeros, "create", path)
    live[path] = Inode(zeros: zeros)
  }

  package func write(_ path: String, at offset: Int, _ bytes: UnsafeRawBufferPointer) throws(StorageError) {
    let inode = try inode("write", path)
    try requireSpace(offset + bytes.count - inode.live.count, "write", path)
    // A process that dies here may have written some of it: the sectors are kept or lost one by one.
    if !isDown { inode.write(bytes, at: offset) }
    try step("write", path)
  }

  package func sync(_ path: String) throws(StorageError) {
    let inode = try inode("sync", path)
    try step("sync", path)
    syncs += 1
    if syncs == failsAtSync {
      inode.failSync()
      throw failure("sync", path, 5, "input/output error")
    }
    inode.sync()
  }

  package func rename(_ path: String, to newPath: String) throws(StorageError) {
    let inode = try inode("rename", path)
    try step("rename", path)
    live[path] = nil
    live[newPath] = inode
  }

  package func remove(_ path: String) throws(StorageError) {
    try step("remove", path)
    live[path] = nil
  }

  package func syncDirectory(_ path: String) throws(StorageError) {
    try step("sync", path)
    syncs += 1
    if syncs == failsAtSync { throw failure("sync", path, 5, "input/output error") }
    let prefix = path.isEmpty ? "" : path + "/"
    func isHere(_ name: String) -> Bool { name.hasPrefix(prefix) && !name.dropFirst(prefix.count).contains("/") }
    for name in durable.keys where isHere(name) { durable[name] = live[name] }
    for name in live.keys where isHere(name) { durable[name] = live[name] }
  }
}
