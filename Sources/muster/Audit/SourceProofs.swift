import MusterBytes
import MusterDisk
import MusterAudit
import MusterBytes
import MusterClient
import MusterDisk
import MusterHistory
import MusterLog
import MusterProtocol

extension ServerSource {
  func checkpoint() async throws -> CheckpointReply { try await ask(.checkpoint, CheckpointRequest()) }

  func prove(_ request: ProveRequest) async throws -> ProveReply { try await ask(.prove, request) }

  func proveExport(_ request: ProveExportRequest, _ each: (ProofPart) throws -> Void) async throws {
    var isWhole = false
    do {
      try await client.stream(.proveExport, request, window: 16).forEach { element in
        switch element {
        case .item(let bytes): try each(try ProofPart(bytes: bytes))
        case .end: isWhole = true
        }
        return true
      }
    } catch {
      throw ServerSource.harmless(error)
    }
    guard isWhole else { throw Failure(.notReachable, "the server ended before it had said all") }
  }
}

extension DataSource {
  private var auditFiles: AuditFiles { AuditFiles(directory.storage) }

  func checkpoint() async throws -> CheckpointReply {
    guard let note = try auditFiles.newestNote() else {
      throw Failure(
        .refused, "no checkpoint was signed in \(directory.root) yet; a server signs one each minute, and at its stop")
    }
    var reply = CheckpointReply()
    reply.timeline = directory.identity.timeline
    reply.revision = try Checkpoint(note).size
    reply.note = note.bytes
    reply.verifierKey = try auditFiles.publishedKey()
    return reply
  }

  func prove(_ request: ProveRequest) async throws -> ProveReply {
    try history.prove(request, auditFiles, timeline: directory.identity.timeline)
  }

  func proveExport(_ request: ProveExportRequest, _ each: (ProofPart) throws -> Void) async throws {
    let prover = try ExportProver(request, history, auditFiles)
    while !prover.isDone { for part in try prover.next(.max) { try each(part) } }
  }
}
