// What events about shards, replicas and moves do to the state.

extension State {
  mutating func apply(_ event: ShardPlaced, _ revision: Revision) throws(ApplyError) {
    guard let row = shards.row(event.shard) else { throw .unknownShard(event.shard) }
    let collection = row.collection
    guard collections[collection].state == .creating, collections[collection].placedCount == row.index,
      row.replicas.count == 0, event.nodes.count <= Limits.replicas
    else { throw .conflict(.shards, id: event.shard) }
    let weights = loads.weights(of: collection)
    var replicas = ReplicaList()
    for (place, node) in event.nodes.enumerated() {
      guard nodes.contains(node) else { throw .unknownNode(node) }
      guard replicas.index(of: node) == nil else { throw .replica(event.shard, node) }
      replicas.append(
        Replica(
          node: node, role: place == 0 ? .leader : .follower, isInSync: true, isOpened: !nodes[node].isMonitored))
      loads.addReplica(node, weights)
    }
    let leader = event.nodes.first ?? 0
    loads.moveLeader(from: 0, to: leader)
    modify(\.shards, event.shard) {
      $0.replicas = replicas
      $0.leader = leader
      $0.epoch &+= 1
      $0.changed = revision
    }
    modify(\.collections, collection) {
      $0.placedCount &+= 1
      $0.changed = revision
      if $0.placedCount == $0.shardCount { $0.state = .active }
    }
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
    let old = row.leader
    loads.moveLeader(from: old, to: event.node)
    modify(\.shards, event.shard) {
      $0.setRole(of: old, .follower)
      $0.setRole(of: event.node, .leader)
      $0.leader = event.node
      $0.epoch = event.epoch
      $0.setHeir(0, revision)
    }
  }

  mutating func apply(_ event: ElectionStarted, _ revision: Revision) throws(ApplyError) {
    guard let row = shards.row(event.shard) else { throw .unknownShard(event.shard) }
    guard event.epoch > row.epoch else { throw .conflict(.shards, id: event.shard) }
    loads.moveLeader(from: row.leader, to: 0)
    modify(\.shards, event.shard) {
      $0.setRole(of: $0.leader, .follower)
      $0.leader = 0
      $0.epoch = event.epoch
      $0.setHeir(0, revision)
    }
  }

  mutating func apply(_ event: HandOverRequested, _ revision: Revision) throws(ApplyError) {
    guard let row = shards.row(event.shard) else { throw .unknownShard(event.shard) }
    guard row.leader != 0, row.leader != event.node else { throw .conflict(.shards, id: event.shard) }
    guard event.node == 0 || row.replicas.index(of: event.node) != nil else {
      throw .replica(event.shard, event.node)
    }
    modify(\.shards, event.shard) { $0.setHeir(event.node, revision) }
  }

  mutating func apply(_ event: ReplicaRebuilding, _ revision: Revision) throws(ApplyError) {
    guard shards.row(event.shard)?.leader != event.node else { throw .conflict(.shards, id: event.shard) }
    try modifyReplica(event.shard, event.node, revision) {
      $0.isInSync = false
      $0.isOpened = false
    }
  }

  mutating func apply(_ event: ReplicasOpened, _ revision: Revision) throws(ApplyError) {
    for shard in event.shards {
      try modifyReplica(shard, event.node, revision) { $0.isOpened = true }
    }
  }

  mutating func setInSync(
    _ shard: ShardID, _ node: NodeID, _ isInSync: Bool, _ revision: Revision
  ) throws(ApplyError) {
    try modifyReplica(shard, node, revision) { $0.isInSync = isInSync }
  }

  mutating func apply(_ event: ReplicaAdded, _ revision: Revision) throws(ApplyError) {
    guard nodes.contains(event.node) else { throw .unknownNode(event.node) }
    guard let row = shards.row(event.shard) else { throw .unknownShard(event.shard) }
    guard !row.replicas.isFull, row.replicas.index(of: event.node) == nil else {
      throw .replica(event.shard, event.node)
    }
    guard !collections[row.collection].isDeleted else { throw .conflict(.collections, id: row.collection) }
    loads.addReplica(event.node, loads.weights(of: row.collection))
    modify(\.shards, event.shard) {
      $0.replicas.append(Replica(node: event.node, role: .learner))
      $0.changed = revision
    }
  }

  mutating func apply(_ event: ReplicaPromoted, _ revision: Revision) throws(ApplyError) {
    try modifyReplica(event.shard, event.node, revision) {
      if $0.role == .learner { $0.role = .follower }
    }
  }

  mutating func apply(_ event: ReplicaRemoved, _ revision: Revision) throws(ApplyError) {
    guard let row = shards.row(event.shard) else { throw .unknownShard(event.shard) }
    guard let place = row.replicas.index(of: event.node) else { throw .replica(event.shard, event.node) }
    // Without a leader and without a new epoch another could be elected of the same one.
    guard row.leader != event.node else { throw .conflict(.shards, id: event.shard) }
    loads.removeReplica(event.node, loads.weights(of: row.collection))
    modify(\.shards, event.shard) {
      $0.replicas.remove(at: place)
      $0.setHeir($0.heir == event.node ? 0 : $0.heir, revision)
    }
  }

  mutating func apply(_ event: MoveStarted, _ revision: Revision) throws(ApplyError) {
    try requireNext(event.move, in: moves)
    guard shards.contains(event.shard) else { throw .unknownShard(event.shard) }
    guard shards[event.shard].move == 0 else { throw .conflict(.shards, id: event.shard) }
    guard event.target == 0 || nodes.contains(event.target) else { throw .unknownNode(event.target) }
    guard event.source == 0 || nodes.contains(event.source) else { throw .unknownNode(event.source) }
    var row = MoveRow()
    row.shard = event.shard
    row.source = event.source
    row.target = event.target
    row.purpose = event.purpose
    row.step = event.step
    row.started = revision
    row.changed = revision
    write(append: row, to: \.moves)
    modify(\.shards, event.shard) {
      $0.move = event.move
      $0.changed = revision
    }
  }

  mutating func apply(_ event: MoveAdvanced, _ revision: Revision) throws(ApplyError) {
    guard moves.holds(event.move) else { throw .unknownMove(event.move) }
    guard moves[event.move].shard == event.shard else { throw .conflict(.moves, id: event.move) }
    if event.step.isOver {
      vacate(\.moves, event.move)
    } else {
      modify(\.moves, event.move) {
        $0.step = event.step
        $0.changed = revision
      }
    }
    modify(\.shards, event.shard) {
      if event.step.isOver { $0.move = 0 }
      $0.changed = revision
    }
  }

  private mutating func modifyReplica(
    _ shard: ShardID, _ node: NodeID, _ revision: Revision, _ change: (inout Replica) -> Void
  ) throws(ApplyError) {
    guard shards.contains(shard) else { throw .unknownShard(shard) }
    var isThere = false
    modify(\.shards, shard) {
      guard let place = $0.replicas.index(of: node) else { return }
      change(&$0.replicas[place])
      $0.changed = revision
      isThere = true
    }
    guard isThere else { throw .replica(shard, node) }
  }
}

extension ShardRow {
  mutating func setHeir(_ node: NodeID, _ revision: Revision) {
    if heir != node { (heir, heirSince) = (node, node == 0 ? 0 : revision) }
    changed = revision
  }

  mutating func setRole(of node: NodeID, _ role: ReplicaRole) {
    if let place = replicas.index(of: node) { replicas[place].role = role }
  }
}
