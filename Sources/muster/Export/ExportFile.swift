import Glibc
import MusterBytes
import MusterCluster
import MusterDisk
import MusterLog
import MusterProtocol
import MusterRendering

/// A file that an export is appended to. What an interruption left of the last commit is cut off, and written again.
final class ExportFile: ExportSink {
  private let descriptor: Int32
  private let format: Export.Format
  private let envelopes: CloudEvents
  private var pending = ByteWriter(capacity: 2 * bytesAtOnce)
  private static let bytesAtOnce = 1 << 16
  private(set) var lastRevision: UInt64?
  private(set) var isEmpty = true

  init(_ path: String, _ format: Export.Format, _ envelopes: CloudEvents, _ identity: ExportIdentity) throws {
    self.format = format
    self.envelopes = envelopes
    guard path != "-" else {
      descriptor = 1
      if format == .csv { try append(CSV.heading) }
      return
    }
    descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { throw Failure(.refused, "\(path): \(String(cString: strerror(errno)))") }
    let isNew = lseek(descriptor, 0, SEEK_END) == 0
    if !isNew, let known = try ExportFile.identity(besides: path), known != identity.line {
      throw identity.isOther(path)
    }
    try resume(path)
    try ExportFile.keep(identity, besides: path)
    if format == .csv && isEmpty { try append(CSV.heading) }
  }

  /// What the export was begun as; nil when nobody said.
  private static func identity(besides path: String) throws -> String? {
    guard access(path + ".export", F_OK) == 0 else { return nil }
    return String(decoding: try ReadFile(path + ".export").peek(4096), as: UTF8.self)
  }

  private static func keep(_ identity: ExportIdentity, besides path: String) throws {
    let storage = path.lastIndex(of: "/").map { (String(path[...$0]), String(path[path.index(after: $0)...])) }
    let (folder, name) = storage ?? (".", path)
    try FileStorage(root: folder).replace(name + ".export", in: "", with: Array(identity.line.utf8))
  }

  /// Finds the last whole line and the revision it is of.
  private func resume(_ path: String) throws {
    let size = Int(lseek(descriptor, 0, SEEK_END))
    guard size > 0 else { return }
    let start = max(0, size - (4 << 20))
    var tail = [UInt8](repeating: 0, count: size - start)
    guard pread(descriptor, &tail, tail.count, off_t(start)) == tail.count else {
      throw Failure(.refused, "\(path) cannot be read")
    }
    guard let end = tail.lastIndex(of: UInt8(ascii: "\n")) else { throw notOurs(path) }
    var keep = end + 1
    var lines = tail[..<end].split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
    if start > 0 { lines.removeFirst() }
    guard let last = lines.last, let revision = revision(last) else { throw notOurs(path) }
    if format != .jsonl, revision > 0 {
      // Rows of the last commit may be missing: it is written again.
      for line in lines.reversed() where self.revision(line) == revision { keep -= line.count + 1 }
      lastRevision = revision - 1
    } else {
      lastRevision = revision
    }
    isEmpty = start + keep == 0
    guard ftruncate(descriptor, off_t(start + keep)) == 0, lseek(descriptor, 0, SEEK_END) >= 0 else {
      throw Failure(.refused, "\(path): \(String(cString: strerror(errno)))")
    }
  }

  private func notOurs(_ path: String) -> Failure {
    Failure(.refused, "\(path) exists and is no export of this format; choose another file")
  }

  private func revision(_ line: ArraySlice<UInt8>) -> UInt64? {
    format.revision(ofLine: String(decoding: line, as: UTF8.self), envelopes)
  }

  func append(_ bytes: UnsafeRawBufferPointer) throws {
    pending.raw(bytes)
    if pending.count >= ExportFile.bytesAtOnce { try flush() }
  }

  func append(_ text: String) throws {
    pending.utf8(text)
    if pending.count >= ExportFile.bytesAtOnce { try flush() }
  }

  /// A commit in the form of the export.
  func append(_ commit: CommitReport) throws {
    switch format {
    case .cloudevents: try append(envelopes.lines(commit))
    case .csv: try append(CSV.rows(commit))
    case .jsonl:
      commit.json.write(to: &pending)
      try append("\n")
    case .sqlite: break
    }
  }

  private func flush() throws {
    var rest = pending.bytes
    while rest.count > 0 {
      let put = write(descriptor, rest.baseAddress, rest.count)
      if put < 0 && errno == EINTR { continue }
      guard put > 0 else {
        throw failure
      }
      rest = UnsafeRawBufferPointer(rebasing: rest[put...])
    }
    pending.removeAll()
  }

  /// Says why, and that nothing is lost: what was written is gone on from.
  private var failure: Failure {
    Failure(
      .refused,
      "the export cannot be written: \(String(cString: strerror(errno))); the same command goes on from what is there")
  }

  func finish() throws {
    try flush()
    guard descriptor == 1 || fsync(descriptor) == 0 else {
      throw failure
    }
  }
}
