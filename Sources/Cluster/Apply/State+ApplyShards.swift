// What events about shards, replicas and moves do to the state.

extension State {
  mutating func apply(_ event: ShardPlaced, _ revision: Revision) throws(ApplyError) {
    guard let row = shards.row(event.shard) else { throw .unknownShard(event.shard) }
    let collection = row.collection
    guard collections[collection].state == .creating, collections[collection].placedCount == row.index,
      row.replicas.count == 0, event.nodes.count <= Limits.replicas
    else { throw .conflict(.shards, id: event.shard) }
    let weights = loads.weights(of: collection)
    for (place, node) in event.nodes.enumerated() {
      guard nodes.contains(node) else { throw .unknownNode(node) }
      guard !event.nodes[..<place].contains(node) else { throw .replica(event.shard, node) }
      loads.addReplica(node, weights)
    }
    loads.moveLeader(from: 0, to: event.nodes.first ?? 0)
    let nodes = nodes
    modify(\.shards, event.shard) { $0.take(event, revision) { nodes[$0].isMonitored } }
    modify(\.collections, collection) { $0.take(event, revision) }
  }

  mutating func apply(_ event: LeaderElected, _ revision: Revision) throws(ApplyError) {
    guard let row = shards.row(event.shard) else { throw .unknownShard(event.shard) }
    // An election that was begun has its epoch already; its leader comes last.
    guard event.epoch > row.epoch || (event.epoch == row.epoch && row.leader == 0) else {
      throw .conflict(.shards, id: event.shard)
    }
    guard event.node == 0 || row.replicas.index(of: event.node) != nil else {
      throw .replica(event.shard, event.node)
    }
    loads.moveLeader(from: row.leader, to: event.node)
    modify(\.shards, event.shard) { $0.take(event, revision) }
  }

  mutating func apply(_ event: ElectionStarted, _ revision: Revision) throws(ApplyError) {
    guard let row = shards.row(event.shard) else { throw .unknownShard(event.shard) }
    guard event.epoch > row.epoch else { throw .conflict(.shards, id: event.shard) }
    loads.moveLeader(from: row.leader, to: 0)
    modify(\.shards, event.shard) { $0.take(event, revision) }
  }

  mutating func apply(_ event: HandOverRequested, _ revision: Revision) throws(ApplyError) {
    guard let row = shards.row(event.shard) else { throw .unknownShard(event.shard) }
    guard row.leader != 0, row.leader != event.node else { throw .conflict(.shards, id: event.shard) }
    guard event.node == 0 || row.replicas.index(of: event.node) != nil else {
      throw .replica(event.shard, event.node)
    }
    modify(\.shards, event.shard) { $0.take(event, revision) }
  }

  mutating func apply(_ event: ReplicaFellBehind, _ revision: Revision) throws(ApplyError) {
    guard let row = shards.row(event.shard) else { throw .unknownShard(event.shard) }
    guard row.replicas.index(of: event.node) != nil else { throw .replica(event.shard, event.node) }
    modify(\.shards, event.shard) { _ = $0.take(event, revision) }
  }

  mutating func apply(_ event: MinimumHeld, _ revision: Revision) throws(ApplyError) {
    guard let row = shards.row(event.shard) else { throw .unknownShard(event.shard) }
    guard event.raise <= collections[row.collection].minimumRaises else { throw .conflict(.shards, id: event.shard) }
    modify(\.shards, event.shard) { $0.take(event, revision) }
  }

  mutating func apply(_ event: ReplicaRebuilding, _ revision: Revision) throws(ApplyError) {
    guard shards.row(event.shard)?.leader != event.node else { throw .conflict(.shards, id: event.shard) }
    try modifyReplica(event.shard, event.node, revision) { $0.rebuild() }
  }

  mutating func apply(_ event: ReplicaEmptied, _ revision: Revision) throws(ApplyError) {
    guard shards.row(event.shard)?.leader != event.node else { throw .conflict(.shards, id: event.shard) }
    try modifyReplica(event.shard, event.node, revision) { $0.isEmptied = true }
  }

  mutating func apply(_ event: ShardBegunEmpty, _ revision: Revision) throws(ApplyError) {
    guard let row = shards.row(event.shard) else { throw .unknownShard(event.shard) }
    guard row.leader == 0, event.epoch >= row.epoch, row.replicas.count == 1 else {
      throw .conflict(.shards, id: event.shard)
    }
    guard row.replicas.index(of: event.node) != nil else { throw .replica(event.shard, event.node) }
    loads.moveLeader(from: 0, to: event.node)
    modify(\.shards, event.shard) { $0.take(event, revision) }
  }

  mutating func apply(_ event: ReplicasOpened, _ revision: Revision) throws(ApplyError) {
    for shard in event.shards {
      try modifyReplica(shard, event.node, revision) { $0.open() }
    }
  }

  mutating func apply(_ event: ReplicaCaughtUp, _ revision: Revision) throws(ApplyError) {
    try modifyReplica(event.shard, event.node, revision) { $0.catchUp() }
  }

  mutating func apply(_ event: ReplicaAdded, _ revision: Revision) throws(ApplyError) {
    guard nodes.contains(event.node) else { throw .unknownNode(event.node) }
    guard let row = shards.row(event.shard) else { throw .unknownShard(event.shard) }
    guard !row.replicas.isFull, row.replicas.index(of: event.node) == nil else {
      throw .replica(event.shard, event.node)
    }
    guard !collections[row.collection].isDeleted else { throw .conflict(.collections, id: row.collection) }
    loads.addReplica(event.node, loads.weights(of: row.collection))
    modify(\.shards, event.shard) { $0.take(event, revision) }
  }

  mutating func apply(_ event: ReplicaPromoted, _ revision: Revision) throws(ApplyError) {
    try modifyReplica(event.shard, event.node, revision) { $0.promote() }
  }

  mutating func apply(_ event: ReplicaRemoved, _ revision: Revision) throws(ApplyError) {
    guard let row = shards.row(event.shard) else { throw .unknownShard(event.shard) }
    guard row.replicas.index(of: event.node) != nil else { throw .replica(event.shard, event.node) }
    // Without a leader and without a new epoch another could be elected of the same one.
    guard row.leader != event.node else { throw .conflict(.shards, id: event.shard) }
    loads.removeReplica(event.node, loads.weights(of: row.collection))
    modify(\.shards, event.shard) { $0.take(event, revision) }
  }

  mutating func apply(_ event: MoveStarted, _ revision: Revision) throws(ApplyError) {
    try requireNext(event.move, in: moves)
    guard shards.contains(event.shard) else { throw .unknownShard(event.shard) }
    guard shards[event.shard].move == 0 else { throw .conflict(.shards, id: event.shard) }
    guard event.target == 0 || nodes.contains(event.target) else { throw .unknownNode(event.target) }
    guard event.source == 0 || nodes.contains(event.source) else { throw .unknownNode(event.source) }
    write(append: MoveRow(event, revision), to: \.moves)
    modify(\.shards, event.shard) { $0.take(event, revision) }
  }

  mutating func apply(_ event: MoveAdvanced, _ revision: Revision) throws(ApplyError) {
    guard moves.holds(event.move) else { throw .unknownMove(event.move) }
    guard moves[event.move].shard == event.shard, moves[event.move].partner == 0 else {
      throw .conflict(.moves, id: event.move)
    }
    if event.step.isOver {
      vacate(\.moves, event.move)
    } else {
      modify(\.moves, event.move) { $0.take(event, revision) }
    }
    modify(\.shards, event.shard) { $0.take(event, revision) }
  }

  private mutating func modifyReplica(
    _ shard: ShardID, _ node: NodeID, _ revision: Revision, _ change: (inout Replica) -> Void
  ) throws(ApplyError) {
    guard shards.contains(shard) else { throw .unknownShard(shard) }
    var isThere = false
    modify(\.shards, shard) { isThere = $0.change(replicaOn: node, revision, change) }
    guard isThere else { throw .replica(shard, node) }
  }
}
