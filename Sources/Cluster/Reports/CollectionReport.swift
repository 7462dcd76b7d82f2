package import MusterBytes

/// A collection as people and clients see it.
package struct CollectionReport: FieldMessage, Hashable {
  package var id: CollectionID = 0
  package var name = ""
  package var state = CollectionState.creating
  package var tenant = ""
  package var policy = Policy()
  package var labels: [Label] = []
  package var shards: UInt32 = 0
  package var placed: UInt32 = 0
  package var created: Revision = 0
  package var changed: Revision = 0
  /// With how many shards it was made: who owns a key is reckoned from that.
  package var founded: UInt32 = 0
  /// What was split off since, and which of the first got wider by merges.
  package var splits: [SplitRange] = []
  /// How many shards it shall come to have; 0 when it has them.
  package var wantedShards: UInt32 = 0

  package init() {}

  package mutating func visit<V: FieldVisitor & ~Copyable>(_ fields: inout V) throws(WireError) {
    try fields.uint32(1, &id)
    try fields.string(2, &name, max: Limits.nameBytes)
    try fields.enumeration(3, &state)
    try fields.string(4, &tenant, max: Limits.nameBytes)
    try fields.message(5, &policy)
    try fields.messages(6, &labels, count: Limits.labels)
    try fields.uint32(7, &shards)
    try fields.uint32(8, &placed)
    try fields.uint64(9, &created)
    try fields.uint64(10, &changed)
    try fields.uint32(20, &founded)
    try fields.messages(21, &splits, count: Limits.childrenPerCollection + Limits.widenedPerCollection)
    try fields.uint32(22, &wantedShards)
  }
}

extension State {
  package func report(collection id: CollectionID) -> CollectionReport {
    let row = collections[id]
    var report = CollectionReport()
    report.id = id
    report.name = row.name
    report.state = row.state
    report.tenant = tenants.row(row.tenant)?.name ?? ""
    report.policy = row.policy
    report.labels = row.labels
    report.shards = row.owningCount
    report.founded = row.shardCount
    report.splits = row.splitRanges
    report.wantedShards = row.wantedShards
    report.placed = row.placedCount + row.owningCount - row.shardCount
    report.created = row.created
    report.changed = row.changed
    return report
  }
}
