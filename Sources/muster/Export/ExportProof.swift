import FoundationEssentials
import Glibc
import MusterAudit
import MusterBytes
import MusterHistory
import MusterProtocol
import MusterRendering

/// The file beside an export that proves it: `FILE.proof`.
enum ExportProof {
  static func path(of export: String) -> String { export + ".proof" }

  /// Makes the proof of an export that is complete, against the newest checkpoint.
  ///
  /// - Returns: in words, why there is none; nil when there is one.
  static func write(
    for export: String, _ format: Export.Format, _ identity: ExportIdentity, _ envelopes: CloudEvents,
    from source: any Source
  ) async throws -> String? {
    let shown = try format.rows(export, envelopes).allRevisions()
    guard let last = shown.ranges.last?.upperBound else { return "nothing is shown that could be proved" }
    let reply: CheckpointReply
    do { reply = try await source.checkpoint() } catch let failure as Failure where failure.code == .refused {
      return failure.message
    }
    guard reply.revision >= last else {
      return
        "the newest checkpoint is of revision \(reply.revision), and the export goes to \(last); a server signs a newer one"
    }
    var request = ProveExportRequest()
    request.size = reply.revision
    request.root = try Checkpoint(SignedNote(reply.note)).root.array
    request.runs = shown.coarsened(to: ProveExportRequest.runsMax).runs
    let file = try ProofFile(path(of: export))
    try file.append {
      $0.format = format.rawValue
      $0.origin = Checkpoint.origin(clusterID: identity.clusterID, timeline: identity.timeline)
    }
    try await source.proveExport(request) { part in try file.append(ProofRecord(part)) }
    try file.append { $0.note = reply.note }
    try file.finish()
    return nil
  }
}

/// The file of a proof in the making. It takes its name when it is whole.
private final class ProofFile {
  private let path: String
  private let descriptor: Int32
  private var isDone = false

  init(_ path: String) throws {
    self.path = path
    descriptor = open(path + ".new", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { throw ProofFile.failure(path) }
    try put(Array(ProofRecord.heading.utf8))
  }

  deinit {
    close(descriptor)
    if !isDone { unlink(path + ".new") }
  }

  func append(_ fill: (inout ProofRecord) -> Void) throws {
    var record = ProofRecord()
    fill(&record)
    try append(record)
  }

  func append(_ record: ProofRecord) throws {
    let bytes = record.encoded()
    var writer = ByteWriter(capacity: bytes.count + 8)
    writer.varint(UInt64(bytes.count))
    writer.raw(bytes)
    try put(writer.array())
  }

  func finish() throws {
    guard fsync(descriptor) == 0, rename(path + ".new", path) == 0 else { throw ProofFile.failure(path) }
    isDone = true
  }

  private func put(_ bytes: [UInt8]) throws {
    var rest = bytes[...]
    while !rest.isEmpty {
      let done = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
      if done < 0 && errno == EINTR { continue }
      guard done > 0 else { throw ProofFile.failure(path) }
      rest = rest.dropFirst(done)
    }
  }

  private static func failure(_ path: String) -> Failure {
    Failure(.refused, "the proof \(path) cannot be written: \(String(cString: strerror(errno)))")
  }
}
