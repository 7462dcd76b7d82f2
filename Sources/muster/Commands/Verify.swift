internal import MusterBytes

import ArgumentParser
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
    _ = try log.verifyChain()
    let snapshots = try directory.snapshots.list()
    for name in snapshots { _ = try directory.snapshots.verify(name) }
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
      .init("segments", .number(UInt64(log.segments.count))), .init("blocks", .number(log.cost.blocks)),
      .init("bytes", .number(log.cost.bytes)), .init("snapshots", .number(UInt64(snapshots.count))),
      .init("digest", .text(plan.digest.hex)), .init("confirmed", .number(plan.confirmedThrough)),
      .init("tornBytes", .number(UInt64(plan.tornBytes))), .init("served", .flag(directory.isServed)),
    ]
    output.show(head, members) {
      let torn =
        plan.tornBytes > 0 ? "; a write was cut short (\(plan.tornBytes) bytes), which the next start clears" : ""
      return "whole: \(last) revisions in \(log.segments.count) segments, \(snapshots.count) snapshots\(torn)\n"
    }
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
