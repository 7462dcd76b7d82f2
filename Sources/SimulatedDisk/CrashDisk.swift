package import MusterLog
package import MusterWorkload

/// A disk in memory that forgets as real ones do: what was not synced may be there after a crash, or not, or in part.
///
/// The model is weaker than any file system of use: each sector of 512 bytes that was written and not synced is kept
/// or lost on its own; each name that was made, changed or removed since the directory was synced is kept or lost on
/// its own. One caller at a time, whichever thread it is on.
package final class CrashDisk: Storage, @unchecked Sendable {
  private final class Inode {
    var live: [UInt8] = []
    var durable: [UInt8] = []
  }

  private var live: [String: Inode] = [:]
  private var durable: [String: Inode] = [:]
  private var operations = 0
  /// The process is gone: nothing works until `crash` brings the disk back.
  package private(set) var isDown = false

  /// At this operation (counted from 1, writes, syncs and names alike) the process dies, before or within it.
  package var diesAtOperation: Int?
  /// At this sync an input/output error comes instead.
  package var failsAtSync: Int?
  /// Bytes that fit on the disk.
  package var capacity = Int.max
  package private(set) var syncs = 0

  package init() {}

  package var operationCount: Int { operations }

  // MARK: Crashing

  /// Loses what a crash may lose, and brings the disk back up.
  package func crash(_ random: inout SeededGenerator) {
    var names: [String: Inode] = [:]
    for path in Set(live.keys).union(durable.keys).sorted() {
      let now = live[path]
      let before = durable[path]
      let kept = now === before || random.oneIn(2) ? now : before
      if let kept { names[path] = kept }
    }
    var seen: [ObjectIdentifier] = []
    for path in names.keys.sorted() {
      guard let inode = names[path], !seen.contains(ObjectIdentifier(inode)) else { continue }
      seen.append(ObjectIdentifier(inode))
      inode.live = CrashDisk.mix(inode.live, inode.durable, &random)
      inode.durable = inode.live
    }
    live = names
    durable = names
    isDown = false
    diesAtOperation = nil
    failsAtSync = nil
    operations = 0
    syncs = 0
  }

  private static func mix(_ live: [UInt8], _ durable: [UInt8], _ random: inout SeededGenerator) -> [UInt8] {
    guard live != durable else { return durable }
    var mixed = random.oneIn(2) ? live : Array(durable) + live.dropFirst(durable.count)
    if mixed.count > durable.count, random.oneIn(4) { mixed.removeLast(mixed.count - durable.count) }
    for start in stride(from: 0, to: mixed.count, by: 512) {
      let end = min(start + 512, mixed.count)
      let source = random.oneIn(2) ? live : durable
      for place in start..<end { mixed[place] = place < source.count ? source[place] : 0 }
    }
    return mixed
  }

  /// Changes stored bytes as rot would.
  package func flip(_ path: String, bit: Int) {
    guard let inode = live[path], bit / 8 < inode.live.count else { return }
    inode.live[bit / 8] ^= 1 << (bit % 8)
    inode.durable = inode.live
  }

  /// Cuts a file as somebody might who should not.
  package func truncate(_ path: String, to length: Int) {
    guard let inode = live[path] else { return }
    inode.live = Array(inode.live.prefix(length))
    inode.durable = inode.live
  }

  /// Another disk with the same content.
  package func copy() -> CrashDisk {
    let other = CrashDisk()
    for (path, inode) in live {
      let fresh = Inode()
      fresh.live = inode.live
      fresh.durable = inode.live
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
    operations += 1
    if operations == diesAtOperation {
      isDown = true
      throw failure(operation, path, 0, "the process died")
    }
  }

  private func inode(_ operation: String, _ path: String) throws(StorageError) -> Inode {
    guard let inode = live[path] else { throw failure(operation, path, 2, "no such file") }
    return inode
  }

  private var used: Int { live.values.reduce(0) { $0 + $1.live.count } }

  package func list(_ directory: String) throws(StorageError) -> [String] {
    let prefix = directory.isEmpty ? "" : directory + "/"
    return live.keys.filter { $0.hasPrefix(prefix) && !$0.dropFirst(prefix.count).contains("/") }
      .map { String($0.dropFirst(prefix.count)) }.sorted()
  }

  package func size(_ path: String) throws(StorageError) -> Int? { live[path]?.live.count }

  package func read(_ path: String, at offset: Int, count: Int) throws(StorageError) -> [UInt8] {
    let bytes = try inode("read", path).live
    guard offset < bytes.count else { return [] }
    return Array(bytes[offset..<min(offset + count, bytes.count)])
  }

  package func makeDirectory(_ path: String) throws(StorageError) { try step("mkdir", path) }

  package func create(_ path: String, zeros: Int) throws(StorageError) {
    try step("create", path)
    guard used + zeros <= capacity else { throw failure("create", path, 28, "no space left on device") }
    let inode = Inode()
    inode.live = [UInt8](repeating: 0, count: zeros)
    live[path] = inode
  }

  package func write(_ path: String, at offset: Int, _ bytes: UnsafeRawBufferPointer) throws(StorageError) {
    let inode = try inode("write", path)
    let growth = max(0, offset + bytes.count - inode.live.count)
    guard used + growth <= capacity else { throw failure("write", path, 28, "no space left on device") }
    if growth > 0 { inode.live += [UInt8](repeating: 0, count: growth) }
    // A process that dies here may have written some of it: the sectors are kept or lost one by one.
    for place in 0..<bytes.count { inode.live[offset + place] = bytes[place] }
    try step("write", path)
  }

  package func sync(_ path: String) throws(StorageError) {
    let inode = try inode("sync", path)
    try step("sync", path)
    syncs += 1
    if syncs == failsAtSync { throw failure("sync", path, 5, "input/output error") }
    inode.durable = inode.live
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
