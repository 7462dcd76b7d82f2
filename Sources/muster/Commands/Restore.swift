internal import MusterBytes

import ArgumentParser
import MusterCluster
import MusterDisk
import MusterHistory
import MusterKernel
import MusterLog
import MusterRendering
import MusterServer

struct Restore: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Makes a data directory from a backup, as it is or as it was at any moment in it.",
    discussion: """
      Example: muster restore --from /mnt/backup/muster --data /var/lib/muster-new --at "2026-11-22T03:14:00Z"
      The restored cluster has an id and a timeline of its own, so that no client takes it for the one it comes from; up
      to there every commit is the same, byte for byte. Everything that is taken over is checked.
      """)
  @Option(help: "The backup, or another data directory; it is only read.") var from: String
  @Option(help: "The new data directory; absent or empty.") var data: String
  @Option(help: "A revision, an RFC 3339 time, or \"10m ago\"; without it: everything.") var at: String?
  @Option(help: "Why; it is kept in the log.") var reason: String = ""
  @OptionGroup var output: OutputOptions

  func validate() throws {
    try Failure.asValidation { if let at { _ = try ReadOptions.moment(at) } }
  }

  func run() async throws {
    let source = try DataDirectory(from)
    let log = try source.log()
    let last = source.lastRevision(log)
    try checkManifest(source, log)
    let history = History(log, source.snapshots, through: last)
    history.present = Clock.now().wall
    let moment = try at.map { try ReadOptions.moment($0) } ?? .now
    let revision = try history.resolve(moment, clock: history.lastTime)
    let target = try LockedDirectory(data)
    let occasion = Restoration.Occasion(
      clusterID: Startup.newClusterID(), principal: Terminal.userName, wallTime: Clock.now().wall, reason: reason)
    var progress = Progress("revisions", total: revision)
    defer { progress.end() }
    let result = try Restoration.run(history, from: source.storage, at: revision, into: target.storage, occasion) {
      progress.show($0)
    }
    show(result, of: source.identity)
  }

  /// A backup must hold what its manifest says: otherwise somebody took something away.
  private func checkManifest(_ source: DataDirectory, _ log: LogReader) throws {
    do throws(LogError) {
      guard let manifest = try BackupManifest.read(source.storage) else { return }
      guard manifest.lastRevision > 0 else { throw .unfinishedBackup }
      guard manifest.identity == source.identity, manifest.lastRevision <= log.lastRevision else {
        throw .corrupt(
          Fault(
            file: Layout.backup, offset: 0, revision: log.lastRevision + 1,
            problem: "the backup says that it reaches revision \(manifest.lastRevision), and it does not"))
      }
    } catch {
      throw JournalError.log(error, directory: from)
    }
  }

  private func show(_ result: Restoration.Result, of parent: LogIdentity) {
    let head = DocumentHead(
      schema: "restore", timeline: result.identity.timeline, revision: result.lastRevision, time: 0)
    let members: [JSON.Member] = [
      .init("clusterID", .text(result.identity.clusterID)), .init("restored", .number(result.restored)),
      .init("parentClusterID", .text(parent.clusterID)), .init("parentTimeline", .number(parent.timeline)),
      .init("digest", .text(result.digest.hex)),
    ]
    output.show(head, members) {
      "cluster \(result.identity.clusterID), timeline \(result.identity.timeline): revision \(result.restored) of "
        + "cluster \(parent.clusterID) is in \(data)\n"
    }
  }
}
