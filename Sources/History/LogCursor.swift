internal import MusterLog
package import MusterCluster
package import MusterProtocol

/// The answer to `log`, given piece by piece, so that neither side holds more than a piece.
package final class LogCursor {
  private let history: History
  private let filter: CompiledFilter
  /// Names are looked up here.
  private let names: State
  private let isOldestFirst: Bool
  private var from: Revision
  private var through: Revision
  private var left: UInt64
  package private(set) var isDone = false
  package let firstRevision: Revision
  package let lastRevision: Revision

  /// - Parameter clock: what `ago` counts from.
  package init(_ request: LogRequest, _ history: History, names: State, clock: Microseconds) throws(HistoryError) {
    self.history = history
    self.names = names
    do throws(Refusal) { filter = try CompiledFilter(request.filter, names) } catch { throw .refused(error) }
    isOldestFirst = request.isOldestFirst
    through = try history.resolve(request.to, clock: clock)
    from = 1
    if let start = request.from { from = try LogCursor.start(start, history, clock) }
    left = request.limit == 0 ? .max : request.limit
    firstRevision = from
    lastRevision = through
    isDone = from > through
  }

  /// A time means the first commit at or after it; a revision means itself.
  private static func start(
    _ moment: Moment, _ history: History, _ clock: Microseconds
  ) throws(HistoryError) -> Revision {
    switch moment {
    case .now, .revision: return max(1, try history.resolve(moment, clock: clock))
    case .time(let time): return try after(time, history)
    case .ago(let span): return try after(clock - min(span, clock), history)
    }
  }

  private static func after(_ time: Microseconds, _ history: History) throws(HistoryError) -> Revision {
    guard time > 0, let before = try? history.revision(atOrBefore: time - 1) else { return 1 }
    return before + 1
  }

  /// The next commits in words, at most so many; fewer only when that was all, or much was looked through.
  package func next(_ count: Int) throws(HistoryError) -> [CommitReport] {
    var reports: [CommitReport] = []
    var looked = 0
    let body: (Commit) throws -> Bool = { [self] commit in
      looked += 1
      if isOldestFirst { from = commit.revision + 1 } else { through = commit.revision - 1 }
      if filter.matches(commit) {
        reports.append(names.report(commit))
        left -= 1
      }
      return reports.count < count && left > 0 && looked < 50_000
    }
    if isOldestFirst {
      try history.forEachCommit(from: from, through: through, body)
    } else {
      try history.forEachCommitBackward(from: from, through: through, body)
    }
    isDone = left == 0 || from > through
    return reports
  }

  /// What the whole answer spoke of.
  package func end(timeline: UInt64) throws(HistoryError) -> HistoryEnd {
    var end = HistoryEnd()
    end.timeline = timeline
    end.from = firstRevision
    end.revision = lastRevision
    end.time = try history.time(of: lastRevision)
    end.blocksRead = history.log.cost.blocks
    return end
  }
}
