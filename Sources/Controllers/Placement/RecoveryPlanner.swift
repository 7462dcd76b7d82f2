package import MusterCluster

/// Finds places for single replicas beside those that stay, the least loaded first, and counts what it gave away.
///
/// One field of nodes serves all collections of one policy, so that a lost node's thousands of replicas cost one look at
/// the nodes and a few heaps.
package struct RecoveryPlanner {
  private let state: State
  private var fields: [Policy: PlacementField] = [:]
  private var policies: [CollectionID: Policy] = [:]

  package init(_ state: State) { self.state = state }

  /// The best node for a replica that takes the place of the one on `source`, or of none.
  package mutating func place(_ row: ShardRow, besides source: NodeID) -> NodeID? {
    guard !row.replicas.isFull else { return nil }
    let policy = policy(of: row.collection)
    if fields[policy] == nil { fields[policy] = PlacementField(PlacementRules(policy, state), state, .leastLoaded) }
    return fields[policy]?.place(row, besides: source, state)
  }

  private mutating func policy(of collection: CollectionID) -> Policy {
    if let known = policies[collection] { return known }
    let policy = state.collections[collection].policy
    policies[collection] = policy
    return policy
  }

  /// Where the replicas of a lost node go; nil for those that find no place.
  package static func plan(lost node: NodeID, _ state: State) -> [(shard: ShardID, target: NodeID?)] {
    var planner = RecoveryPlanner(state)
    var steps: [(shard: ShardID, target: NodeID?)] = []
    state.shards.forEach { shard, row in
      guard row.move == 0, row.replicas.index(of: node) != nil else { return }
      steps.append((shard, planner.place(row, besides: node)))
    }
    return steps
  }
}
