internal import MusterLog
package import MusterCluster
package import MusterProtocol

/// The answer to `log`, given piece by piece, so that neither side holds more than a piece. Each unit of blocks is
/// read once, and only one is held.
package final class LogCursor {
  /// Units that one piece may look through in vain before it is handed over as it is: others wait for this thread.
  private static let unitsPerPiece = 16

  private let history: History
  private let filter: CompiledFilter
  /// Names are looked up here.
  private let names: State
  private let isOldestFirst: Bool
  /// What is still to be read, the next at the end.
  private var units: [LogUnit]
  /// What was read and matches, the next at the end.
  private var waiting: [Commit] = []
  /// How many commits may still be shown.
  private var left: UInt64
  private var blocksRead: UInt64 = 0
  package let firstRevision: Revision
  package let lastRevision: Revision

  /// - Parameters:
  ///   - names: a state that knows every name, as a rule the newest.
  ///   - clock: what `ago` counts from.
  package init(_ request: LogRequest, _ history: History, names: State, clock: Microseconds) throws(HistoryError) {
    self.history = history
    self.names = names
    do throws(Refusal) { filter = try CompiledFilter(request.filter, names) } catch { throw .refused(error) }
    isOldestFirst = request.isOldestFirst
    lastRevision = try history.resolve(request.to, clock: clock)
    firstRevision =
      try request.from.map { (from) throws(HistoryError) in
        try LogCursor.start(from, history, clock)
      } ?? history.log.oldestRevision
    left = request.limit == 0 ? .max : request.limit
    units = history.log.units(from: firstRevision, through: lastRevision)
    if isOldestFirst { units.reverse() }
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
    guard time > 0 else { return 1 }
    do throws(HistoryError) {
      return try history.revision(atOrBefore: time - 1) + 1
    } catch {
      guard case .beforeBeginning = error else { throw error }
      return 1
    }
  }

  /// True when everything was shown.
  package var isDone: Bool { left == 0 || (waiting.isEmpty && units.isEmpty) }

  /// The next commits in words, at most so many; fewer only when that was all, or much was looked through.
  package func next(_ count: Int) throws(HistoryError) -> [CommitReport] {
    var reports: [CommitReport] = []
    var unitsRead = 0
    while reports.count < count, left > 0 {
      if let commit = waiting.popLast() {
        reports.append(names.report(commit))
        left -= 1
        continue
      }
      guard unitsRead < LogCursor.unitsPerPiece, let unit = units.popLast() else { break }
      unitsRead += 1
      try read(unit)
    }
    return reports
  }

  /// Reads a unit and keeps what matches.
  private func read(_ unit: LogUnit) throws(HistoryError) {
    let before = history.log.cost.blocks
    try history.forEachCommit(in: unit, from: firstRevision, through: lastRevision) { commit in
      if filter.matches(commit) { waiting.append(commit) }
      return true
    }
    if isOldestFirst { waiting.reverse() }
    blocksRead += history.log.cost.blocks - before
  }

  /// What the whole answer spoke of, and what it cost.
  package func end(timeline: UInt64) throws(HistoryError) -> HistoryEnd {
    var end = HistoryEnd()
    end.timeline = timeline
    end.from = firstRevision
    end.revision = lastRevision
    end.time = try history.time(of: lastRevision)
    end.blocksRead = blocksRead
    return end
  }
}
