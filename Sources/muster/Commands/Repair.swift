import ArgumentParser
import MusterDisk
import MusterLog
import MusterRendering

struct Repair: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Repairs a damaged data directory from a backup, another copy, or a server.",
    discussion: """
      Example: muster repair --data /var/lib/muster --from /mnt/backup/muster
               muster repair --data /var/lib/muster --from /mnt/backup/muster --apply
      Without --apply it only says what is damaged and what it would do. Damaged segments are written anew, block by
      block: each must follow the one before by its chain value, and the last must be what the next segment follows.
      What was damaged is kept in broken/. Exit code 0 when nothing is damaged, or all was repaired; 1 when there is
      something to repair; 4 when there is damage that this copy cannot repair.
      """)
  @Option(help: "The data directory; nobody may serve from it.") var data: String
  @Option(help: "A backup, another copy of the directory, or HOST:PORT of a server of the same cluster.") var from:
    String
  @Flag(help: "Repair, instead of only saying what would be done.") var apply = false
  @OptionGroup var output: OutputOptions

  func run() async throws {
    guard try FileStorage(root: data).size("") != nil else {
      throw Failure(.refused, "\(data): there is no such directory")
    }
    let target = try LockedDirectory(data)
    let origin = try await RepairOrigin.open(from)
    let identity = try identity(target, origin)
    do {
      let survey = try DamageSurvey(target.storage, identity)
      let donor = try await origin.donor(for: survey)
      let plan = try RepairPlan(survey, target.storage, identity, from: donor)
      guard apply, !plan.actions.isEmpty else { return try show(plan, identity, isDone: false) }
      try plan.execute(target.storage)
      let directory = try DataDirectory(data)
      _ = try Verification.run(try directory.log(), directory.snapshots)
      try show(plan, identity, isDone: true)
    } catch let obstacle as RepairObstacle {
      if case .otherCluster = obstacle { throw Failure(.refused, "\(data): \(obstacle)") }
      throw Failure(.corruption, "\(data): \(obstacle)")
    } catch let error as LogError {
      throw JournalError.log(error, directory: data)
    }
  }

  /// Whose directory it is; where that cannot be read, what the other copy is of, if the files here are its.
  private func identity(_ target: LockedDirectory, _ origin: RepairOrigin) throws -> LogIdentity {
    do throws(JournalError) {
      return try target.opened { () throws(LogError) in try DirectoryIdentity.read(target.storage) }
    } catch {
      guard error.isCorruption else { throw error }
      return try assumedIdentity(target, origin.identity)
    }
  }

  private func assumedIdentity(_ target: LockedDirectory, _ identity: LogIdentity) throws -> LogIdentity {
    let survey = try DamageSurvey(target.storage, identity)
    guard survey.pieces.contains(where: { $0.fault == nil }) else {
      throw Failure(.corruption, "\(data): it cannot be read whose directory this is, nor any segment of it")
    }
    if apply {
      try target.opened { () throws(LogError) in try DirectoryIdentity.write(target.storage, identity) }
    } else {
      Terminal.error("muster: \(data): whose directory this is cannot be read; it would be written anew\n")
    }
    return identity
  }

  private func show(_ plan: RepairPlan, _ identity: LogIdentity, isDone: Bool) throws {
    let faults = plan.survey.pieces.compactMap(\.fault) + plan.survey.snapshots.map(\.fault)
    let members: [JSON.Member] = [
      .init("schema", .text("muster.repair/1")), .init("timeline", .number(identity.timeline)),
      .init("clusterID", .text(identity.clusterID)), .init("repaired", .flag(isDone)),
      .init("damage", .list(faults.map { .text("\($0)") })), .init("actions", .list(plan.actions.map(\.json))),
    ]
    switch output.format {
    case .table:
      if faults.isEmpty {
        Terminal.out(plan.actions.isEmpty ? "nothing is damaged\n" : "the other copy reaches further than this one\n")
      }
      for fault in faults { Terminal.out("damaged  \(fault)\n") }
      for action in plan.actions { Terminal.out("\(isDone ? "did     " : "would   ") \(action.words)\n") }
    case .json, .jsonl: Terminal.out(JSON.object(members).line + "\n")
    }
    guard isDone || plan.actions.isEmpty else {
      throw Failure(.refused, "\(data) can be repaired: run this again with --apply")
    }
  }
}

extension RepairAction {
  fileprivate var words: String {
    switch self {
    case .rewrite(let first, let through, let own, let donated, let file):
      "write revisions \(first) to \(through) anew, \(own) blocks of this copy and \(donated) of the other"
        + (file.map { ", and keep \($0) in broken/" } ?? "")
    case .takeSnapshot(let name): "take \(name) from the other copy"
    case .setAside(let name): "move \(name) to broken/: the log has everything it had"
    }
  }

  fileprivate var json: JSON {
    switch self {
    case .rewrite(let first, let through, let own, let donated, let file):
      .members([
        "action": .text("rewrite"), "first": .number(first), "through": .number(through),
        "own": .number(UInt64(own)), "donated": .number(UInt64(donated)), "file": .optional(file ?? ""),
      ])
    case .takeSnapshot(let name): .members(["action": .text("take-snapshot"), "file": .text(name)])
    case .setAside(let name): .members(["action": .text("set-aside"), "file": .text(name)])
    }
  }
}
