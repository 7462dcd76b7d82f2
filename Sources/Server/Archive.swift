internal import MusterCluster
internal import MusterDisk
internal import MusterHistory
internal import MusterLog

/// The past as a running server reads it, on a thread of its own.
final class Archive: Sendable {
  private let journal: Journal
  private let thread = WorkThread()
  private let shelf = Shelf()

  /// Used only on the archive's thread.
  private final class Shelf: @unchecked Sendable {
    var history: History?
    /// The last state that was asked for: questions about one moment come together.
    var state: State?
  }

  init(_ journal: Journal) { self.journal = journal }

  /// Runs a job on the archive's thread with the past up to a revision.
  func read(through last: Revision, _ job: @escaping @Sendable (Result<ArchiveReader, HistoryError>) -> Void) {
    thread.run { [self] in
      job(Result { () throws(HistoryError) in try open(through: last) })
    }
  }

  /// Opens the log anew when it has grown since.
  private func open(through last: Revision) throws(HistoryError) -> ArchiveReader {
    if let known = shelf.history, known.last >= last { return ArchiveReader(known, self) }
    do throws(LogError) {
      let history = History(try journal.reader(reusing: shelf.history?.log), journal.snapshots, through: last)
      shelf.history = history
      return ArchiveReader(history, self)
    } catch {
      throw .log(error)
    }
  }

  /// The state at a revision; the last one that was made is kept.
  fileprivate func state(
    at revision: Revision, following parts: StateParts, _ history: History
  ) throws(HistoryError) -> State {
    if let known = shelf.state, known.revision == revision, known.parts.isSuperset(of: parts) { return known }
    let state = try history.state(at: revision, following: parts)
    shelf.state = state
    return state
  }

  func stop() { thread.stop() }
}

/// The past, lent for the time of one job.
struct ArchiveReader {
  let history: History
  private let archive: Archive

  fileprivate init(_ history: History, _ archive: Archive) {
    self.history = history
    self.archive = archive
  }

  func state(at revision: Revision, following parts: StateParts = .all) throws(HistoryError) -> State {
    try archive.state(at: revision, following: parts, history)
  }
}
