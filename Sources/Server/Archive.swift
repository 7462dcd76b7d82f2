internal import MusterCluster
internal import MusterDisk
internal import MusterHistory
internal import MusterKernel
internal import MusterLog

/// The past as a running server reads it, on a thread of its own.
final class Archive: Sendable {
  private let journal: Journal
  private let thread = WorkThread()
  private let bound = Bound()

  /// Used only on the archive's thread.
  private final class Bound: @unchecked Sendable {
    let shelf = Shelf()
  }

  init(_ journal: Journal) { self.journal = journal }

  /// Runs a job on the archive's thread with the past up to a revision.
  func read(
    through last: Revision, _ job: @escaping @Sendable (Shelf, Result<History, HistoryError>) -> Void
  ) {
    thread.run { [self] in
      let history = Result { () throws(HistoryError) in
        try bound.shelf.history(through: last) { older throws(LogError) in
          History(try journal.reader(reusing: older), journal.snapshots, through: last)
        }
      }
      job(bound.shelf, history)
    }
  }

  func stop() { thread.stop() }
}
