package import MusterBytes
package import MusterCluster

/// Which commits `log` and `watch` show: all conditions must hold; an empty one holds always.
package struct CommitFilter: FieldMessage, Hashable {
  package var node = ""
  package var collection = ""
  /// `orders/17`.
  package var shard = ""
  package var configKey = ""
  package var principal = ""
  package var eventType = ""
  package var tenant = ""

  package init() {}

  package mutating func visit<V: FieldVisitor & ~Copyable>(_ fields: inout V) throws(WireError) {
    try fields.string(1, &node, max: Limits.nameBytes)
    try fields.string(2, &collection, max: Limits.nameBytes)
    try fields.string(3, &shard, max: Limits.pathBytes)
    try fields.string(4, &configKey, max: Limits.configKeyBytes)
    try fields.string(5, &principal, max: Limits.pathBytes)
    try fields.string(6, &eventType, max: Limits.nameBytes)
    try fields.string(7, &tenant, max: Limits.nameBytes)
  }
}

package struct LogRequest: FieldMessage, Hashable {
  /// Both ends are included; nil for the oldest.
  package var from: Moment?
  package var to = Moment.now
  package var filter = CommitFilter()
  /// 0 for all.
  package var limit: UInt64 = 0
  package var isOldestFirst = false

  package init() {}

  package mutating func visit<V: FieldVisitor & ~Copyable>(_ fields: inout V) throws(WireError) {
    try fields.message(1, &from)
    try fields.message(2, &to)
    try fields.message(3, &filter)
    try fields.uint64(4, &limit)
    try fields.bool(5, &isOldestFirst)
  }
}

package struct DiffRequest: FieldMessage, Hashable {
  package var a = Moment.now
  package var b = Moment.now

  package init() {}
  package init(_ a: Moment, _ b: Moment) {
    self.a = a
    self.b = b
  }

  package mutating func visit<V: FieldVisitor & ~Copyable>(_ fields: inout V) throws(WireError) {
    try fields.message(1, &a)
    try fields.message(2, &b)
  }
}

/// The end of a stream of the past says what it spoke of.
package struct HistoryEnd: FieldMessage, Hashable {
  package var timeline: UInt64 = 0
  package var from: Revision = 0
  package var revision: Revision = 0
  package var time: Microseconds = 0
  /// What the question cost: blocks of the log, pages of snapshots and indexes, stored bytes.
  package var blocksRead: UInt64 = 0
  package var pagesRead: UInt64 = 0
  package var bytesRead: UInt64 = 0

  package init() {}

  package mutating func visit<V: FieldVisitor & ~Copyable>(_ fields: inout V) throws(WireError) {
    try fields.uint64(1, &timeline)
    try fields.uint64(2, &from)
    try fields.uint64(3, &revision)
    try fields.uint64(4, &time)
    try fields.uint64(5, &blocksRead)
    try fields.uint64(6, &pagesRead)
    try fields.uint64(7, &bytesRead)
  }
}

/// An item of `log` or `diff`: one of the commits or differences, or the end.
package struct HistoryItem: FieldMessage, Hashable {
  package var commit: CommitReport?
  package var difference: Difference?
  package var end: HistoryEnd?

  package init() {}
  package init(_ commit: CommitReport) { self.commit = commit }
  package init(_ difference: Difference) { self.difference = difference }
  package init(_ end: HistoryEnd) { self.end = end }

  package mutating func visit<V: FieldVisitor & ~Copyable>(_ fields: inout V) throws(WireError) {
    try fields.message(1, &commit)
    try fields.message(2, &difference)
    try fields.message(3, &end)
  }
}
