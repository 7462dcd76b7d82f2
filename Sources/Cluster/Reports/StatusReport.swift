package import MusterBytes

package struct AlarmReport: FieldMessage, Hashable {
  package var name = ""
  package var message = ""
  package var since: Microseconds = 0
  package var changed: Revision = 0

  package init() {}

  package mutating func visit<V: FieldVisitor & ~Copyable>(_ fields: inout V) throws(WireError) {
    try fields.string(1, &name, max: Limits.pathBytes)
    try fields.string(2, &message, max: Limits.reasonBytes)
    try fields.uint64(3, &since)
    try fields.uint64(4, &changed)
  }
}

/// The cluster at a glance.
package struct StatusReport: FieldMessage, Hashable {
  /// How many nodes are in each state, by the state's number.
  package var nodesByState: [UInt32] = []
  package var cordonedNodes: UInt32 = 0
  package var collections: UInt32 = 0
  package var shards: UInt64 = 0
  /// They take writes: `ShardConditions`.
  package var availableShards: UInt64 = 0
  /// Fewer live replicas in sync than the policy asks for.
  package var underReplicatedShards: UInt64 = 0
  /// Nobody leads them, or who leads them is down.
  package var leaderlessShards: UInt64 = 0
  package var movingShards: UInt64 = 0
  package var unplacedShards: UInt64 = 0
  package var configs: UInt32 = 0
  package var isInMaintenance = false
  package var alarms: [AlarmReport] = []
  /// Of the canonical rows, as hexadecimal.
  package var digest = ""
  package var balancing = BalancingMode.off

  package init() {}

  package mutating func visit<V: FieldVisitor & ~Copyable>(_ fields: inout V) throws(WireError) {
    try fields.packed(1, &nodesByState, count: 16)
    try fields.uint32(2, &cordonedNodes)
    try fields.uint32(3, &collections)
    try fields.uint64(4, &shards)
    try fields.uint64(5, &availableShards)
    try fields.uint64(6, &underReplicatedShards)
    try fields.uint64(7, &leaderlessShards)
    try fields.uint64(8, &movingShards)
    try fields.uint64(9, &unplacedShards)
    try fields.uint32(10, &configs)
    try fields.bool(11, &isInMaintenance)
    try fields.messages(12, &alarms, count: 1024)
    try fields.string(13, &digest, max: 64)
    try fields.enumeration(14, &balancing)
  }
}

extension State {
  /// - Complexity: O(nodes + shards).
  package func statusReport() -> StatusReport {
    var report = StatusReport()
    report.nodesByState = nodeCounts()
    nodes.forEach { _, row in if row.isCordoned && !row.isRemoved { report.cordonedNodes += 1 } }
    collections.forEach { _, row in if !row.isDeleted { report.collections += 1 } }
    countShards(into: &report)
    configs.forEach { _, row in if row.value != nil { report.configs += 1 } }
    report.isInMaintenance = isInMaintenance
    report.balancing = cluster[1].balancing
    report.alarms = raisedAlarms()
    report.digest = digest.hex
    return report
  }

  /// How many nodes are in each state, by the state's number.
  package func nodeCounts() -> [UInt32] {
    var counts = [UInt32](repeating: 0, count: NodeState.allCases.count)
    nodes.forEach { _, row in counts[Int(row.state.rawValue)] += 1 }
    return counts
  }

  package func raisedAlarms() -> [AlarmReport] {
    var reports: [AlarmReport] = []
    alarms.forEach { _, row in
      guard row.isRaised, reports.count < 1024 else { return }
      var report = AlarmReport()
      report.name = row.name
      report.message = row.message
      report.since = row.since
      report.changed = row.changed
      reports.append(report)
    }
    return reports
  }

  private func countShards(into report: inout StatusReport) {
    let conditions = ShardConditions(self)
    collections.forEach { _, collection in
      guard !collection.isDeleted else { return }
      for id in collection.owners {
        let shard = shards[id]
        report.shards += 1
        if shard.move != 0 { report.movingShards += 1 }
        if shard.replicas.count == 0 { report.unplacedShards += 1 }
        if conditions.isLeaderless(shard) { report.leaderlessShards += 1 }
        if conditions.isAvailable(shard, collection.policy) { report.availableShards += 1 }
        if conditions.isUnderReplicated(shard, collection.policy) { report.underReplicatedShards += 1 }
      }
    }
  }
}
