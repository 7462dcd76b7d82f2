internal import MusterCluster

/// Chooses which replicas go where there are too many, and counts what it chose, so that nodes stay even.
struct SurplusPlanner {
  private let state: State
  /// Replicas chosen so far, by node number.
  private var chosen: [UInt32]

  init(_ state: State) {
    self.state = state
    chosen = Array(repeating: 0, count: state.nodes.count + 1)
  }

  /// The node whose replica can best be spared: one that is lost before one that is behind, then the one on the node
  /// with the most replicas. Never the leader's.
  mutating func choose(_ row: ShardRow) -> NodeID? {
    let spare = row.replicas.filter { $0.node != row.leader }
    guard let node = spare.min(by: { rank($0) < rank($1) })?.node else { return nil }
    chosen[Int(node)] += 1
    return node
  }

  private func rank(_ replica: Replica) -> (Int, Int, Int64, Int64) {
    let left = Int64(state.load(replica.node).replicas) - Int64(chosen[Int(replica.node)])
    return (
      state.nodes[replica.node].state.isAlive ? 1 : 0, replica.isInSync ? 1 : 0, -left, -Int64(replica.node)
    )
  }
}
