internal import MusterCluster
internal import MusterDisk
internal import MusterHistory
internal import MusterKernel
internal import MusterLog
internal import NIOCore

/// Keeps to the retention policy: a commit that cuts, then a horizon in a file, then files go.
struct RetentionKeeper {
  /// Ticks between two looks.
  static let ticksBetween: UInt64 = 50
  var isBusy = false
  /// The horizon up to which files are gone.
  var cutTo: Revision = 0
}

extension Server {
  /// Looks whether something may go, or is still to be deleted.
  func keepRetention() {
    guard !retention.isBusy else { return }
    let row = kernel.view.retention
    let bounds = kernel.retentionBounds(Clock.now())
    guard row.horizon > retention.cutTo || bounds != nil else { return }
    retention.isBusy = true
    let bound = NIOLoopBound(self, eventLoop: loop)
    let journal = journal
    archive.read(through: kernel.view.revision) { [loop] shelf, history in
      let found = Result {
        try retain(try history.get(), journal, row.horizon > 0 ? row.cutAt : nil, bounds) { shelf.forget() }
      }
      loop.execute { bound.value.retained(found) }
    }
  }

  fileprivate func retained(_ found: Result<Retained, any Error>) {
    retention.isBusy = false
    switch found {
    case .failure: isRetentionStuck = true
    case .success(let found):
      isRetentionStuck = false
      retention.cutTo = found.cutTo
      guard let next = found.next else { return }
      // Only what was signed goes: of what is cut nothing but the tree is left.
      guard checkpointed >= next.horizon.revision else { return signCheckpoint { _ in } }
      kernel.cut(next, Clock.now())
      endTickSoon()
    }
  }
}

/// What a look at the files led to.
private struct Retained: Sendable {
  /// Everything before this is deleted.
  var cutTo: Revision
  /// What may be cut next.
  var next: PlannedCut?
}

/// On the archive's thread: deletes what is cut, and looks what else may be.
///
/// - Parameters:
///   - cutAt: the last commit that cut.
///   - forget: the log is to be opened anew, since files of it are gone.
private func retain(
  _ history: History, _ journal: Journal, _ cutAt: Revision?, _ bounds: RetentionBounds?, forget: () -> Void
) throws -> Retained {
  var retained = Retained(cutTo: 0)
  if let cutAt {
    let commit = try history.commit(cutAt)
    for case .historyCut(let cut) in commit.events {
      let horizon = cut.horizon(cutAt: commit.revision, commit.time)
      if try !Cutting.cut(journal.storage, journal.identity, to: horizon).isEmpty { forget() }
      retained.cutTo = horizon.revision
    }
  }
  guard let bounds else { return retained }
  for name in try RetentionPlanner.surplus(history.log, history.snapshots, bounds) {
    try history.snapshots.remove(name)
  }
  retained.next = try history.plannedCut(bounds, AuditFiles(journal.storage))
  if let next = retained.next, next.horizon.revision <= retained.cutTo { retained.next = nil }
  return retained
}
