internal import MusterBytes

/// The directory that a backup is kept in: a data directory that can be read, with packed segments only.
///
/// Order, and why: each file is written under another name, checked from its first byte to its last, synced, and only
/// then takes its name, the segments in the order of their revisions, each snapshot behind what it changes. So
/// whatever a run leaves that was cut short can be read, and the next run goes on from it. The manifest comes last.
package final class BackupTarget {
  private let storage: any Storage
  private let identity: LogIdentity
  private let manifest: BackupManifest
  /// The file that is being written.
  private var open: (file: BackupFile, offset: Int)?

  /// Opens the backup of a journal, or begins one in an empty directory.
  ///
  /// - Throws: `.occupied`, `.foreign`, or that the backup reaches further than the journal.
  package init(_ storage: any Storage, of listing: BackupListing) throws(LogError) {
    self.storage = storage
    identity = listing.identity
    let known = try BackupManifest.read(storage)
    manifest = known ?? BackupManifest(beginning: identity)
    if known == nil { try begin(listing.manifest.horizon) }
    guard manifest.identity == identity else {
      throw .foreign(file: "the backup (of cluster \(manifest.clusterID), timeline \(manifest.timeline))")
    }
    guard manifest.lastRevision <= listing.lastRevision else {
      throw .behind(there: manifest.lastRevision, here: listing.lastRevision)
    }
    guard try reading({ () throws(StorageError) in try storage.size(Layout.identity) }) == nil else { return }
    try DirectoryIdentity.write(storage, identity)
  }

  private func begin(_ horizon: Horizon?) throws(LogError) {
    guard try isVacant() else { throw .occupied }
    try reading { () throws(StorageError) in
      try storage.makeDirectory(Layout.log)
      try storage.makeDirectory(Layout.snapshots)
      try storage.syncDirectory(Layout.root)
    }
    // A backup of a journal that was cut begins where that does.
    if let horizon { try horizon.write(storage, identity) }
    try manifest.write(storage)
  }

  private func isVacant() throws(LogError) -> Bool {
    try reading { () throws(StorageError) in
      let ours = [
        Layout.lock, Layout.log, Layout.snapshots, Layout.backup + ".new", Layout.horizon, Layout.horizon + ".new",
      ]
      guard try storage.list(Layout.root).allSatisfy({ ours.contains($0) }) else { return false }
      let files = try storage.list(Layout.log) + storage.list(Layout.snapshots)
      return files.isEmpty
    }
  }

  // MARK: Files

  /// The files that the backup lacks, or has in an older form.
  ///
  /// - Throws: `.gap` when the journal was cut behind what the backup has.
  package func missing(from listing: BackupListing) throws(LogError) -> [BackupFile] {
    let first = listing.files.first { $0.segment != nil }?.firstRevision ?? 1
    guard manifest.lastRevision == 0 || first <= manifest.lastRevision + 1 else {
      throw .gap(after: manifest.lastRevision, before: first)
    }
    var missing: [BackupFile] = []
    for file in listing.files {
      if let held = try held(file), held.holdsTheSame(as: file) { continue }
      missing.append(file)
    }
    return missing
  }

  /// What the backup has under the name of a file; nil when there is nothing, or nothing that can be read.
  private func held(_ file: BackupFile) throws(LogError) -> BackupFile? {
    guard try reading({ () throws(StorageError) in try storage.size(file.name) }) != nil else { return nil }
    do throws(LogError) {
      if let name = file.snapshot { return try BackupSource.file(name, SnapshotStore(storage, identity)) }
      guard let name = file.segment else { return nil }
      let log = try LogReader(storage, identity: identity, only: name)
      var held = file
      held.lastRevision = log.lastRevision
      held.chain = log.segments[0].chainAfter?.withUnsafeBytes { Array($0) } ?? []
      return held
    } catch .corrupt {
      return nil
    }
  }

  /// Begins to write a file.
  package func begin(_ file: BackupFile) throws(LogError) {
    precondition(file.isSound, "only files of a journal are written")
    try reading { () throws(StorageError) in try storage.create(file.name + ".new", zeros: 0) }
    open = (file, 0)
  }

  package func append(_ bytes: [UInt8]) throws(LogError) {
    guard let current = open else { preconditionFailure("a file is begun before it is written") }
    try reading { () throws(StorageError) in
      try storage.write(current.file.name + ".new", at: current.offset, bytes)
    }
    open?.offset += bytes.count
  }

  /// Checks the file that was written, and gives it its name.
  ///
  /// - Throws: `.corrupt` when it is not what the listing said, and the backup stays as it was.
  package func finish() throws {
    guard let current = open else { preconditionFailure("a file is begun before it is finished") }
    open = nil
    let path = current.file.name
    do {
      try check(current.file)
    } catch {
      try? storage.remove(path + ".new")
      throw error
    }
    try storage.sync(path + ".new")
    try storage.rename(path + ".new", to: path)
    try storage.syncDirectory(current.file.segment == nil ? Layout.snapshots : Layout.log)
  }

  /// Every checksum of the file, and that its last block has the chain value that the listing says. What it replaces
  /// must be its beginning.
  private func check(_ file: BackupFile) throws {
    let pending = PendingFile(storage, file.name)
    if let name = file.snapshot {
      let manifest = try SnapshotStore(pending, identity).verify(name)
      guard manifest.chain == file.chain else { throw mismatch(file) }
    } else if let name = file.segment {
      var older = try held(file)
      let log = try LogReader(pending, identity: identity, only: name)
      let chain = try log.verifyChain(of: log.segments[0]) { header, chain in
        if header.lastRevision == older?.lastRevision, chain.equals(older?.chain ?? []) { older = nil }
      }
      guard chain.equals(file.chain), log.lastRevision == file.lastRevision else { throw mismatch(file) }
      if let older { throw LogError.forked(revision: older.lastRevision) }
    }
  }

  private func mismatch(_ file: BackupFile) -> LogError {
    .corrupt(
      Fault(
        file: file.name, offset: 0, revision: file.lastRevision,
        problem: "what was copied is not what the journal said it has"))
  }

  /// Ends the run: the log that is there now is read once more as a whole, then the manifest says how far it reaches.
  package func close(_ listing: BackupListing) throws {
    let log = try LogReader(storage, identity: identity, confirmed: listing.lastRevision)
    guard log.segments.last?.chainAfter?.equals(listing.manifest.chain) == true else {
      throw LogError.forked(revision: listing.lastRevision)
    }
    try listing.manifest.write(storage)
  }
}

extension SHA256Value {
  package func equals(_ bytes: [UInt8]) -> Bool { withUnsafeBytes { $0.elementsEqual(bytes) } }
}

/// Shows one file that is written under another name as if it had its own already. It is only read.
private final class PendingFile: Storage {
  private let storage: any Storage
  private let path: String

  init(_ storage: any Storage, _ path: String) {
    self.storage = storage
    self.path = path
  }

  private func actual(_ path: String) -> String { path == self.path ? path + ".new" : path }

  func list(_ directory: String) throws(StorageError) -> [String] { try storage.list(directory) }
  func size(_ path: String) throws(StorageError) -> Int? { try storage.size(actual(path)) }

  func read(_ path: String, at offset: Int, count: Int) throws(StorageError) -> [UInt8] {
    try storage.read(actual(path), at: offset, count: count)
  }

  private func refuse(_ path: String) -> StorageError {
    StorageError(operation: "write", path: path, code: 0, message: "this file is only read")
  }

  func makeDirectory(_ path: String) throws(StorageError) { throw refuse(path) }
  func create(_ path: String, zeros: Int) throws(StorageError) { throw refuse(path) }
  func write(_ path: String, at offset: Int, _ bytes: UnsafeRawBufferPointer) throws(StorageError) {
    throw refuse(path)
  }
  func sync(_ path: String) throws(StorageError) { throw refuse(path) }
  func rename(_ path: String, to newPath: String) throws(StorageError) { throw refuse(path) }
  func remove(_ path: String) throws(StorageError) { throw refuse(path) }
  func syncDirectory(_ path: String) throws(StorageError) { throw refuse(path) }
}
