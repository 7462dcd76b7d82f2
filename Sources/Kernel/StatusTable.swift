internal import MusterCluster

/// What nodes say of their replicas, in the order of shards. Soft: it is gone after a restart, and said again.
struct StatusTable {
  private struct Entry {
    var node: NodeID
    var incarnation: UInt64
    var status: ReplicaStatus
  }

  private var entries: [ShardID: [Entry]] = [:]

  /// What the newest incarnation of a node said of its replica; nil when it has said nothing yet.
  func status(_ shard: ShardID, _ node: NodeID, in state: State) -> ReplicaStatus? {
    guard let entry = entries[shard]?.first(where: { $0.node == node }) else { return nil }
    return state.nodes.row(node)?.incarnation == entry.incarnation ? entry.status : nil
  }

  /// Takes over what a node says of a replica that it has.
  ///
  /// - Returns: true when others must be told: the replica is reached elsewhere than before.
  mutating func note(_ status: ReplicaStatus, of node: NodeID, incarnation: UInt64, in state: State) -> Bool {
    guard let row = state.shards.row(status.shard), row.replicas.index(of: node) != nil else { return false }
    let before = self.status(status.shard, node, in: state)?.address ?? ""
    var list = (entries[status.shard] ?? []).filter { $0.node != node && row.replicas.index(of: $0.node) != nil }
    list.append(Entry(node: node, incarnation: incarnation, status: status))
    entries[status.shard] = list
    return before != status.address
  }

  /// Forgets what was said of replicas that are no more.
  mutating func prune(_ shards: [ShardID], in state: State) {
    for shard in shards {
      guard let list = entries[shard] else { continue }
      let replicas = state.shards.row(shard)?.replicas
      let left = list.filter { replicas?.index(of: $0.node) != nil }
      entries[shard] = left.isEmpty ? nil : left
    }
  }
}
