package import MusterCluster
package import MusterProtocol

extension State {
  private func follower(_ replica: Replica, isLeaving: Bool) -> Follower {
    var follower = Follower()
    follower.node = replica.node
    follower.name = nodeName(replica.node)
    follower.address = nodes[replica.node].address
    follower.isLearner = replica.role == .learner
    follower.isOpened = replica.isOpened
    follower.isInSync = replica.isInSync
    follower.isAlive = nodes[replica.node].state != .down
    follower.isLeaving = isLeaving
    return follower
  }

  /// What a node is told of a shard; nil when it has no replica of it.
  package func assignment(_ shard: ShardID, to node: NodeID) -> Assignment? {
    guard let row = shards.row(shard), let replica = row.replicas.replica(on: node) else { return nil }
    var assignment = Assignment()
    assignment.shard = shard
    assignment.collection = collectionName(row.collection)
    assignment.index = row.index
    assignment.role = replica.role
    assignment.epoch = row.epoch
    assignment.isOpened = replica.isOpened
    assignment.isInSync = replica.isInSync
    assignment.isElecting = row.leader == 0
    if row.leader != 0 {
      assignment.leader = nodeName(row.leader)
      assignment.leaderAddress = nodes[row.leader].address
    }
    let collection = collections[row.collection]
    assignment.minInSync = collection.policy.minInSync
    guard row.leader == node else { return assignment }
    assignment.minimumRaise = row.minimumRaise == collection.minimumRaises ? 0 : collection.minimumRaises
    let leaving = moves.row(row.move)?.leaving ?? 0
    assignment.followers = row.replicas.filter { $0.node != node }.map { follower($0, isLeaving: $0.node == leaving) }
    assignment.heir = row.heir
    assignment.heirSince = row.heirSince
    return assignment
  }
}
