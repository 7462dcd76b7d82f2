extension Policy {
  /// Without a minimum every replica in sync must have each write, one that has no vote yet too: it may get one, and be
  /// elected alone. With a minimum only those count that elections ask.
  package var learnersCount: Bool { minInSync == 0 }
}

extension ShardRow {
  /// Which replica another one copies from, by its node; 0 while there is none.
  ///
  /// Who counts copies from the leader: it is in sync, and elections ask it. Others copy from one of those, so that the
  /// leader takes nobody's word for an acknowledgement that elections would not ask. Only while nobody else is there to
  /// copy from one other copies from the leader, and the rest from that one: which of them has everything is then no
  /// question.
  ///
  /// - Parameters:
  ///   - learnersCount: whether replicas count that are in sync and have no vote.
  ///   - isAlive: whether a node can be copied from.
  package func source(of node: NodeID, learnersCount: Bool, _ isAlive: (NodeID) -> Bool) -> NodeID {
    guard leader != 0, leader != node, let replica = replicas.replica(on: node) else { return 0 }
    if replica.isInSync, replica.role != .learner || learnersCount { return leader }
    func first(_ isRight: (Replica) -> Bool) -> NodeID? {
      replicas.first { $0.node != leader && isAlive($0.node) && isRight($0) }?.node
    }
    if let voter = first(\.isVotingCopy) { return voter }
    if replica.isInSync { return leader }
    if let learner = first(\.isCopy) { return learner }
    return first { !$0.isEmptied }.map { $0 == node ? leader : $0 } ?? leader
  }

  /// Which replica of this shard a copy for a split-off shard copies from, by its node; 0 while there is none.
  ///
  /// Never from the leader where others acknowledge too: a copy must not be taken for one of them. Else it copies from the
  /// replica on its own node, which costs no network.
  ///
  /// - Parameter minInSync: how many replicas acknowledge a write; 0 for all in sync.
  package func copySource(of node: NodeID, minInSync: UInt32, _ isAlive: (NodeID) -> Bool) -> NodeID {
    guard leader != 0 else { return 0 }
    let followers = replicas.filter { $0.isCopy && $0.node != leader && isAlive($0.node) }
    if let near = followers.first(where: { $0.node == node }) ?? followers.first { return near.node }
    let isAlone = minInSync == 1 || (minInSync == 0 && replicas.count(where: \.isInSync) == 1)
    return isAlone ? leader : 0
  }
}
