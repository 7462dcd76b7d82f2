internal import MusterLog
package import MusterCluster
package import MusterProtocol

/// Finds where a check became false between two moments, by halving what lies between.
///
/// It looks at O(log n) states, one a step, so that a caller can do something else in between. When the check became
/// false and true again several times, it finds one of the places where it became false, and no promise says which.
package final class Bisector {
  private let history: History
  private let check: Expression
  /// The newest state that is known to hold, and the oldest revision that is known not to.
  private var good: State?
  private var bad: Revision
  private let from: Revision
  private let to: Revision
  private var isBadKnown = false
  private var statesRead: UInt64 = 0
  private var blocksRead: UInt64 = 0

  /// - Parameter clock: what `ago` counts from.
  package init(_ request: BisectRequest, _ history: History, clock: Microseconds) throws(HistoryError) {
    self.history = history
    do throws(ExpressionError) { check = try Expression(request.check) } catch {
      throw .refused(Refusal(error, in: request.check))
    }
    to = try history.resolve(request.to, clock: clock)
    from =
      try request.from.map { (moment) throws(HistoryError) in try history.resolve(moment, clock: clock) }
      ?? history.log.firstRevision - 1
    guard from < to else {
      throw .refused(
        Refusal(.invalid, "there is nothing between revision \(from) and revision \(to): --from comes before --to"))
    }
    bad = to
  }

  /// Looks at one more state.
  ///
  /// - Returns: true when the place is found.
  package func step() throws(HistoryError) -> Bool {
    let before = history.log.cost.blocks
    defer { blocksRead += history.log.cost.blocks - before }
    guard let good else {
      let state = try state(at: from)
      guard check.holds(in: state) else {
        throw .refused(
          Refusal(.invalid, "the check is false already at revision \(from): give --from a moment when it held"))
      }
      self.good = state
      return false
    }
    guard isBadKnown else {
      guard try !check.holds(in: state(at: to)) else {
        throw .refused(
          Refusal(.invalid, "the check holds at revision \(to) as it does at \(from): it never became false for good"))
      }
      isBadKnown = true
      return bad - good.revision == 1
    }
    let middle = good.revision + (bad - good.revision) / 2
    let state = try state(at: middle)
    if check.holds(in: state) { self.good = state } else { bad = middle }
    return bad - (self.good?.revision ?? from) == 1
  }

  /// The state at a revision: from the newest that held, when that is nearer than the snapshot before.
  private func state(at revision: Revision) throws(HistoryError) -> State {
    statesRead += 1
    guard var state = good, try history.snapshotRevision(atOrBefore: revision) <= state.revision else {
      return try history.state(at: revision, following: check.parts)
    }
    _ = try history.replay(&state, through: revision)
    return state
  }

  /// What was found.
  ///
  /// - Parameter names: a state that knows every name, as a rule the newest.
  /// - Precondition: `step` has returned true.
  package func reply(names: State) throws(HistoryError) -> BisectReply {
    var reply = BisectReply()
    reply.from = from
    reply.to = to
    reply.commit = names.report(try history.commit(bad))
    reply.statesRead = statesRead
    reply.blocksRead = blocksRead
    return reply
  }
}

extension History {
  /// The newest revision at or before another one that a snapshot is of; 0 when there is none.
  func snapshotRevision(atOrBefore revision: Revision) throws(HistoryError) -> Revision {
    do throws(LogError) {
      return try snapshots.list().last { $0.revision <= revision }?.revision ?? 0
    } catch {
      throw .log(error)
    }
  }
}
