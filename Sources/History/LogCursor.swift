internal import MusterLog
package import MusterCluster
package import MusterProtocol

/// The answer to `log`, given piece by piece, so that neither side holds more than a piece. Each unit of blocks that may
/// match is read once, and only one is held.
package final class LogCursor {
  /// Units that one piece may look through in vain before it is handed over as it is: others wait for this thread.
  private static let unitsPerPiece = 16

  private let history: History
  private let filter: CompiledFilter
  /// Names are looked up here.
  private let names: State
  private let isOldestFirst: Bool
  /// What is still to be read.
  private var units: UnitCursor
  /// What was read and matches, the next at the end.
  private var waiting: [Commit] = []
  /// How many commits may still be shown.
  private var left: UInt64
  private var cost = ReadCost()
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
      } ?? 1
    left = request.limit == 0 ? .max : request.limit
    units = UnitCursor(
      history.log, from: firstRevision, through: lastRevision, matching: filter.selection,
      isReversed: !request.isOldestFirst)
  }

  /// The commits up to a revision that match, newest first.
  package init(_ filter: CompiledFilter, _ history: History, names: State, through last: Revision) {
    self.history = history
    self.names = names
    self.filter = filter
    isOldestFirst = false
    firstRevision = 1
    lastRevision = last
    left = .max
    units = UnitCursor(history.log, from: 1, through: last, matching: filter.selection, isReversed: true)
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
  package var isDone: Bool { left == 0 || (waiting.isEmpty && units.isDone) }

  /// The next commits in words, at most so many; fewer only when that was all, or much was looked through.
  package func next(_ count: Int) throws(HistoryError) -> [CommitReport] {
    try nextCommits(count).map { names.report($0) }
  }

  /// The same as they are stored.
  package func nextCommits(_ count: Int) throws(HistoryError) -> [Commit] {
    var commits: [Commit] = []
    var unitsRead = 0
    while commits.count < count, left > 0 {
      if let commit = waiting.popLast() {
        commits.append(commit)
        left -= 1
        continue
      }
      guard unitsRead < LogCursor.unitsPerPiece, !units.isDone else { break }
      unitsRead += 1
      try readNext()
    }
    return commits
  }

  /// Reads the next unit and keeps what matches.
  private func readNext() throws(HistoryError) {
    let before = history.cost
    defer { cost = cost + (history.cost - before) }
    let next: LogUnit?
    do throws(LogError) { next = try units.next() } catch { throw .log(error) }
    guard let unit = next else { return }
    try history.forEachCommit(in: unit, from: firstRevision, through: lastRevision) { commit in
      if filter.matches(commit) { waiting.append(commit) }
      return true
    }
    if isOldestFirst { waiting.reverse() }
  }

  /// What the whole answer spoke of, and what it cost.
  package func end(timeline: UInt64) throws(HistoryError) -> HistoryEnd {
    var end = HistoryEnd()
    end.timeline = timeline
    end.from = firstRevision
    end.revision = lastRevision
    end.time = try history.time(of: lastRevision)
    end.note(cost)
    return end
  }
}
