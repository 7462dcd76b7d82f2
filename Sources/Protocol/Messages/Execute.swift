package import MusterBytes
package import MusterCluster

package enum OutcomeKind: UInt32, Sendable {
  case committed = 0
  /// The request was executed before; `commit` is its revision.
  case repeated = 1
  case unchanged = 2
  /// A dry run: `events` would have happened.
  case wouldCommit = 3

  package var name: String {
    switch self {
    case .committed: "committed"
    case .repeated: "repeated"
    case .unchanged: "unchanged"
    case .wouldCommit: "would-commit"
    }
  }
}

/// What became of a command. A refusal is an error whose details are a `Refusal`.
package struct ExecuteReply: FieldMessage, Hashable {
  package var timeline: UInt64 = 0
  /// The durable revision that the answer speaks of.
  package var revision: Revision = 0
  package var outcome = OutcomeKind.committed
  /// The revision of the commit, when there is one.
  package var commit: Revision = 0
  /// The number and incarnation of the node that joined, when the command was a join.
  package var node: NodeID = 0
  package var incarnation: UInt64 = 0
  package var events: [EventReport] = []
  /// The log time of `revision`.
  package var time: Microseconds = 0

  package init() {}

  package mutating func visit<V: FieldVisitor & ~Copyable>(_ fields: inout V) throws(WireError) {
    try fields.uint64(1, &timeline)
    try fields.uint64(2, &revision)
    try fields.enumeration(3, &outcome)
    try fields.uint64(4, &commit)
    try fields.uint32(5, &node)
    try fields.uint64(6, &incarnation)
    try fields.messages(7, &events, count: Limits.commitBytes)
    try fields.uint64(8, &time)
  }
}
