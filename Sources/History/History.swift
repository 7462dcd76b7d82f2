internal import MusterBytes
package import MusterCluster
package import MusterLog

/// The past of one cluster: its log and snapshots, up to a revision.
///
/// One caller at a time; make one for each thread.
package final class History {
  package let log: LogReader
  package let snapshots: SnapshotStore
  /// Nothing newer is shown.
  package let last: Revision
  /// What time it is for whoever asks, when that may be later than what `ago` counts from; 0 for not known.
  package var present: Microseconds = 0

  package init(_ log: LogReader, _ snapshots: SnapshotStore, through last: Revision) {
    self.log = log
    self.snapshots = snapshots
    self.last = min(last, log.lastRevision)
  }

  /// What was read so far.
  package var cost: ReadCost { log.cost + snapshots.cost }

  // MARK: Commits

  /// Calls `body` with every commit of the range in order until it returns false.
  package func forEachCommit(
    from: Revision, through: Revision, _ body: (Commit) throws -> Bool
  ) throws(HistoryError) {
    try reading { [self] in
      try log.forEachBlock(from: from, through: min(through, last)) { block in
        try History.commits(block, from: from, through: min(through, last), body)
      }
    }
  }

  /// Calls `body` with the commits of a unit that are in the range, in order, until it returns false.
  func forEachCommit(
    in unit: LogUnit, from: Revision, through: Revision, _ body: (Commit) throws -> Bool
  ) throws(HistoryError) {
    try reading { [self] in
      _ = try log.forEachBlock(in: unit) { block in
        try History.commits(block, from: from, through: through, body)
      }
    }
  }

  private static func commits(
    _ block: BlockView, from: Revision, through: Revision, _ body: (Commit) throws -> Bool
  ) throws -> Bool {
    try block.forEachCommit { bytes, revision in
      if revision < from { return true }
      if revision > through { return false }
      let commit = try Commit(bytes: bytes, refusingUnknownFields: true)
      guard commit.revision == revision else {
        throw HistoryError.divergence(revision, "the commit there says it is \(commit.revision)")
      }
      return try body(commit)
    }
  }

  /// One commit.
  package func commit(_ revision: Revision) throws(HistoryError) -> Commit {
    let revision = try resolve(.revision(revision), clock: 0)
    guard revision > 0 else { throw .beforeBeginning(asked: "revision 0") }
    var found: Commit?
    try forEachCommit(from: revision, through: revision) {
      found = $0
      return false
    }
    guard let found else { throw .divergence(revision, "the log has no such commit") }
    return found
  }

  /// Names the errors of what is below.
  func reading(_ body: () throws -> Void) throws(HistoryError) {
    do {
      try body()
    } catch let error as HistoryError {
      throw error
    } catch let error as LogError {
      throw .log(error)
    } catch let error as Refusal {
      throw .refused(error)
    } catch {
      throw .divergence(last, "\(error)")
    }
  }
}
