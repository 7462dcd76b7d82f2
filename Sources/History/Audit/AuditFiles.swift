package import MusterAudit
package import MusterBytes
package import MusterLog

/// What stands in the folder `audit` of a data directory: tiles, notes, the signing key.
///
/// Full tiles stand where C2SP tlog-tiles wants them; those at the right edge are made from the log when they are asked
/// for.
package struct AuditFiles {
  package static let folder = "audit"
  package static let checkpoint = "audit/checkpoint"
  package static let signingKey = "audit/signing-key"
  /// The public half, for whoever checks notes.
  private static let verifierKey = "audit/verifier-key"
  private static let notes = "audit/notes"
  /// Notes that are kept beside the first.
  private static let notesMax = 100
  private static let textMax = SignedNote.bytesMax

  package let storage: any Storage

  package init(_ storage: any Storage) { self.storage = storage }

  package static func path(_ tile: Tile) -> String { "\(folder)/\(tile.path)" }

  // MARK: Small files

  /// The bytes of a small file, or nil when there is none.
  package func read(_ path: String) throws(StorageError) -> [UInt8]? {
    guard let size = try storage.size(path) else { return nil }
    return try storage.read(path, at: 0, count: min(size, AuditFiles.textMax))
  }

  package func write(_ path: String, _ bytes: [UInt8]) throws(StorageError) {
    try makeFolder(AuditFiles.folder)
    try storage.replace(path, in: AuditFiles.folder, with: bytes)
  }

  /// Makes a folder, and its name durable.
  private func makeFolder(_ path: String) throws(StorageError) {
    let parent = path.lastIndex(of: "/").map { String(path[..<$0]) } ?? Layout.root
    let name = path.split(separator: "/").last.map(String.init) ?? path
    guard try !storage.list(parent).contains(name) else { return }
    try storage.makeDirectory(path)
    try storage.syncDirectory(parent)
  }

  // MARK: The public key

  /// What notes can be checked with; empty when nothing was published yet.
  package func publishedKey() throws(StorageError) -> String {
    String(decoding: (try read(AuditFiles.verifierKey) ?? []).prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self)
  }

  package func publish(_ key: VerifierKey) throws(StorageError) {
    if try publishedKey() != key.text { try write(AuditFiles.verifierKey, Array("\(key.text)\n".utf8)) }
  }

  // MARK: Notes

  /// Keeps a note as the newest one.
  package func keep(_ note: SignedNote, size: UInt64) throws(StorageError) {
    try makeFolder(AuditFiles.folder)
    try makeFolder(AuditFiles.notes)
    try storage.replace("\(AuditFiles.notes)/\(AuditFiles.padded(size))", in: AuditFiles.notes, with: note.bytes)
    try storage.replace(AuditFiles.checkpoint, in: AuditFiles.folder, with: note.bytes)
    let names = try storage.list(AuditFiles.notes)
    for name in names.dropFirst().dropLast(AuditFiles.notesMax) { try storage.remove("\(AuditFiles.notes)/\(name)") }
  }

  /// The newest note that was signed here, or nil.
  package func newestNote() throws(HistoryError) -> SignedNote? {
    guard let bytes = try reading({ () throws(StorageError) in try read(AuditFiles.checkpoint) }) else { return nil }
    do throws(AuditError) { return try SignedNote(bytes) } catch {
      throw .log(.corrupt(Fault(file: AuditFiles.checkpoint, offset: 0, problem: "\(error)")))
    }
  }

  /// Twenty digits, so that names sort as numbers do.
  private static func padded(_ number: UInt64) -> String {
    let digits = String(number)
    return String(repeating: "0", count: 20 - digits.count) + digits
  }

  // MARK: Tiles

  /// The hashes of a full tile; nil when it is missing or has another length than a tile.
  package func tile(_ tile: Tile) throws(StorageError) -> [SHA256Value]? {
    let path = AuditFiles.path(tile)
    guard try storage.size(path) == tile.width * SHA256Value.byteCount else { return nil }
    return tile.decode(try storage.read(path, at: 0, count: tile.width * SHA256Value.byteCount))
  }

  /// Makes the folders that a tile stands in.
  package func makeFolders(for tile: Tile) throws(StorageError) {
    for folder in [AuditFiles.folder] + tile.folders.map({ "\(AuditFiles.folder)/\($0)" }) { try makeFolder(folder) }
  }

  package func write(_ tile: Tile, _ hashes: [SHA256Value]) throws(StorageError) {
    let folder = "\(AuditFiles.folder)/\(tile.folders.last ?? "")"
    try storage.replace(AuditFiles.path(tile), in: folder, with: Tile.encode(hashes))
  }

  private func reading<T>(_ body: () throws(StorageError) -> T) throws(HistoryError) -> T {
    do throws(StorageError) { return try body() } catch { throw .log(.storage(error)) }
  }
}
