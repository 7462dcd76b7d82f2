package import MusterBytes
package import MusterCluster

/// Between two moments: where did a check become false?
package struct BisectRequest: FieldMessage, Hashable {
  package var check = ""
  /// It holds here; nil for the beginning of the log.
  package var from: Moment?
  /// It does not hold here.
  package var to = Moment.now

  package init() {}
  package init(_ check: String, from: Moment? = nil, to: Moment = .now) {
    self.check = check
    self.from = from
    self.to = to
  }

  package mutating func visit<V: FieldVisitor & ~Copyable>(_ fields: inout V) throws(WireError) {
    try fields.string(1, &check, max: Expression.bytesMax)
    try fields.message(2, &from)
    try fields.message(3, &to)
  }
}

package struct BisectReply: FieldMessage, Hashable {
  package var timeline: UInt64 = 0
  /// Both ends of what was searched.
  package var from: Revision = 0
  package var to: Revision = 0
  /// The commit that made the check false: it holds at the revision before.
  package var commit = CommitReport()
  /// What it cost.
  package var statesRead: UInt64 = 0
  package var blocksRead: UInt64 = 0

  package init() {}

  package mutating func visit<V: FieldVisitor & ~Copyable>(_ fields: inout V) throws(WireError) {
    try fields.uint64(1, &timeline)
    try fields.uint64(2, &from)
    try fields.uint64(3, &to)
    try fields.message(4, &commit)
    try fields.uint64(5, &statesRead)
    try fields.uint64(6, &blocksRead)
  }
}
