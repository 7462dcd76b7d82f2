package import MusterCluster
package import MusterProtocol

/// What a node was told to host and what it has not reported yet. Pure: the agent's shell feeds it and sends what it
/// says.
package struct AssignmentBook: Sendable {
  /// By shard number.
  package private(set) var assigned: [ShardID: Assignment] = [:]
  private var unreported: Set<ShardID> = []

  package init() {}

  /// Takes over what the control plane says.
  ///
  /// - Returns: what must be opened and what must be closed, in the order of shards.
  package mutating func apply(_ item: AssignmentsItem) -> (open: [Assignment], close: [ShardID]) {
    for shard in item.withdrawn {
      assigned[shard] = nil
      unreported.remove(shard)
    }
    var open: [Assignment] = []
    for assignment in item.assigned {
      assigned[assignment.shard] = assignment
      if !assignment.isOpened { open.append(assignment) }
    }
    return (open, item.withdrawn)
  }

  /// A replica was opened by the host.
  package mutating func opened(_ shard: ShardID) {
    if assigned[shard] != nil { unreported.insert(shard) }
  }

  /// The next report, at most so many shards; nil when there is nothing to say.
  package mutating func nextReport(node: NodeID, incarnation: UInt64) -> ReportReplicas? {
    guard !unreported.isEmpty else { return nil }
    let shards = Array(unreported.sorted().prefix(Limits.shardsPerReport / 4))
    return ReportReplicas(node: node, incarnation: incarnation, opened: shards, caughtUp: [], fellBehind: [])
  }

  /// A report was accepted.
  package mutating func reported(_ report: ReportReplicas) {
    unreported.subtract(report.opened)
  }

  /// A new stream tells everything again.
  package mutating func restart() {
    assigned = [:]
    unreported = []
  }
}
