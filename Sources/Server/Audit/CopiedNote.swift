internal import MusterAudit
internal import MusterDisk
internal import MusterHistory
internal import MusterLog

/// The second place for the newest note: a file anywhere.
final class CopiedNote: NoteCopy {
  let place: String
  private let storage: FileStorage
  private let name: String

  init(_ path: String) {
    place = path
    let slash = path.lastIndex(of: "/")
    let folder = slash.map { String(path[..<$0]) } ?? "."
    storage = FileStorage(root: folder.isEmpty ? "/" : folder)
    name = slash.map { String(path[path.index(after: $0)...]) } ?? path
  }

  func read() throws -> SignedNote? {
    guard let size = try storage.size(name) else { return nil }
    return try SignedNote(try storage.read(name, at: 0, count: min(size, SignedNote.bytesMax)))
  }

  func write(_ note: SignedNote) throws { try storage.replace(name, in: "", with: note.bytes) }
}
