internal import MusterBytes
package import MusterCluster
internal import MusterControllers
package import MusterHistory
package import MusterLog
package import MusterProtocol

/// The past as a server reads it: the log as it was opened last, and the last state that was asked for, since questions
/// about one moment come together.
///
/// One caller at a time: the archive's thread, or the simulator's only one.
package final class Shelf {
  private var known: History?
  private(set) var state: State?

  package init() {}

  /// The past up to a revision; the log is opened anew when it has grown since.
  ///
  /// - Parameter open: opens the log; it is handed the reader from before, whose knowledge of packed segments holds.
  package func history(
    through last: Revision, _ open: (LogReader?) throws(LogError) -> History
  ) throws(HistoryError) -> History {
    if let known, known.last >= last { return known }
    let fresh: History
    do throws(LogError) { fresh = try open(known?.log) } catch { throw .log(error) }
    // Whoever only reads must take a rotten frame at the very end for a torn one. The server knows better: what it
    // published was durable.
    guard fresh.last >= last else {
      throw .divergence(last, "it was durable, and the log ends with revision \(fresh.last) when it is read")
    }
    fresh.log.remembersKeys = true
    known = fresh
    return fresh
  }

  /// Files of the log are gone: the next question opens it anew.
  package func forget() { known = nil }

  /// The state at a revision; the last one that was made is kept.
  func state(
    at revision: Revision, following parts: StateParts = .all, _ history: History
  ) throws(HistoryError) -> State {
    if let state, state.revision == revision, state.parts.isSuperset(of: parts) { return state }
    let fresh = try history.state(at: revision, following: parts)
    state = fresh
    return fresh
  }

  /// A state that answers a question: one that is known, or the few rows that it asks for, or the parts it asks for.
  private func state(for question: Question, at revision: Revision, _ history: History) throws(HistoryError) -> State {
    if let state, state.revision == revision, state.parts.isSuperset(of: question.parts) { return state }
    if let focus = try history.focus(on: question, at: revision) { return focus }
    return try state(at: revision, following: question.parts, history)
  }

  // MARK: Answers

  package func answer(
    _ request: ReadRequest, _ history: History, clock: Microseconds, timeline: UInt64, vault: (any Vault)? = nil
  ) throws(HistoryError) -> ReadReply {
    let before = history.cost
    let revision = try history.resolve(request.at, clock: clock)
    let state = try state(for: request.question, at: revision, history)
    var reply = ReadReply()
    reply.timeline = timeline
    reply.revision = state.revision
    reply.time = state.time
    reply.note(history.cost - before)
    do throws(Refusal) { reply.answer = try state.answer(request.question, PlacementAdvisor()) } catch {
      throw .refused(error)
    }
    reply.answer.reveal(request.question, with: vault)
    return reply
  }

  package func differences(
    _ request: DiffRequest, _ history: History, clock: Microseconds, timeline: UInt64
  ) throws(HistoryError) -> RecallSource {
    let before = history.cost
    let a = try history.resolve(request.a, clock: clock)
    let b = try history.resolve(request.b, clock: clock)
    let all = try history.differences(from: a, to: b)
    var end = HistoryEnd()
    end.timeline = timeline
    end.from = a
    end.revision = b
    end.time = try history.time(of: b)
    end.note(history.cost - before)
    return RecallSource(.differences(all, end))
  }

  /// At most so many commits, for a watcher that is behind.
  package func commits(
    from: Revision, through: Revision, limit: Int, _ history: History
  ) throws(HistoryError) -> [Commit] {
    var found: [Commit] = []
    try history.forEachCommit(from: from, through: through) {
      found.append($0)
      return found.count < limit
    }
    return found
  }
}

extension RPCError {
  /// An error of the past as a client sees it.
  package init(_ error: HistoryError) {
    switch error {
    case .refused(let refusal): self.init(.refused, refusal.message, details: refusal.encoded())
    case .cut(_, let horizon): self.init(.noSuchMoment, "\(error)", details: horizon.encoded())
    case .future, .beforeBeginning: self.init(.noSuchMoment, "\(error)")
    case .divergence, .log(.corrupt): self.init(.corruption, "\(error)")
    case .log(.gone): self.init(.unavailable, "\(error)", retryAfterMilliseconds: 1000)
    case .log: self.init(.internalFault, "\(error)")
    }
  }
}
