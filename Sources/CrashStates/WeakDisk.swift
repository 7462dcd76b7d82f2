package import MusterLog

/// A disk in memory that knows everything that a crash might leave of it, under a model weaker than any file system of
/// use:
///
/// - of each sector of 512 bytes that was written and not synced, any form it had since the last sync;
/// - of a file that was not synced any length it had, also ahead of its data, which are zeros then;
/// - of each name that was made, changed or removed since its directory was synced, what it stood for then or at any
///   time since, each on its own: of a rename both names, one or none;
/// - a directory whose name was not synced is lost with everything in it.
///
/// What is done in one order may so be found in any other. One thread at a time.
package final class WeakDisk: Storage {
  private var files: [String: WeakFile] = [:]
  private var directories: Set<String>
  /// What a name may stand for after a crash: nil for nothing, the durable one first. Only of names that may differ.
  private var names: [String: [WeakFile?]] = [:]
  /// Directories whose own name is not durable.
  private var looseDirectories: Set<String> = []

  /// Paths whose sync does nothing: as if whoever uses the disk had forgotten it.
  package var isDeafTo: (String) -> Bool = { _ in false }
  /// Called before each change: what was done so far may be all that was done.
  package var beforeChange: () throws -> Void = {}
  /// Why `beforeChange` ended the run.
  package private(set) var stopped: (any Error)?

  /// - Parameter image: what is on it, all durable.
  package init(_ image: DiskImage = DiskImage()) {
    for (path, bytes) in image.files { files[path] = WeakFile(durable: bytes) }
    directories = image.directories
  }

  private func change(_ operation: String, _ path: String) throws(StorageError) {
    do {
      if let stopped { throw stopped }
      try beforeChange()
    } catch {
      stopped = error
      throw StorageError(operation: operation, path: path, code: 0, message: "the process died: \(error)")
    }
  }

  private static func parent(_ path: String) -> String {
    path.contains("/") ? String(path.prefix { $0 != "/" }) : Layout.root
  }

  private func file(_ operation: String, _ path: String) throws(StorageError) -> WeakFile {
    guard let file = files[path] else {
      throw StorageError(operation: operation, path: path, code: 2, message: "no such file")
    }
    return file
  }

  private func setName(_ path: String, _ file: WeakFile?) {
    var forms = names[path] ?? [files[path]]
    if !forms.contains(where: { $0 === file }) { forms.append(file) }
    names[path] = forms
    files[path] = file
  }

  // MARK: Storage

  package func list(_ directory: String) throws(StorageError) -> [String] {
    let own = (Array(files.keys) + directories).filter { WeakDisk.parent($0) == directory && $0 != directory }
    return own.map { directory.isEmpty ? $0 : String($0.dropFirst(directory.count + 1)) }.sorted()
  }

  package func size(_ path: String) throws(StorageError) -> Int? { files[path]?.live.count }

  package func read(_ path: String, at offset: Int, count: Int) throws(StorageError) -> [UInt8] {
    let bytes = try file("read", path).live
    if offset == 0 && count >= bytes.count { return bytes }
    guard offset < bytes.count else { return [] }
    return Array(bytes[offset..<min(offset + count, bytes.count)])
  }

  package func makeDirectory(_ path: String) throws(StorageError) {
    try change("mkdir", path)
    guard !directories.contains(path) else { return }
    directories.insert(path)
    looseDirectories.insert(path)
  }

  package func create(_ path: String, zeros: Int) throws(StorageError) {
    try change("create", path)
    if let file = files[path] { file.empty() } else { setName(path, WeakFile(durable: [])) }
    if zeros > 0 { try file("create", path).write(at: 0, [UInt8](repeating: 0, count: zeros)) }
  }

  package func write(_ path: String, at offset: Int, _ bytes: UnsafeRawBufferPointer) throws(StorageError) {
    let file = try file("write", path)
    try change("write", path)
    file.write(at: offset, Array(bytes))
  }

  package func sync(_ path: String) throws(StorageError) {
    let file = try file("sync", path)
    try change("sync", path)
    if !isDeafTo(path) { file.sync() }
  }

  package func rename(_ path: String, to newPath: String) throws(StorageError) {
    let file = try file("rename", path)
    try change("rename", path)
    setName(path, nil)
    setName(newPath, file)
  }

  package func remove(_ path: String) throws(StorageError) {
    try change("remove", path)
    if files[path] != nil { setName(path, nil) }
  }

  package func syncDirectory(_ path: String) throws(StorageError) {
    try change("sync", path)
    guard !isDeafTo(path) else { return }
    names = names.filter { WeakDisk.parent($0.key) != path }
    if path == Layout.root { looseDirectories = [] }
  }

  // MARK: What a crash may leave

  /// Every choice that is open now.
  package func window() -> CrashWindow {
    var fixed: [(String, WeakFile)] = []
    for (path, file) in files where names[path] == nil { fixed.append((path, file)) }
    return CrashWindow(
      fixed: fixed.sorted { $0.0 < $1.0 }, names: names.sorted { $0.key < $1.key }.map { ($0.key, $0.value) },
      directories: directories.subtracting(looseDirectories).sorted(), loose: looseDirectories.sorted())
  }
}
