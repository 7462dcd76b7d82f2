internal import Glibc
package import MusterAudit
internal import MusterCluster
package import MusterDisk
internal import MusterHistory
internal import MusterLog

/// Hashes what was made durable and signs checkpoints of it, on a thread of its own that gives way to all others.
///
/// Nothing that is acknowledged waits for it.
package final class Auditor: Sendable {
  /// Between two tiles, so that the disk is free for appends.
  private static let pauseMicroseconds: UInt32 = 500

  private let journal: Journal
  private let thread = WorkThread(isBackground: true)
  private let bound: Bound
  package let verifierKey: VerifierKey
  let intervalSeconds: Int64

  /// Used only on the auditor's thread.
  private final class Bound: @unchecked Sendable {
    let notary: Notary
    var log: LogReader?
    init(_ notary: Notary) { self.notary = notary }
  }

  /// - Throws: when the key cannot be used.
  package init(_ journal: Journal, _ settings: AuditSettings = AuditSettings()) throws {
    self.journal = journal
    intervalSeconds = settings.intervalSeconds
    let files = AuditFiles(journal.storage)
    let identity = journal.identity
    let key = try KeyFile.open(
      settings.signingKey, files, root: journal.directory,
      name: Checkpoint.origin(clusterID: identity.clusterID, timeline: identity.timeline),
      isSigned: try files.read(AuditFiles.checkpoint) != nil)
    let notary = try Notary(
      clusterID: identity.clusterID, timeline: identity.timeline, key: key, files,
      copy: settings.checkpointCopy.map { CopiedNote($0) })
    verifierKey = notary.verifierKey
    try files.publish(verifierKey)
    bound = Bound(notary)
  }

  /// Signs a checkpoint at a durable revision, or says why not.
  func sign(through last: Revision, _ done: @escaping @Sendable (Result<SignedNote, NotaryRefusal>) -> Void) {
    thread.run { [self] in
      done(Result { () throws(NotaryRefusal) in try sign(through: last) })
    }
  }

  private func sign(through last: Revision) throws(NotaryRefusal) -> SignedNote {
    let known = bound.log
    if known.map({ $0.lastRevision < last }) ?? true {
      do throws(LogError) { bound.log = try journal.reader(reusing: known) } catch { throw .failed("\(error)") }
    }
    guard let log = bound.log else { throw .failed("the log cannot be opened") }
    return try bound.notary.sign(log, through: last) { usleep(Auditor.pauseMicroseconds) }
  }

  /// Signs what is left to be signed, and ends.
  ///
  /// - Parameter last: the last revision, or nil when it is signed.
  func stop(signing last: Revision?) {
    if let last { sign(through: last) { _ in } }
    thread.stop()
  }
}
