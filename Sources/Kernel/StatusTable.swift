internal import MusterCluster

/// What nodes say of their replicas, in the order of shards. Soft: it is gone after a restart, and said again.
struct StatusTable {
  private struct Entry {
    var node: NodeID
    var incarnation: UInt64
    var status: ReplicaStatus
    /// Where a copy was when it was first heard of, and when, in milliseconds; nil while nothing is copied.
    var copy: Copy?
  }

  private struct Copy {
    var bytes: UInt64
    var at: UInt64
  }

  private var entries: [ShardID: [Entry]] = [:]

  /// What the newest incarnation of a node said of its replica; nil when it has said nothing yet.
  func status(_ shard: ShardID, _ node: NodeID, in state: State) -> ReplicaStatus? {
    guard let entry = entries[shard]?.first(where: { $0.node == node }) else { return nil }
    return state.nodes.row(node)?.incarnation == entry.incarnation ? entry.status : nil
  }

  /// Takes over what a node says of a replica that it has.
  ///
  /// - Parameter now: milliseconds of a clock that never jumps.
  /// - Returns: true when others must be told: the replica is reached elsewhere than before.
  mutating func note(_ status: ReplicaStatus, of node: NodeID, incarnation: UInt64, in state: State, now: UInt64)
    -> Bool
  {
    guard let row = state.shards.row(status.shard), row.replicas.index(of: node) != nil else { return false }
    let before = self.status(status.shard, node, in: state)?.address ?? ""
    var list = (entries[status.shard] ?? []).filter { $0.node != node && row.replicas.index(of: $0.node) != nil }
    let old = entries[status.shard]?.first { $0.node == node && $0.incarnation == incarnation }
    list.append(entry(status, node, incarnation, old?.copy, now))
    entries[status.shard] = list
    return before != status.address
  }

  private func entry(
    _ status: ReplicaStatus, _ node: NodeID, _ incarnation: UInt64, _ old: Copy?, _ now: UInt64
  ) -> Entry {
    var status = status
    status.bytesPerSecond = 0
    guard status.bytesToCopy > 0 else { return Entry(node: node, incarnation: incarnation, status: status) }
    let copy = old.map { $0.bytes <= status.bytes ? $0 : nil } ?? nil
    let began = copy ?? Copy(bytes: status.bytes, at: now)
    let elapsed = now - min(began.at, now)
    if elapsed > 0 {
      let (product, isPastLast) = (status.bytes - began.bytes).multipliedReportingOverflow(by: 1000)
      status.bytesPerSecond = isPastLast ? (status.bytes - began.bytes) / elapsed : product / elapsed
    }
    return Entry(node: node, incarnation: incarnation, status: status, copy: began)
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
