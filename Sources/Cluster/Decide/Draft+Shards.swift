// Decisions about leadership and moves, step by step.

extension Draft {
  mutating func decide(_ command: ElectLeader) throws(Refusal) {
    let shard = try requireShard(command.collection, command.index)
    let node = try requireNode(command.node)
    let row = state.shards[shard]
    guard row.leader != node else { return }
    try elect(node, row, shard)
  }

  private mutating func elect(_ node: NodeID, _ row: ShardRow, _ shard: ShardID) throws(Refusal) {
    try requireElectable(node, row)
    let (epoch, isPastLast) = row.epoch.addingReportingOverflow(1)
    guard !isPastLast else { throw Refusal(.limitReached, "\(state.shardName(shard)) has no epochs left") }
    emit(.leaderElected(LeaderElected(shard: shard, node: node, epoch: epoch)))
  }

  /// Only a replica in sync on a node that is alive may lead: anything else may lose acknowledged data.
  private func requireElectable(_ node: NodeID, _ row: ShardRow) throws(Refusal) {
    let name = state.nodeName(node)
    guard let replica = row.replicas.replica(on: node) else {
      throw Refusal(.conflict, "node \(name) has no replica of this shard")
    }
    guard replica.role != .learner, replica.isInSync else {
      throw Refusal(.conflict, "the replica on node \(name) is not in sync: to elect it may lose acknowledged data")
    }
    guard state.nodes[node].state.isAlive else {
      throw Refusal(.conflict, "node \(name) is \(state.nodes[node].state.name)")
    }
  }

  mutating func decide(_ command: StartMove) throws(Refusal) {
    let shard = try requireShard(command.collection, command.index)
    let source = try requireNode(command.source)
    let target = try requireNode(command.target)
    let row = state.shards[shard]
    guard row.move == 0 else {
      throw Refusal(.conflict, "a move of this shard is under way already (move \(row.move))")
    }
    guard row.replicas.index(of: source) != nil else {
      throw Refusal(.conflict, "node \(command.source) has no replica of this shard")
    }
    guard row.replicas.index(of: target) == nil, !row.replicas.isFull else {
      throw Refusal(.conflict, "node \(command.target) has a replica of this shard already")
    }
    guard state.nodes[target].state == .up, !state.nodes[target].isCordoned else {
      throw Refusal(.conflict, "node \(command.target) takes no replicas now")
    }
    try requireRoom(on: target, for: state.collections[row.collection].policy)
    let id = state.moves.nextID
    emit(.moveStarted(MoveStarted(move: id, shard: shard, source: source, target: target)))
    emit(.replicaAdded(ReplicaAdded(shard: shard, node: target)))
  }

  mutating func decide(_ command: AdvanceMove) throws(Refusal) {
    guard let move = state.moves.row(command.move), !move.isVacant else {
      throw Refusal(.notFound, "there is no move \(command.move), or none any more")
    }
    if command.step == .cancelled {
      try cancel(command.move, move)
      return
    }
    guard command.step.rawValue == move.step.rawValue + 1 else {
      if command.step == move.step { return }
      throw Refusal(.conflict, "move \(command.move) is \(move.step.name): its next step is not \(command.step.name)")
    }
    try advance(command.move, move, to: command.step)
  }

  private mutating func advance(_ id: MoveID, _ move: MoveRow, to step: MoveStep) throws(Refusal) {
    let shard = state.shards[move.shard]
    switch step {
    case .promoted:
      guard shard.replicas.replica(on: move.target)?.isInSync == true else {
        throw Refusal(.conflict, "the replica on node \(state.nodeName(move.target)) has not caught up yet")
      }
      emit(.replicaPromoted(ReplicaPromoted(shard: move.shard, node: move.target)))
    case .handedOver:
      if shard.leader == move.source {
        try elect(move.target, shard, move.shard)
      }
    case .finished:
      if shard.replicas.index(of: move.source) != nil {
        emit(.replicaRemoved(ReplicaRemoved(shard: move.shard, node: move.source)))
      }
    case .catchingUp, .cancelled:
      preconditionFailure("these are not next steps")
    }
    emit(.moveAdvanced(MoveAdvanced(move: id, step: step, shard: move.shard)))
  }

  /// A move can be called off until the source gave up its leadership.
  private mutating func cancel(_ id: MoveID, _ move: MoveRow) throws(Refusal) {
    let shard = state.shards[move.shard]
    guard shard.leader != move.target else {
      throw Refusal(.conflict, "the target of move \(id) leads already; finish it, then move back")
    }
    if shard.replicas.index(of: move.target) != nil {
      emit(.replicaRemoved(ReplicaRemoved(shard: move.shard, node: move.target)))
    }
    emit(.moveAdvanced(MoveAdvanced(move: id, step: .cancelled, shard: move.shard)))
  }
}
