import ArgumentParser
import FoundationEssentials
import MusterAudit
import MusterBytes
import MusterCluster
import MusterHistory
import MusterRendering

struct CheckProof: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "check-proof", abstract: "Checks a proof, with no server.",
    discussion: """
      Example: muster check-proof timeline.jsonl.proof --checkpoint kept.note
               muster check-proof 1234.tlog-proof --key audit.key
      FILE is what `muster prove` or `muster export` made, or a checkpoint. Every row of an export is made again from the
      stored bytes of its commit and compared. A proof is worth as much as what vouches for the checkpoint in it: a
      checkpoint that you kept, or the key that signs them.
      """)
  @Argument(help: "The proof, or an export that has its proof beside it.") var file: String
  @Option(help: "A checkpoint that you hold, a file.") var checkpoint: String?
  @Option(help: "The key that signs checkpoints, or a file with it.") var key: String?
  @Option(help: "The export, when it is not beside its proof.") var export: String?
  @OptionGroup var output: OutputOptions

  mutating func run() async throws {
    let held = try checkpoint.map { try Checkpoint(try NoteFile.read($0)) }
    if let beside = try proofBeside() { file = beside }
    do {
      if try isProofOfExport(file) { return try checkExport(held) }
      let text = try NoteFile.text(file)
      if text.starts(with: LogProof.heading.utf8) { return try checkCommit(text, held) }
      if text.starts(with: GrowthProof.heading.utf8) { return try checkGrowth(text, held) }
      try checkNote(held)
    } catch let error as AuditError {
      throw Failure(.refused, "\(file): \(error)")
    }
  }

  private func isProofOfExport(_ path: String) throws -> Bool {
    try ReadFile(path).peek(64).starts(with: ProofRecord.heading.utf8)
  }

  /// The proof of an export that was given in its place.
  private func proofBeside() throws -> String? {
    let beside = file + ".proof"
    guard try !isProofOfExport(file), FileManager.default.fileExists(atPath: beside) else { return nil }
    return try isProofOfExport(beside) ? beside : nil
  }

  // MARK: Kinds of proof

  private func checkExport(_ held: Checkpoint?) throws {
    var check = try ExportCheck(file, export: export, heldSize: held?.size)
    try check.run()
    guard let note = check.note else { return }
    let vouched = try vouch(for: note, held, rootAtHeld: check.heldRoot)
    let members: [JSON.Member] = [
      .init("format", .text(check.format)), .init("commits", .number(check.commits)),
      .init("rowsCompared", .flag(true)), .init("complete", .flag(check.isComplete)),
    ]
    try show("export", note, vouched, members) { checkpoint in
      check.isComplete
        ? "all \(check.commits) commits up to revision \(checkpoint.size) are shown, and each says what was logged\n"
        : "the \(check.commits) commits that are shown say what was logged; that none is missing is not proved\n"
    }
  }

  private func checkCommit(_ text: [UInt8], _ held: Checkpoint?) throws {
    let proof = try LogProof(text)
    try proof.check()
    let vouched = try vouch(for: proof.note, held, rootAtHeld: nil)
    guard let commit = try? Commit(bytes: proof.commit), commit.revision == proof.proof.index + 1 else {
      throw AuditError.wrong("what is proved is no commit of the revision that it stands at")
    }
    let report = NameBook().report(commit)
    try show("commit", proof.note, vouched, [.init("commit", report.json)]) { checkpoint in
      "revision \(commit.revision) is in the log of \(checkpoint.size) commits:\n" + LogPrinter.words(report)
    }
  }

  private func checkGrowth(_ text: [UInt8], _ held: Checkpoint?) throws {
    let proof = try GrowthProof(text)
    try proof.check()
    let old = try Checkpoint(proof.old)
    // Whoever holds the earlier checkpoint may believe the later one from now on.
    let isOldHeld = held.map { $0.origin == old.origin && $0.size == old.size && $0.root == old.root } ?? false
    let vouched =
      isOldHeld && key == nil
      ? "the checkpoint that you hold" : try vouch(for: proof.new, isOldHeld ? nil : held, rootAtHeld: nil)
    if let key { try proof.old.verify([try NoteFile.key(key)]) }
    let members: [JSON.Member] = [.init("from", .object(old.members))]
    try show("growth", proof.new, vouched, members) { checkpoint in
      "the log of \(checkpoint.size) commits goes on from that of \(old.size): none of them was altered\n"
    }
  }

  private func checkNote(_ held: Checkpoint?) throws {
    let note = try NoteFile.read(file)
    let vouched = try vouch(for: note, held, rootAtHeld: nil)
    try show("checkpoint", note, vouched, []) { "a checkpoint of \($0.size) commits of \($0.origin)\n" }
  }

  // MARK: Trust

  /// What makes the checkpoint believable; nil when nothing was given that could.
  private func vouch(for note: SignedNote, _ held: Checkpoint?, rootAtHeld: SHA256Value?) throws -> String? {
    let checkpoint = try Checkpoint(note)
    if let key { try note.verify([try NoteFile.key(key)]) }
    guard let held else { return key == nil ? nil : "the key that you gave" }
    guard held.origin == checkpoint.origin || held.origin == checkpoint.parent?.origin else {
      throw AuditError.wrong("it is of the log \(checkpoint.origin), and your checkpoint of \(held.origin)")
    }
    if held.size == checkpoint.size || rootAtHeld != nil {
      guard held.root == rootAtHeld ?? checkpoint.root else {
        throw AuditError.wrong("your checkpoint of \(held.size) commits has another root: the log was altered")
      }
      return "the checkpoint that you hold"
    }
    throw AuditError.wrong(
      "it speaks of \(checkpoint.size) commits and your checkpoint of \(held.size): prove with `muster prove --from` that "
        + "one goes on from the other, check that, and give the checkpoint that it brings")
  }

  private func show(
    _ kind: String, _ note: SignedNote, _ vouched: String?, _ members: [JSON.Member], _ words: (Checkpoint) -> String
  ) throws {
    let checkpoint = try Checkpoint(note)
    if vouched == nil {
      Terminal.error("nothing vouches for the checkpoint in it: give --checkpoint or --key\n")
    }
    let timeline = Checkpoint.timeline(ofOrigin: checkpoint.origin)?.timeline ?? 0
    let head = DocumentHead(schema: "check-proof", timeline: timeline, revision: checkpoint.size, time: 0)
    let all: [JSON.Member] =
      [.init("ok", .flag(true)), .init("kind", .text(kind))] + checkpoint.members
      + [.init("vouchedBy", vouched.map { .text($0) } ?? .null)] + members
    output.show(head, all) { words(checkpoint) }
  }
}
