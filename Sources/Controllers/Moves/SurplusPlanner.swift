internal import MusterCluster

/// Chooses which replicas go where there are too many, and counts what it chose, so that nodes stay even.
struct SurplusPlanner {
  private let state: State
  /// Replicas chosen so far, by node number.
  private var chosen: [UInt32]

  /// Replicas that break a rule where they stand, by shard.
  private let misplaced: [ShardID: [NodeID]]

  init(_ state: State, misplaced: [(node: NodeID, shard: ShardID)]) {
    self.state = state
    self.misplaced = Dictionary(grouping: misplaced, by: \.shard).mapValues { $0.map(\.node) }
    chosen = Array(repeating: 0, count: state.nodes.count + 1)
  }

  /// The node whose replica can best be spared: one that is lost before one that is behind, then one that breaks a rule or
  /// whose node is drained, then the one on the node with the most replicas. Never the leader's.
  mutating func choose(_ shard: ShardID, _ row: ShardRow) -> NodeID? {
    let unwanted = misplaced[shard] ?? []
    let spare = row.replicas.filter { $0.node != row.leader }
    guard let node = spare.min(by: { rank($0, unwanted) < rank($1, unwanted) })?.node else { return nil }
    chosen[Int(node)] += 1
    return node
  }

  private func rank(_ replica: Replica, _ unwanted: [NodeID]) -> (Int, Int, Int, Int64, Int64) {
    let left = Int64(state.load(replica.node).replicas) - Int64(chosen[Int(replica.node)])
    let node = state.nodes[replica.node]
    let isUnwanted = unwanted.contains(replica.node) || node.state == .draining
    return (
      node.state.isAlive ? 1 : 0, replica.isCopy ? 1 : 0, isUnwanted ? 0 : 1, -left, -Int64(replica.node)
    )
  }
}
