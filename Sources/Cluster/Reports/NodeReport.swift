package import MusterBytes

/// A node as people and clients see it.
package struct NodeReport: FieldMessage, Hashable {
  package var id: NodeID = 0
  package var name = ""
  package var state = NodeState.joining
  package var isCordoned = false
  package var incarnation: UInt64 = 0
  package var domain = ""
  package var labels: [Label] = []
  package var capacity: [Amount] = []
  package var used: [Amount] = []
  package var address = ""
  package var heartbeatMilliseconds: UInt64 = 0
  package var replicas: UInt32 = 0
  package var leaders: UInt32 = 0
  /// Since when it is in this state, by the log's clock.
  package var since: Microseconds = 0
  package var sinceRevision: Revision = 0
  package var changed: Revision = 0

  package init() {}

  package mutating func visit<V: FieldVisitor & ~Copyable>(_ fields: inout V) throws(WireError) {
    try fields.uint32(1, &id)
    try fields.string(2, &name, max: Limits.nameBytes)
    try fields.enumeration(3, &state)
    try fields.bool(4, &isCordoned)
    try fields.uint64(5, &incarnation)
    try fields.string(6, &domain, max: Limits.pathBytes)
    try fields.messages(7, &labels, count: Limits.labels)
    try fields.messages(8, &capacity, count: Limits.dimensions)
    try fields.messages(9, &used, count: Limits.dimensions)
    try fields.string(10, &address, max: Limits.addressBytes)
    try fields.uint64(11, &heartbeatMilliseconds)
    try fields.uint32(12, &replicas)
    try fields.uint32(13, &leaders)
    try fields.uint64(14, &since)
    try fields.uint64(15, &sinceRevision)
    try fields.uint64(16, &changed)
  }
}

extension State {
  package func report(node id: NodeID) -> NodeReport {
    let row = nodes[id]
    let load = load(id)
    var report = NodeReport()
    report.id = id
    report.name = row.name
    report.state = row.state
    report.isCordoned = row.isCordoned
    report.incarnation = row.incarnation
    report.domain = row.domain
    report.labels = row.labels
    report.capacity = row.capacity
    report.used = dimensions.enumerated().compactMap { number, name in
      load.used[number] == 0 ? nil : Amount(name, load.used[number])
    }
    report.address = row.address
    report.heartbeatMilliseconds = row.heartbeatMilliseconds
    report.replicas = load.replicas
    report.leaders = load.leaders
    report.since = row.since
    report.sinceRevision = row.sinceRevision
    report.changed = row.changed
    return report
  }
}
