internal import MusterCluster
internal import MusterProtocol

/// An answer that may not leave before the revision it saw is durable.
struct WaitingReply {
  var call: CallID
  /// The head's revision when the answer was decided.
  var observed: Revision
  var answer: WaitingAnswer
}

enum WaitingAnswer {
  case executed(ExecuteReply)
  case failed(RPCError)
}

/// Answers in the order in which they were decided, which is the order in which they become sayable.
struct WaitingReplies {
  private var replies: [WaitingReply] = []
  private var first = 0

  var count: Int { replies.count - first }

  mutating func append(_ reply: WaitingReply) {
    precondition(count == 0 || replies[replies.count - 1].observed <= reply.observed, "what is decided later saw more")
    replies.append(reply)
  }

  /// The next answer that saw nothing newer than `durable`.
  mutating func next(durable: Revision) -> WaitingReply? {
    guard first < replies.count, replies[first].observed <= durable else { return nil }
    defer {
      first += 1
      if first == replies.count {
        replies.removeAll(keepingCapacity: true)
        first = 0
      }
    }
    return replies[first]
  }
}
