/// One file of a replica, by its path below the replica's `files`.
struct FileEntry: Equatable {
  var path: String
  var bytes: UInt64
  /// When it was changed last, in nanoseconds, on this machine: only a hint that its content need be read again.
  var changed: UInt64
  /// SHA-256 of its content, as hexadecimal.
  var digest: String
}

/// Which files a replica has, and how far it is with that. Lines of text, on disk and on the wire.
///
/// Invariants: entries are in the order of their paths, and no path leads out of the directory.
package struct FileManifest: Equatable {
  var history: UInt64 = 0
  /// Grows with every change that the leader notices.
  var offset: UInt64 = 0
  var entries: [FileEntry] = []

  static let filesMax = 100_000
  static let pathBytes = 1024
  static let bytesMax = 32 * 1024 * 1024

  init() {}

  /// - Returns: nil when the text is no manifest: cut short, out of order, or with paths that lead elsewhere.
  package init?(text: String) {
    var lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    guard lines.count >= 3, lines.removeLast().isEmpty, lines.removeLast() == "end" else { return nil }
    let head = lines.removeFirst().split(separator: " ")
    guard head.count == 2, let history = UInt64(head[0]), let offset = UInt64(head[1]),
      lines.count <= FileManifest.filesMax
    else { return nil }
    (self.history, self.offset) = (history, offset)
    for line in lines {
      let words = line.split(separator: " ", maxSplits: 3, omittingEmptySubsequences: false)
      guard words.count == 4, let bytes = UInt64(words[1]), let changed = UInt64(words[2]), words[0].utf8.count == 64,
        words[0].allSatisfy(\.isHexDigit), FileManifest.isPath(words[3])
      else { return nil }
      let entry = FileEntry(path: String(words[3]), bytes: bytes, changed: changed, digest: String(words[0]))
      if let last = entries.last, last.path >= entry.path { return nil }
      entries.append(entry)
    }
  }

  var text: String {
    var text = "\(history) \(offset)\n"
    for entry in entries { text += "\(entry.digest) \(entry.bytes) \(entry.changed) \(entry.path)\n" }
    return text + "end\n"
  }

  subscript(path: String) -> FileEntry? {
    var (low, high) = (0, entries.count)
    while low < high {
      let middle = (low + high) / 2
      if entries[middle].path < path { low = middle + 1 } else { high = middle }
    }
    return low < entries.count && entries[low].path == path ? entries[low] : nil
  }

  /// The same files with the same content, whenever they were changed.
  func hasFiles(of other: FileManifest) -> Bool {
    entries.count == other.entries.count
      && zip(entries, other.entries).allSatisfy { $0.path == $1.path && $0.digest == $1.digest }
  }

  static func isPath(_ text: Substring) -> Bool {
    guard !text.isEmpty, text.utf8.count <= pathBytes, text.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7f }) else {
      return false
    }
    return text.split(separator: "/", omittingEmptySubsequences: false).allSatisfy {
      !$0.isEmpty && $0 != "." && $0 != ".." && $0.utf8.count <= 255
    }
  }
}
