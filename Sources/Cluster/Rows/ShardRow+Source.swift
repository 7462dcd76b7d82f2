extension ShardRow {
  /// Which replica another one copies from, by its node; 0 while there is none.
  ///
  /// Who is in sync copies from the leader, and what it acknowledges counts. Who is not yet copies from one that is, so
  /// that the leader takes nobody's word for an acknowledgement that elections would not ask. Only while the leader is
  /// alone in sync one other copies from it, and the rest from that one: which of them has everything is then no question.
  ///
  /// - Parameter isAlive: whether a node can be copied from.
  package func source(of node: NodeID, _ isAlive: (NodeID) -> Bool) -> NodeID {
    guard leader != 0, leader != node, let replica = replicas.replica(on: node) else { return 0 }
    if replica.isInSync { return leader }
    if let follower = replicas.first(where: { $0.isInSync && $0.node != leader && isAlive($0.node) }) {
      return follower.node
    }
    let first = replicas.first { !$0.isInSync && $0.node != leader && isAlive($0.node) }
    return first.map { $0.node == node ? leader : $0.node } ?? leader
  }

  /// Which replica of this shard a copy for a split-off shard copies from, by its node; 0 while there is none.
  ///
  /// Never from the leader where others acknowledge too: a copy must not be taken for one of them. Else it copies from the
  /// replica on its own node, which costs no network.
  ///
  /// - Parameter minInSync: how many replicas acknowledge a write; 0 for all in sync.
  package func copySource(of node: NodeID, minInSync: UInt32, _ isAlive: (NodeID) -> Bool) -> NodeID {
    guard leader != 0 else { return 0 }
    let followers = replicas.filter { $0.isInSync && $0.node != leader && isAlive($0.node) }
    if let near = followers.first(where: { $0.node == node }) ?? followers.first { return near.node }
    let isAlone = minInSync == 1 || (minInSync == 0 && replicas.count(where: \.isInSync) == 1)
    return isAlone ? leader : 0
  }
}
