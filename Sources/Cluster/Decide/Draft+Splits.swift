// Decisions about the key ranges of shards.

extension Draft {
  mutating func decide(_ command: SplitShard) throws(Refusal) {
    let shard = try requireShard(command.collection, command.index)
    let row = state.shards[shard]
    let collection = state.collections[row.collection]
    let goes = try requireSplittable(shard, row, collection)
    var event = SplitStarted()
    event.move = state.moves.nextID
    event.shard = shard
    event.collection = row.collection
    event.child = state.shards.nextID
    event.index = collection.indexCount
    event.range = goes
    event.nodes = row.replicas.map(\.node)
    emit(.splitStarted(event))
  }

  /// - Returns: the half that is given away.
  private func requireSplittable(
    _ shard: ShardID, _ row: ShardRow, _ collection: CollectionRow
  ) throws(Refusal) -> KeyRange {
    let name = state.shardName(shard)
    guard collection.state == .active else {
      throw Refusal(.conflict, "collection \(collection.name) is \(collection.state.name)")
    }
    guard !row.isMaking, row.replicas.count > 0 else { throw Refusal(.conflict, "\(name) owns no keys") }
    guard row.move == 0 else {
      throw Refusal(.conflict, "a move of this shard is under way already (move \(row.move))")
    }
    guard row.leader != 0 else { throw Refusal(.conflict, "an election of epoch \(row.epoch) is under way") }
    guard collection.children.count < Limits.childrenPerCollection, state.shards.nextID < .max,
      row.epoch < .max - 1
    else {
      throw Refusal(
        .limitReached, "\(collection.name) was split \(collection.children.count) times, and no more are possible")
    }
    let range = collection.range(of: row.index)
    guard let halves = range.halves, range.modulus / collection.shardCount < 1 << Limits.splitDepth else {
      throw Refusal(.limitReached, "\(name) owns \(range.words), and a range is not split further")
    }
    guard row.replicas.count <= Limits.replicas else {
      throw Refusal(.conflict, "\(name) has a replica too many: split it when that is gone")
    }
    for replica in row.replicas { try requireRoomForChild(on: replica.node, collection.policy) }
    return halves.goes
  }

  /// The child's replicas stand where the parent's do: so each rule about places holds for both, and room is needed.
  private func requireRoomForChild(on node: NodeID, _ policy: Policy) throws(Refusal) {
    let row = state.nodes[node]
    guard row.takesReplicas else {
      throw Refusal(
        .conflict,
        "node \(row.name), which has a replica of the shard, is \(row.state.name)"
          + "\(row.isCordoned ? " and cordoned" : ""): another cannot be made there")
    }
    try requireAbility(node)
    try requireRoom(on: node, for: policy)
  }

  private func requireAbility(_ node: NodeID) throws(Refusal) {
    let row = state.nodes[node]
    guard row.abilities.contains(.splits) || !row.isMonitored else {
      throw Refusal(
        .unsatisfiable, "the host of node \(row.name), or an agent of an older version there, cannot split shards",
        witness: [Witness(rule: "host splits shards", needed: 1, available: 0, detail: row.name)])
    }
  }

  // MARK: Steps

  mutating func advanceSplit(_ id: MoveID, _ move: MoveRow, to step: MoveStep) throws(Refusal) {
    let (parent, child) = (state.shards[move.shard], state.shards[move.child])
    switch (move.step, step) {
    case (let now, let next) where now == next: return
    case (.catchingUp, .pausing):
      guard parent.leader != 0 else { throw Refusal(.conflict, "an election of epoch \(parent.epoch) is under way") }
      guard child.replicas.count(where: \.isOpened) >= needed(move) else {
        throw Refusal(.conflict, "too few replicas of \(state.shardName(move.child)) are open yet")
      }
    case (.pausing, .catchingUp): break
    case (.pausing, .pruning):
      // Where nobody beats there is nobody to ask, and nothing that could be written meanwhile.
      guard parent.leader != 0, !state.nodes[parent.leader].isMonitored else {
        throw Refusal(.conflict, "the leader has not said that the copies have everything")
      }
      return try cut(id, move, child.replicas.filter(\.isOpened).map(\.node))
    case (.pruning, .finished): break
    case (.catchingUp, .cancelled), (.pausing, .cancelled): break
    case (.pruning, .cancelled):
      throw Refusal(.conflict, "\(state.shardName(move.child)) owns its keys already: the split cannot be called off")
    default:
      throw Refusal(.conflict, "move \(id) is \(move.step.name): its next step is not \(step.name)")
    }
    emit(
      .splitAdvanced(
        SplitAdvanced(move: id, step: step, shard: move.shard, child: move.child, collection: parent.collection)))
  }

  /// How many copies of the child must have everything: as many as acknowledge a write, or all of them.
  private func needed(_ move: MoveRow) -> Int {
    let row = state.shards[move.child]
    let minimum = Int(state.collections[row.collection].policy.minInSync)
    return minimum > 0 ? min(minimum, row.replicas.count) : row.replicas.count
  }

  /// A leader has stopped taking writes, and copies have all that it took.
  mutating func take(_ word: SplitWord, from leader: NodeID) throws(Refusal) {
    guard let row = state.shards.row(word.shard), row.leader == leader, row.epoch == word.epoch,
      let move = state.moves.row(row.move), move.isSplit, move.shard == word.shard, move.step == .pausing,
      move.changed == word.since
    else { return }
    let child = state.shards[move.child]
    let nodes = child.replicas.filter { $0.isOpened && word.nodes.contains($0.node) }.map(\.node)
    // Nobody who could lead: the leader says it again, and the rest of its report counts all the same.
    guard nodes.count >= needed(move), firstLeader(nodes, row) != nil else { return }
    try cut(row.move, move, nodes)
  }

  /// The cut: one commit in which the child gets its range, its in-sync set and its leader, and both a new epoch.
  private mutating func cut(_ id: MoveID, _ move: MoveRow, _ nodes: [NodeID]) throws(Refusal) {
    let (parent, child) = (state.shards[move.shard], state.shards[move.child])
    let (epoch, isPastLast) = parent.epoch.addingReportingOverflow(1)
    guard !isPastLast else { throw Refusal(.limitReached, "\(state.shardName(move.shard)) has no epochs left") }
    guard let leader = firstLeader(nodes, parent) else {
      throw Refusal(.conflict, "nobody who has everything could lead \(state.shardName(move.child))")
    }
    emit(
      .shardSplit(
        ShardSplit(
          move: id, shard: move.shard, child: move.child, collection: parent.collection,
          shards: owningCount(parent.collection) + 1,
          raise: parent.minimumRaise)))
    for replica in child.replicas {
      emit(.replicaPromoted(ReplicaPromoted(shard: move.child, node: replica.node)))
      if nodes.contains(replica.node) {
        emit(.replicaCaughtUp(ReplicaCaughtUp(shard: move.child, node: replica.node)))
      }
    }
    // The child's data goes on in its parent's histories: its own begins after them.
    emit(.leaderElected(LeaderElected(shard: move.child, node: leader, epoch: epoch)))
    emit(.leaderElected(LeaderElected(shard: move.shard, node: parent.leader, epoch: epoch)))
  }

  /// How many shards of a collection own keys after the cuts so far: a report may bring several, and none sees the others.
  func owningCount(_ id: CollectionID) -> UInt32 {
    let count = state.collections[id].owningCount
    guard !appliesAtOnce else { return count }
    return events.reduce(count) { count, event in
      switch event {
      case .shardSplit(let cut) where cut.collection == id: count + 1
      case .shardsMerged(let cut) where cut.collection == id: count - 1
      default: count
      }
    }
  }

  /// Of those that have everything one that stays; then where the policy prefers leaders, then whose node leads least.
  private func firstLeader(_ nodes: [NodeID], _ parent: ShardRow) -> NodeID? {
    let policy = state.collections[parent.collection].policy
    func rank(_ node: NodeID) -> (Int, Int, UInt32, NodeID) {
      let row = state.nodes[node]
      return (
        row.takesReplicas ? 0 : 1, policy.prefersLeader(on: row.labels) ? 0 : 1, UInt32(state.load(node).leaders), node
      )
    }
    return nodes.filter { state.nodes[$0].state.isAlive }.min { rank($0) < rank($1) }
  }

  mutating func take(_ word: PruneWord, from leader: NodeID) {
    guard let row = state.shards.row(word.shard), row.leader == leader, row.epoch == word.epoch else { return }
    let collection = state.collections[row.collection]
    guard collection.range(of: row.index) == word.range, collection.isPruningDue(word.shard) else { return }
    emit(.shardPruned(ShardPruned(shard: word.shard, collection: row.collection)))
  }

  // MARK: Growing and shrinking

  mutating func decide(_ command: SetShardCount) throws(Refusal) {
    let id = try requireCollection(command.name)
    let row = state.collections[id]
    guard row.state == .active else { throw Refusal(.conflict, "collection \(row.name) is \(row.state.name)") }
    let now = row.owningCount
    guard (row.fewestShards...max(now, most(row))).contains(command.shards) else {
      throw Refusal(
        command.shards < now ? .invalid : .limitReached,
        "\(row.name) has \(now) shards, and was made with \(row.shardCount): by merges it comes down to "
          + "\(row.fewestShards), by splits it gets \(max(now, most(row))) at most, not \(command.shards)")
    }
    let (wanted, isFewer) = (command.shards == now ? 0 : command.shards, command.shards < now)
    if wanted != 0 { try requireAbilities(row, isFewer: isFewer) }
    guard wanted != row.wantedShards || isFewer != row.wantsFewer else { return }
    emit(.shardCountWanted(ShardCountWanted(collection: id, shards: wanted, isFewer: isFewer)))
  }

  private func most(_ row: CollectionRow) -> UInt32 {
    let room = UInt32(Limits.childrenPerCollection - row.children.count)
    let (deepest, isPastLast) = row.shardCount.multipliedReportingOverflow(by: 1 << Limits.splitDepth)
    return min(row.owningCount + room, isPastLast ? .max : deepest, UInt32(Limits.shardsPerCollection))
  }

  private func requireAbilities(_ row: CollectionRow, isFewer: Bool) throws(Refusal) {
    var asked: Set<NodeID> = []
    for shard in row.owners {
      for replica in state.shards[shard].replicas where asked.insert(replica.node).inserted {
        if isFewer { try requireMergeAbility(replica.node) } else { try requireAbility(replica.node) }
      }
    }
  }
}
