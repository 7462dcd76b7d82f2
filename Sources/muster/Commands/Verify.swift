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
      Exit code 4 and the place when something that was durable cannot be read; a torn tail is reported, and is no fault.
      """)
  @Option(help: "The data directory; it is only read.") var data: String
  @Flag(help: "Also replay everything, and compare every digest and snapshot.") var deep = false
  @Option(help: "A checkpoint that you kept, a file: every commit up to it must be what was signed.") var checkpoint:
    String?
  @Option(help: "The key that signed it, or a file with the key.") var key: String?
  @OptionGroup var output: OutputOptions

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
    let found = try Verification.run(log, directory.snapshots)
    let kept = try checkTree(directory, log)
    let plan = try RecoveryPlan.make(log)
    let last = directory.lastRevision(log)
    if deep {
      var progress = Progress("revisions", total: log.lastRevision)
      defer { progress.end() }
      try History(log, directory.snapshots, through: log.lastRevision).verifyDeep { progress.show($0) }
    }
    let head = DocumentHead(
      schema: "verify", timeline: directory.identity.timeline, revision: last, time: plan.lastTime)
    let members: [JSON.Member] = [
      .init("ok", .flag(true)), .init("deep", .flag(deep)), .init("clusterID", .text(directory.identity.clusterID)),
      .init("segments", .number(UInt64(log.segments.count))), .init("blocks", .number(found.blocks)),
      .init("bytes", .number(found.bytes)), .init("snapshots", .number(UInt64(found.snapshots))),
      .init("digest", .text(plan.digest.hex)), .init("confirmed", .number(plan.confirmedThrough)),
      .init("tornBytes", .number(UInt64(plan.tornBytes))), .init("served", .flag(directory.isServed)),
      .init("checkpoint", kept.map { .number($0.size) } ?? .null),
    ]
    output.show(head, members) {
      let torn =
        plan.tornBytes > 0 ? "; a write was cut short (\(plan.tornBytes) bytes), which the next start clears" : ""
      return "whole: \(last) revisions in \(log.segments.count) segments, \(found.snapshots) snapshots\(torn)\n"
    }
  }

  /// Compares the commits with the checkpoint that was given, or with `--deep` the newest that was signed here.
  private func checkTree(_ directory: DataDirectory, _ log: LogReader) throws -> Checkpoint? {
    let files = AuditFiles(directory.storage)
    let signed = deep ? try files.newestNote() : nil
    guard let note = try checkpoint.map({ try NoteFile.read($0) }) ?? signed else { return nil }
    if let key {
      try note.verify([try NoteFile.key(key)])
    }
    let kept = try Checkpoint(note)
    try History(log, directory.snapshots, through: log.lastRevision).verify(kept, files)
    return kept
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
