internal import MusterBytes

import ArgumentParser
import MusterAudit
import MusterDisk
import MusterHistory
import MusterLog
import MusterRendering

struct Verify: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Checks every checksum and the chain of a data directory.",
    discussion: """
      Example: muster verify --data /var/lib/muster --deep
      --checksums reads each byte once and finds rot; it does not prove that blocks follow each other, or anything that
      they say. Without it the chain is followed too, and each snapshot compared with the block that it is of. --deep
      proves besides that all of it is what replay from the beginning leads to.
      Exit code 4 and the place when something that was durable cannot be read; a torn tail is reported, and is no fault.
      """)
  @Option(help: "The data directory; it is only read.") var data: String
  @Flag(help: "Also replay everything, and compare every digest, snapshot and index.") var deep = false
  @Flag(help: "Only the checksums: that every stored byte is what was written.") var checksums = false
  @Option(help: "A checkpoint that you kept, a file: every commit up to it must be what was signed.") var checkpoint:
    String?
  @Option(help: "The key that signed it, or a file with the key.") var key: String?
  @OptionGroup var output: OutputOptions

  func validate() throws {
    if checksums && (deep || checkpoint != nil) {
      throw ValidationError("--checksums looks at nothing but checksums: leave out --deep and --checkpoint")
    }
  }

  func run() async throws {
    do {
      try check()
    } catch {
      let failure = Failure(error)
      if failure.code == .corruption, output.format != .table { showFault(error, failure) }
      throw failure
    }
  }

  private func check() throws {
    let directory = try DataDirectory(data)
    let log = try directory.log()
    let found = try directory.verify(log, checksums ? .checksums : .chain)
    let kept = try keptCheckpoint(directory)
    let plan = try RecoveryPlan.make(log)
    let last = directory.lastRevision(log)
    if deep {
      try DeepCheck(directory, log.contents).run(kept)
    } else if let kept {
      try History(log, directory.snapshots, through: log.lastRevision).verify(kept, AuditFiles(directory.storage))
    }
    let head = DocumentHead(
      schema: "verify", timeline: directory.identity.timeline, revision: last, time: plan.lastTime)
    let members: [JSON.Member] = [
      .init("ok", .flag(true)), .init("deep", .flag(deep)), .init("chain", .flag(!checksums)),
      .init("clusterID", .text(directory.identity.clusterID)),
      .init("segments", .number(UInt64(log.segments.count))), .init("blocks", .number(found.blocks)),
      .init("bytes", .number(found.bytes)), .init("snapshots", .number(UInt64(found.snapshots))),
      .init("digest", .text(plan.digest.hex)), .init("confirmed", .number(plan.confirmedThrough)),
      .init("tornBytes", .number(UInt64(plan.tornBytes))), .init("served", .flag(directory.isServed)),
      .init("checkpoint", kept.map { .number($0.size) } ?? .null),
    ]
    output.show(head, members) {
      let torn =
        plan.tornBytes > 0 ? "; a write was cut short (\(plan.tornBytes) bytes), which the next start clears" : ""
      let words = checksums ? "every checksum holds, and nothing else was looked at" : "whole"
      return "\(words): \(last) revisions in \(log.segments.count) segments, \(found.snapshots) snapshots\(torn)\n"
    }
  }

  /// The checkpoint to compare the commits with: the one that was given, or with `--deep` the newest signed here.
  private func keptCheckpoint(_ directory: DataDirectory) throws -> Checkpoint? {
    let signed = deep ? try AuditFiles(directory.storage).newestNote() : nil
    guard let note = try checkpoint.map({ try NoteFile.read($0) }) ?? signed else { return nil }
    if let key {
      try note.verify([try NoteFile.key(key)])
    }
    return try Checkpoint(note)
  }

  private func showFault(_ error: any Error, _ failure: Failure) {
    var members: [JSON.Member] = [
      .init("schema", .text("muster.verify/1")), .init("ok", .flag(false)), .init("problem", .text(failure.message)),
    ]
    if let fault = Verify.fault(in: error) {
      members += [
        .init("file", .text(fault.file)), .init("offset", .number(UInt64(max(0, fault.offset)))),
        .init("faultRevision", fault.revision.map { .number($0) } ?? .null),
      ]
    }
    Terminal.out(JSON.object(members).line + "\n")
  }

  private static func fault(in error: any Error) -> Fault? {
    switch error {
    case LogError.corrupt(let fault): fault
    case JournalError.log(.corrupt(let fault), _): fault
    case HistoryError.log(.corrupt(let fault)): fault
    default: nil
    }
  }
}
