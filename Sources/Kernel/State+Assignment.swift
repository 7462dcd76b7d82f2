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
    follower.isEmptied = replica.isEmptied
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
    assignment.isEmptied = replica.isEmptied
    assignment.beginsEmpty = row.leader == node && replica.isEmptied
    assignment.isElecting = row.leader == 0 && !row.isMaking
    var leader = row.leader
    if row.isMaking, let move = moves.row(row.move), let parent = shards.row(move.shard) {
      // Until it has keys it is a copy, and goes with the epochs of its parent.
      (assignment.parent, assignment.epoch, leader) = (move.shard, parent.epoch, parent.leader)
    }
    if leader != 0 {
      assignment.leader = nodeName(leader)
      assignment.leaderAddress = nodes[leader].address
    }
    let collection = collections[row.collection]
    assignment.minInSync = collection.policy.minInSync
    guard row.leader == node else { return assignment }
    assignment.minimumRaise = collection.minimumRaises
    assignment.mustHoldMinimum = collection.mustHoldMinimum(row)
    let merge = moves.row(row.move).flatMap { $0.isMerge ? $0 : nil }
    if merge != nil || collection.hasOwnRanges {
      assignment.range = collection.range(of: row.index)
      // Who absorbs another begins with that by itself, and must not forget what it copies.
      assignment.mustPrune = merge == nil && collection.isPruningDue(shard)
    }
    assignment.split = splitOrder(shard, row)
    assignment.merge = merge.map { mergeOrder(shard, $0, collection) }
    let leaving = moves.row(row.move)?.leaving ?? 0
    assignment.followers = row.replicas.filter { $0.node != node }.map { follower($0, isLeaving: $0.node == leaving) }
    assignment.heir = row.heir
    assignment.heirSince = row.heirSince
    return assignment
  }

  /// What the leader of a shard is told of its split, until the cut.
  private func splitOrder(_ shard: ShardID, _ row: ShardRow) -> SplitOrder? {
    guard let move = beginningSplit(of: row), move.shard == shard else { return nil }
    let child = shards[move.child]
    let minimum = collections[row.collection].policy.minInSync
    var order = SplitOrder()
    order.child = move.child
    order.since = move.step == .pausing ? move.changed : 0
    order.needed = minimum > 0 ? min(minimum, UInt32(child.replicas.count)) : UInt32(child.replicas.count)
    order.copies = child.replicas.map { follower($0, isLeaving: false) }
    return order
  }

  /// What the leader of either shard of a merge is told, until the cut.
  private func mergeOrder(_ shard: ShardID, _ move: MoveRow, _ collection: CollectionRow) -> MergeOrder {
    let absorbed = shards[move.absorbed]
    var order = MergeOrder()
    order.absorbed = move.absorbed
    order.isAbsorbed = move.absorbed == shard
    order.step = move.step
    order.since = move.changed
    order.epoch = move.step == .absorbing ? move.absorbedEpoch : absorbed.epoch
    order.range = collection.range(of: absorbed.index)
    return order
  }

  /// The split that a shard takes part in, before its cut.
  private func beginningSplit(of row: ShardRow) -> MoveRow? {
    guard let move = moves.row(row.move), move.isSplit, move.step == .catchingUp || move.step == .pausing else {
      return nil
    }
    return move
  }

  /// Shards of which others must hear when these change: the two of a split or a merge that is under way.
  package func withSplitPartners(_ shards: [ShardID]) -> [ShardID] {
    shards.flatMap { shard -> [ShardID] in
      guard let row = self.shards.row(shard), let move = moves.row(row.move), move.partner != 0 else { return [shard] }
      return [move.shard, move.partner]
    }
  }

  /// Who copies from whom, as far as one replica is concerned.
  ///
  /// - Parameter address: where a replica is reached; empty while its node has not said.
  package func links(_ shard: ShardID, to node: NodeID, address: (ShardID, NodeID) -> String) -> ReplicaLinks {
    let row = shards[shard]
    func isAlive(_ node: NodeID) -> Bool { nodes[node].state != .down }
    func link(_ other: NodeID, of shard: ShardID, isReader: Bool) -> ReplicaLink {
      var link = ReplicaLink()
      link.node = other
      link.name = nodeName(other)
      link.address = address(shard, other)
      link.isReader = isReader
      return link
    }
    var links = ReplicaLinks()
    let policy = collections[row.collection].policy
    let (minimum, learnersCount) = (policy.minInSync, policy.learnersCount)
    let split = beginningSplit(of: row)
    if row.isMaking {
      guard let split, let parent = shards.row(split.shard) else { return links }
      let source = parent.copySource(of: node, minInSync: minimum, isAlive)
      if source != 0 { links.source = link(source, of: split.shard, isReader: false) }
      return links
    }
    let source = row.source(of: node, learnersCount: learnersCount, isAlive)
    if source != 0 { links.source = link(source, of: shard, isReader: false) }
    links.others = row.replicas.filter { $0.node != node }.map {
      link($0.node, of: shard, isReader: row.source(of: $0.node, learnersCount: learnersCount, isAlive) == node)
    }
    if let move = moves.row(row.move), move.isMerge, move.shard == shard, row.leader == node {
      let leader = shards[move.absorbed].leader
      if leader != 0 { links.absorbed = link(leader, of: move.absorbed, isReader: false) }
    }
    guard let split, split.shard == shard else { return links }
    links.copies = shards[split.child].replicas.map {
      link($0.node, of: split.child, isReader: row.copySource(of: $0.node, minInSync: minimum, isAlive) == node)
    }
    return links
  }
}
