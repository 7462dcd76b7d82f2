package import MusterCluster
package import MusterHistory
package import MusterProtocol

/// What is asked of the past of one thing.
extension Shelf {
  package func blame(
    _ request: BlameRequest, _ history: History, clock: Microseconds, timeline: UInt64
  ) throws(HistoryError) -> BlameReply {
    let (name, state) = try subject(request.entity, request.at, history, clock)
    var reply = try history.blame(name, in: state)
    reply.timeline = timeline
    return reply
  }

  package func why(
    _ request: WhyRequest, _ history: History, clock: Microseconds, timeline: UInt64
  ) throws(HistoryError) -> WhyReply {
    let (name, state) = try subject(request.entity, request.at, history, clock)
    var reply = try history.why(name, in: state)
    reply.timeline = timeline
    return reply
  }

  /// What was named, and the state that is asked about.
  private func subject(
    _ entity: String, _ moment: Moment, _ history: History, _ clock: Microseconds
  ) throws(HistoryError) -> (EntityName, State) {
    guard let name = EntityName(entity) else {
      throw .refused(Refusal(.invalid, "a thing to ask about is \(EntityName.forms)"))
    }
    return (name, try state(at: try history.resolve(moment, clock: clock), history))
  }
}

/// A search for where a check became false, one state after the other. Used by one thread at a time.
package final class BisectSearch: @unchecked Sendable {
  private let bisector: Bisector
  private let names: State
  private let timeline: UInt64

  package init(_ bisector: Bisector, names: State, timeline: UInt64) {
    self.bisector = bisector
    self.names = names
    self.timeline = timeline
  }

  /// Looks at one more state; the answer when the place is found.
  package func next() throws(HistoryError) -> BisectReply? {
    guard try bisector.step() else { return nil }
    var reply = try bisector.reply(names: names)
    reply.timeline = timeline
    return reply
  }
}
