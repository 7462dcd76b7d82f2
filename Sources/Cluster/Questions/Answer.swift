package import MusterBytes

/// What is remembered of a client's requests.
package struct SessionReport: FieldMessage, Hashable {
  package var client = ""
  /// Sequences up to this one that are not in `remembered` can't be judged any more.
  package var floor: UInt64 = 0
  package var remembered: [ExecutedRequest] = []

  package init() {}

  /// The highest sequence that was executed, or 0.
  package var highest: UInt64 { remembered.reduce(floor) { max($0, $1.sequence) } }

  package mutating func visit<V: FieldVisitor & ~Copyable>(_ fields: inout V) throws(WireError) {
    try fields.string(1, &client, max: Limits.nameBytes)
    try fields.uint64(2, &floor)
    try fields.messages(3, &remembered, count: Limits.requestWindow)
  }
}

/// Whether a check holds.
package struct CheckReport: FieldMessage, Hashable {
  package var holds = false

  package init() {}
  package init(holds: Bool) { self.holds = holds }

  package mutating func visit<V: FieldVisitor & ~Copyable>(_ fields: inout V) throws(WireError) {
    try fields.bool(1, &holds)
  }
}

/// The answer to a question: only the list that was asked for is filled.
package struct Answer: FieldMessage, Hashable {
  @Boxed package var status: StatusReport?
  package var nodes: [NodeReport] = []
  package var collections: [CollectionReport] = []
  package var shards: [ShardReport] = []
  package var configs: [ConfigReport] = []
  package var schemas: [SchemaReport] = []
  @Boxed package var session: SessionReport?
  @Boxed package var explanation: ExplanationReport?
  @Boxed package var plan: PlanReport?
  package var lost: [LostShard] = []
  package var tenants: [TenantReport] = []
  package var check: CheckReport?
  /// Where the next page begins (`Page.after`); 0 when this is the last.
  package var next: UInt32 = 0

  /// The most rows in one answer.
  package static let rowsMax = 2000
  /// About how many bytes an answer may take before the rest waits for the next page.
  package static let bytesMax = 512 * 1024

  package init() {}

  package mutating func visit<V: FieldVisitor & ~Copyable>(_ fields: inout V) throws(WireError) {
    try fields.message(1, &status)
    try fields.messages(2, &nodes, count: Answer.rowsMax)
    try fields.messages(3, &collections, count: Answer.rowsMax)
    try fields.messages(4, &shards, count: Answer.rowsMax)
    try fields.messages(5, &configs, count: Answer.rowsMax)
    try fields.messages(6, &schemas, count: Answer.rowsMax)
    try fields.message(7, &session)
    try fields.uint32(8, &next)
    try fields.message(9, &explanation)
    try fields.message(10, &plan)
    try fields.messages(11, &lost, count: Answer.rowsMax)
    try fields.message(13, &check)
    try fields.messages(17, &tenants, count: Answer.rowsMax)
  }
}
