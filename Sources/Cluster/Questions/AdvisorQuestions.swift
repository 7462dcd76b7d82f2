package import MusterBytes

/// Why a shard stands where it does.
package struct ExplainQuestion: FieldMessage, Hashable {
  package var collection = ""
  package var index: UInt32 = 0
  /// Only this node; empty for all.
  package var node = ""

  package init() {}
  package init(collection: String, index: UInt32, node: String = "") {
    self.collection = collection
    self.index = index
    self.node = node
  }

  package mutating func visit<V: FieldVisitor & ~Copyable>(_ fields: inout V) throws(WireError) {
    try fields.string(1, &collection, max: Limits.nameBytes)
    try fields.uint32(2, &index)
    try fields.string(3, &node, max: Limits.nameBytes)
  }
}

/// What would move if these things were done first. With nothing to do first: what balancing would do.
package struct PlanQuestion: FieldMessage, Hashable {
  package var drain: [String] = []
  package var add: [JoinNode] = []
  /// Policies that change first.
  package var change: [ChangeCollection] = []
  /// How many shards collections shall have.
  package var shards: [SetShardCount] = []

  package static let nodesMax = 64

  package init() {}

  package mutating func visit<V: FieldVisitor & ~Copyable>(_ fields: inout V) throws(WireError) {
    try fields.strings(1, &drain, max: Limits.nameBytes, count: PlanQuestion.nodesMax)
    try fields.messages(2, &add, count: PlanQuestion.nodesMax)
    try fields.messages(3, &change, count: PlanQuestion.nodesMax)
    try fields.messages(20, &shards, count: PlanQuestion.nodesMax)
  }
}

/// Answers what takes knowledge of the controllers. They implement it; `answer` calls it.
package protocol Advisor: Sendable {
  func explain(_ question: ExplainQuestion, _ shard: ShardID, in state: State) throws(Refusal) -> ExplanationReport
  func plan(_ question: PlanQuestion, in state: State) throws(Refusal) -> PlanReport
}
