package import MusterBytes

/// One rule as it meets one node.
package struct RuleReport: FieldMessage, Hashable {
  /// As it was written: `spread zone`, `require disk=ssd`, `capacity memory`.
  package var rule = ""
  package var isMet = false
  package var detail = ""
  /// It costs nothing when it is not met.
  package var isPreference = false

  package init() {}
  package init(rule: String, isMet: Bool, detail: String, isPreference: Bool = false) {
    self.rule = rule
    self.isMet = isMet
    self.detail = detail
    self.isPreference = isPreference
  }

  package mutating func visit<V: FieldVisitor & ~Copyable>(_ fields: inout V) throws(WireError) {
    try fields.string(1, &rule, max: Limits.reasonBytes)
    try fields.bool(2, &isMet)
    try fields.string(3, &detail, max: Limits.reasonBytes)
    try fields.bool(4, &isPreference)
  }
}

/// An election that is under way.
package struct ElectionReport: FieldMessage, Hashable {
  package var epoch: UInt32 = 0
  /// How many must answer of those in sync.
  package var needed: UInt32 = 0
  /// Nodes with replicas in sync that live: each is asked.
  package var asked: [String] = []
  /// Those in sync that are not there.
  package var missing: [String] = []
  /// Those that have promised the epoch; only now, and only from a running server.
  package var answered: [String] = []
  /// Whether it is known who has answered.
  package var knowsAnswers = false

  package init() {}

  package mutating func visit<V: FieldVisitor & ~Copyable>(_ fields: inout V) throws(WireError) {
    try fields.uint32(1, &epoch)
    try fields.uint32(2, &needed)
    try fields.strings(3, &asked, max: Limits.nameBytes, count: Limits.replicaSlots)
    try fields.strings(4, &missing, max: Limits.nameBytes, count: Limits.replicaSlots)
    try fields.strings(5, &answered, max: Limits.nameBytes, count: Limits.replicaSlots)
    try fields.bool(6, &knowsAnswers)
  }
}

/// Why a replica of a shard stands on a node, or could, or could not.
package struct NodeVerdict: FieldMessage, Hashable {
  package var node = ""
  package var hasReplica = false
  package var isLeader = false
  package var isAllowed = false
  /// How full its fullest dimension is with the replica, be it there or to come, in thousandths.
  package var fullness: UInt64 = 0
  package var rules: [RuleReport] = []

  package static let rulesMax = 64

  package init() {}

  package mutating func visit<V: FieldVisitor & ~Copyable>(_ fields: inout V) throws(WireError) {
    try fields.string(1, &node, max: Limits.nameBytes)
    try fields.bool(2, &hasReplica)
    try fields.bool(3, &isLeader)
    try fields.bool(4, &isAllowed)
    try fields.uint64(5, &fullness)
    try fields.messages(6, &rules, count: NodeVerdict.rulesMax)
  }
}

/// Rule by rule and node by node why a shard stands where it does, and why nothing moves.
package struct ExplanationReport: FieldMessage, Hashable {
  package var shard = ShardReport()
  package var nodes: [NodeVerdict] = []
  /// What happens with the shard now, or why nothing does.
  package var movement = ""
  /// What the verdicts answer: whether a node may take the replica that shall go, or whether what stands may stay.
  package var question = ""
  package var election: ElectionReport?

  package init() {}

  package mutating func visit<V: FieldVisitor & ~Copyable>(_ fields: inout V) throws(WireError) {
    try fields.message(1, &shard)
    try fields.messages(2, &nodes, count: Answer.rowsMax)
    try fields.string(3, &movement, max: Limits.reasonBytes)
    try fields.string(4, &question, max: Limits.reasonBytes)
    try fields.message(5, &election)
  }
}

/// A step of a plan: a replica that moves, or a leadership that is handed over.
package struct PlannedStep: FieldMessage, Hashable {
  package var shard = ""
  /// Empty when a replica is added and none goes.
  package var source = ""
  /// Empty when a replica too many goes and none comes.
  package var target = ""
  package var purpose = MovePurpose.order
  /// Only leadership goes from source to target.
  package var isHandOver = false
  /// What is copied, as far as the policy says.
  package var bytes: UInt64 = 0
  /// Live replicas in sync that the shard has at the worst moment of the step.
  package var redundancy: UInt32 = 0
  /// Of a split the shard that is made, of a merge the one that is absorbed; empty for replicas and leaders.
  package var partner = ""
  package var isMerge = false

  package var isSplit: Bool { !partner.isEmpty && !isMerge }

  package init() {}

  package mutating func visit<V: FieldVisitor & ~Copyable>(_ fields: inout V) throws(WireError) {
    try fields.string(1, &shard, max: Limits.pathBytes)
    try fields.string(2, &source, max: Limits.nameBytes)
    try fields.string(3, &target, max: Limits.nameBytes)
    try fields.enumeration(4, &purpose)
    try fields.bool(5, &isHandOver)
    try fields.uint64(6, &bytes)
    try fields.uint32(7, &redundancy)
    try fields.string(20, &partner, max: Limits.pathBytes)
    try fields.bool(21, &isMerge)
  }
}

/// What would happen, in order. Nothing was written.
package struct PlanReport: FieldMessage, Hashable {
  package var steps: [PlannedStep] = []
  /// Steps that did not fit this answer.
  package var omitted: UInt64 = 0
  package var bytes: UInt64 = 0
  /// The fewest live replicas in sync that any shard of the plan has at any step.
  package var lowestRedundancy: UInt32 = 0
  /// What the plan cannot do, and why.
  package var obstacles: [String] = []

  package static let obstaclesMax = 64

  package init() {}

  package mutating func visit<V: FieldVisitor & ~Copyable>(_ fields: inout V) throws(WireError) {
    try fields.messages(1, &steps, count: Answer.rowsMax)
    try fields.uint64(2, &omitted)
    try fields.uint64(3, &bytes)
    try fields.uint32(4, &lowestRedundancy)
    try fields.strings(5, &obstacles, max: Limits.reasonBytes, count: PlanReport.obstaclesMax)
  }
}
