import ArgumentParser
import MusterAudit
import MusterBytes
import MusterProtocol
import MusterRendering

struct Prove: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "A proof that a commit is in the log, or that the log only grew.",
    discussion: """
      Example: muster prove 1234 --to 1234.tlog-proof
               muster prove --from old.note --to grown.proof
      The proof of a commit is a C2SP tlog-proof with the commit's stored bytes as its extra data. With --from it is
      that the newest checkpoint, or --checkpoint, goes on from an earlier one. Both are checked by `muster check-proof`.
      """)
  @Argument(help: "The revision of the commit.") var revision: UInt64?
  @Option(help: "The checkpoint to prove it against, a file; without it the newest.") var checkpoint: String?
  @Option(help: "An earlier checkpoint, a file.") var from: String?
  @Option(help: "A file for the proof; - for standard output.") var to: String?
  @OptionGroup var place: PlaceOptions
  @OptionGroup var output: OutputOptions

  func validate() throws {
    guard (revision == nil) != (from == nil) else {
      throw ValidationError("give a revision, or --from and an earlier checkpoint")
    }
    if revision == 0 { throw ValidationError("revisions begin at 1") }
  }

  func run() async throws {
    let source = try place.source()
    let note = try await note(source)
    let checkpoint = try Checkpoint(note)
    var request = ProveRequest()
    request.size = checkpoint.size
    request.root = checkpoint.root.array
    if let revision { return try await proveCommit(revision, request, note, source) }
    if let from { try await proveGrowth(try NoteFile.read(from), request, note, source) }
  }

  private func note(_ source: any Source) async throws -> SignedNote {
    if let checkpoint { return try NoteFile.read(checkpoint) }
    return try SignedNote(try await source.checkpoint().note)
  }

  private func proveCommit(
    _ revision: UInt64, _ request: ProveRequest, _ note: SignedNote, _ source: any Source
  ) async throws {
    guard revision <= request.size else {
      throw Failure(
        .refused,
        "the checkpoint is of revision \(request.size), which is before \(revision): take one that is newer "
          + "(`muster checkpoint --server …` signs one)")
    }
    var request = request
    request.revision = revision
    let reply = try await source.prove(request)
    let inclusion = InclusionProof(index: revision - 1, size: request.size, path: try path(reply))
    let proof = LogProof(commit: reply.commit, proof: inclusion, note: note)
    try proof.check()
    try show(
      reply, note, proof.text,
      [
        .init("index", .number(inclusion.index)), .init("leaf", .text(MerkleHash.leaf(proof.commit).base64)),
        .init("commit", .text(Base64.encode(proof.commit))),
        .init("path", .list(inclusion.path.map { .text($0.base64) })),
      ])
  }

  private func proveGrowth(
    _ old: SignedNote, _ request: ProveRequest, _ note: SignedNote, _ source: any Source
  ) async throws {
    let from = try Checkpoint(old).size
    guard from <= request.size else {
      throw Failure(.refused, "the earlier checkpoint is of revision \(from), the later one of \(request.size)")
    }
    var request = request
    request.from = from
    let reply = from > 0 ? try await source.prove(request) : ProveReply()
    let proof = GrowthProof(old: old, path: try path(reply), new: note)
    try proof.check()
    try show(
      reply, note, proof.text,
      [.init("from", .number(from)), .init("path", .list(proof.path.map { .text($0.base64) }))])
  }

  private func path(_ reply: ProveReply) throws -> [SHA256Value] {
    try stride(from: 0, to: reply.path.count, by: SHA256Value.byteCount).map { start in
      guard let hash = SHA256Value(exactly: reply.path[start...].prefix(SHA256Value.byteCount)) else {
        throw Failure(.refused, "the server's proof cannot be read")
      }
      return hash
    }
  }

  private func show(_ reply: ProveReply, _ note: SignedNote, _ text: String, _ members: [JSON.Member]) throws {
    if let to { return try NoteFile.write(text, to: to) }
    let checkpoint = try Checkpoint(note)
    let head = DocumentHead(schema: "prove", timeline: reply.timeline, revision: checkpoint.size, time: 0)
    output.show(head, checkpoint.members + members + [.init("text", .text(text))]) { text }
  }
}
