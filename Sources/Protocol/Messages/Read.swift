package import MusterBytes
package import MusterCluster

package struct ReadRequest: FieldMessage, Hashable {
  package var at = Moment.now
  package var question = Question.status(StatusQuestion())

  package init() {}
  package init(_ question: Question, at moment: Moment = .now) {
    self.question = question
    at = moment
  }

  package mutating func visit<V: FieldVisitor & ~Copyable>(_ fields: inout V) throws(WireError) {
    try fields.message(1, &at)
    try fields.message(2, &question)
  }
}

package struct ReadReply: FieldMessage, Hashable {
  package var timeline: UInt64 = 0
  /// The revision that the answer speaks of, and its log time.
  package var revision: Revision = 0
  package var time: Microseconds = 0
  package var answer = Answer()
  /// What the answer cost, when it is of the past: blocks of the log, pages of snapshots and indexes, stored bytes.
  package var blocksRead: UInt64 = 0
  package var pagesRead: UInt64 = 0
  package var bytesRead: UInt64 = 0

  package init() {}

  package mutating func visit<V: FieldVisitor & ~Copyable>(_ fields: inout V) throws(WireError) {
    try fields.uint64(1, &timeline)
    try fields.uint64(2, &revision)
    try fields.uint64(3, &time)
    try fields.message(4, &answer)
    try fields.uint64(5, &blocksRead)
    try fields.uint64(6, &pagesRead)
    try fields.uint64(7, &bytesRead)
  }
}

package struct ServerInfoRequest: FieldMessage, Hashable {
  package init() {}
  package mutating func visit<V: FieldVisitor & ~Copyable>(_ fields: inout V) throws(WireError) {}
}

/// What a server says of itself, besides the state.
package struct ServerInfo: FieldMessage, Hashable {
  package var timeline: UInt64 = 0
  package var revision: Revision = 0
  package var clusterID = ""
  package var term: UInt64 = 0
  package var run: UInt64 = 0
  package var version = ""
  /// Why nothing is written now; empty when it is.
  package var readOnlyBecause = ""
  /// The server's clock.
  package var wallTime: Microseconds = 0

  package init() {}

  package mutating func visit<V: FieldVisitor & ~Copyable>(_ fields: inout V) throws(WireError) {
    try fields.uint64(1, &timeline)
    try fields.uint64(2, &revision)
    try fields.string(3, &clusterID, max: 64)
    try fields.uint64(4, &term)
    try fields.uint64(5, &run)
    try fields.string(6, &version, max: 64)
    try fields.string(7, &readOnlyBecause, max: 1024)
    try fields.uint64(8, &wallTime)
  }
}
