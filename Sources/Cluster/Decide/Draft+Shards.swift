internal import MusterBytes

// Decisions about leadership and moves, step by step.

extension Draft {
  mutating func decide(_ command: ElectLeader) throws(Refusal) {
    let shard = try requireShard(command.collection, command.index)
    let node = try requireNode(command.node)
    let row = state.shards[shard]
    guard row.leader != node else {
      // It keeps the leadership that it was asked to give away.
      if row.heir != 0 { emit(.handOverRequested(HandOverRequested(shard: shard, node: 0))) }
      return
    }
    guard !row.isMaking else {
      throw Refusal(.conflict, "\(state.shardName(shard)) owns no keys yet: it is being made")
    }
    // Only who leads can hand over: a lost leader is fenced before anybody takes its place.
    guard row.leader != 0 else { throw Refusal(.conflict, "an election of epoch \(row.epoch) is under way") }
    guard state.nodes[row.leader].state.isAlive else {
      throw Refusal(
        .conflict,
        "node \(state.nodeName(row.leader)), which leads, is \(state.nodes[row.leader].state.name): "
          + "an election replaces it once it is down")
    }
    guard row.heir != node else { return }
    // Where nobody beats there is nobody to ask, and nothing that could be written meanwhile.
    guard state.nodes[row.leader].isMonitored else { return try elect(node, row, shard) }
    try requireElectable(node, row)
    emit(.handOverRequested(HandOverRequested(shard: shard, node: node)))
  }

  /// A leader has done what it was asked: its heir has everything, and nothing is added any more.
  mutating func take(_ yield: Yield, from leader: NodeID) throws(Refusal) {
    guard let row = state.shards.row(yield.shard), row.leader == leader, row.epoch == yield.epoch, row.heir != 0,
      row.heir == yield.heir, row.heirSince == yield.since, state.nodes[row.heir].state.isAlive
    else { return }
    try elect(yield.heir, row, yield.shard)
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
    guard replica.isVoterInSync else {
      throw Refusal(.conflict, "the replica on node \(name) is not in sync: to elect it may lose acknowledged data")
    }
    guard !replica.isEmptied else {
      throw Refusal(.conflict, "the data of the replica on node \(name) is gone, and was not copied anew yet")
    }
    guard state.nodes[node].state.isAlive else {
      throw Refusal(.conflict, "node \(name) is \(state.nodes[node].state.name)")
    }
  }

  mutating func decide(_ command: StartMove) throws(Refusal) {
    let shard = try requireShard(command.collection, command.index)
    let source = command.source.isEmpty ? 0 : try requireNode(command.source)
    let target = command.target.isEmpty && source != 0 ? 0 : try requireNode(command.target)
    var row = state.shards[shard]
    if row.move != 0 {
      try giveWay(row.move, to: command)
      row = state.shards[shard]
    }
    guard source == 0 || row.replicas.index(of: source) != nil else {
      throw Refusal(.conflict, "node \(command.source) has no replica of this shard")
    }
    let step: MoveStep = target == 0 ? .handedOver : command.isWaiting ? .waiting : .catchingUp
    if target == 0 { try requireSurplus(source, row) } else { try requirePlace(on: target, of: row, besides: source) }
    emit(
      .moveStarted(
        MoveStarted(
          move: state.moves.nextID, shard: shard, source: source, target: target, purpose: command.purpose, step: step))
    )
    if step == .catchingUp { emit(.replicaAdded(ReplicaAdded(shard: shard, node: target))) }
  }

  /// What balancing moves is called off for an order; everything else is finished first.
  private mutating func giveWay(_ id: MoveID, to command: StartMove) throws(Refusal) {
    let move = state.moves[id]
    guard command.purpose == .order, move.purpose == .balance, !move.isSplit, !move.isMerge else {
      throw Refusal(.conflict, "a move of this shard is under way already (move \(id), \(move.purpose.name))")
    }
    guard move.step == .waiting || move.step == .catchingUp else {
      throw Refusal(
        .conflict, "balancing moves this shard (move \(id)) and is \(move.step.name): order it again in a moment")
    }
    try cancel(id, move)
  }

  /// Only what is too much goes without another in its place, and never the leader's.
  private func requireSurplus(_ source: NodeID, _ row: ShardRow) throws(Refusal) {
    let wanted = state.collections[row.collection].policy.replicas
    guard row.replicas.count > wanted else {
      throw Refusal(.conflict, "the shard has \(row.replicas.count) replicas and \(wanted) wanted: none is too much")
    }
    guard row.leader != 0, row.leader != source else {
      throw Refusal(.conflict, "a leader's replica is never removed")
    }
    try requireInSync(row, without: source)
  }

  /// A replica more must not break a rule that holds: where it may stand, and away from the others that stay.
  private func requirePlace(on target: NodeID, of row: ShardRow, besides source: NodeID) throws(Refusal) {
    let name = state.nodeName(target)
    guard row.replicas.index(of: target) == nil else {
      throw Refusal(.conflict, "node \(name) has a replica of this shard already")
    }
    guard !row.replicas.isFull else {
      throw Refusal(
        .conflict, "the shard has \(row.replicas.count) replicas, as many as one can have: remove one first")
    }
    guard state.nodes[target].takesReplicas else {
      throw Refusal(.conflict, "node \(name) takes no replicas now")
    }
    let policy = state.collections[row.collection].policy
    try requireRoom(on: target, for: policy)
    if let rule = policy.unmetRule(state.nodes[target].labels) {
      throw Refusal(
        .unsatisfiable, "node \(name) does not meet \(rule)", witness: [Witness(rule: rule, needed: 1, available: 0)])
    }
    if let other = state.nodesKeptAway(by: policy)[target], other != row.collection {
      let text = "apart \(state.collectionName(other))"
      throw Refusal(
        .unsatisfiable, "node \(name) has a replica of \(state.collectionName(other))",
        witness: [Witness(rule: text, needed: 1, available: 0)])
    }
    for rule in policy.spread where !rule.isPreference {
      let domain = state.load(target).domain(rule.level)
      let isTaken = row.replicas.contains { $0.node != source && state.load($0.node).domain(rule.level) == domain }
      guard domain != 0, !isTaken || Mutant.isOn(.spreadIgnored) else {
        let text = "spread \(rule.level.name)"
        throw Refusal(
          .unsatisfiable, "\(text): another replica stands in the same \(rule.level.name) as node \(name)",
          witness: [Witness(rule: text, needed: 1, available: 0)])
      }
    }
  }

  mutating func decide(_ command: AdvanceMove) throws(Refusal) {
    guard let move = state.moves.row(command.move), !move.isVacant else {
      throw Refusal(.notFound, "there is no move \(command.move), or none any more")
    }
    if command.isPaused || (move.isPaused && command.step == move.step) {
      return try pause(command.move, move, command)
    }
    if move.isSplit { return try advanceSplit(command.move, move, to: command.step) }
    if move.isMerge { return try advanceMerge(command.move, move, to: command.step) }
    if command.step == .cancelled {
      try cancel(command.move, move)
      return
    }
    guard command.step == move.step.next, command.step != .pausing, command.step != .pruning else {
      if command.step == move.step { return }
      throw Refusal(.conflict, "move \(command.move) is \(move.step.name): its next step is not \(command.step.name)")
    }
    try advance(command.move, move, to: command.step)
  }

  /// Only while it waits or copies: what is promoted comes to its end by itself in a moment, or is called off.
  private mutating func pause(_ id: MoveID, _ move: MoveRow, _ command: AdvanceMove) throws(Refusal) {
    guard move.isPaused != command.isPaused else { return }
    let mayBeHeld = move.partner == 0 && (move.step == .waiting || move.step == .catchingUp)
    guard command.step == move.step, mayBeHeld || !command.isPaused else {
      throw Refusal(
        .conflict,
        "move \(id) is \(move.step.name): only what waits or copies is paused, and no split or merge; call it off instead"
      )
    }
    emit(.moveAdvanced(MoveAdvanced(move: id, step: move.step, shard: move.shard, isPaused: command.isPaused)))
  }

  private mutating func advance(_ id: MoveID, _ move: MoveRow, to step: MoveStep) throws(Refusal) {
    let shard = state.shards[move.shard]
    switch step {
    case .catchingUp:
      guard move.source == 0 || shard.replicas.index(of: move.source) != nil else {
        throw Refusal(.conflict, "node \(state.nodeName(move.source)) has no replica of this shard any more")
      }
      try requirePlace(on: move.target, of: shard, besides: move.source)
      emit(.replicaAdded(ReplicaAdded(shard: move.shard, node: move.target)))
    case .promoted:
      guard shard.replicas.replica(on: move.target)?.isCopy == true || Mutant.isOn(.earlyPromotion) else {
        throw Refusal(.conflict, "the replica on node \(state.nodeName(move.target)) has not caught up yet")
      }
      emit(.replicaPromoted(ReplicaPromoted(shard: move.shard, node: move.target)))
    case .handedOver:
      guard move.source == 0 || shard.leader != move.source else {
        throw Refusal(.conflict, "node \(state.nodeName(move.source)) leads still")
      }
    case .finished:
      let policy = state.collections[shard.collection].policy
      if move.source != 0, shard.replicas.index(of: move.source) != nil, !shard.isNoneTooMuch(policy) {
        try requireSpared(move.source, shard)
        emit(.replicaRemoved(ReplicaRemoved(shard: move.shard, node: move.source)))
      }
    case .waiting, .undoing, .cancelled, .pausing, .pruning, .copying, .absorbing:
      preconditionFailure("these are not next steps")
    }
    emit(.moveAdvanced(MoveAdvanced(move: id, step: step, shard: move.shard)))
  }

  /// A replica goes only when its leader counts on it no more: what it acknowledged must be found among those that stay.
  private func requireSpared(_ node: NodeID, _ shard: ShardRow) throws(Refusal) {
    guard shard.leader != 0 else { throw Refusal(.conflict, "an election of epoch \(shard.epoch) is under way") }
    guard shard.leader != node else { throw Refusal(.conflict, "node \(state.nodeName(node)) leads still") }
    try requireInSync(shard, without: node)
    guard shard.replicas.replica(on: node)?.isInSync != true || !state.nodes[shard.leader].isMonitored else {
      throw Refusal(
        .conflict, "node \(state.nodeName(shard.leader)), which leads, counts on \(state.nodeName(node)) still")
    }
  }

  /// Only while enough others are in sync: what they have is what it will copy.
  mutating func decide(_ command: RebuildReplica) throws(Refusal) {
    guard let row = state.shards.row(command.shard), let replica = row.replicas.replica(on: command.node) else {
      return
    }
    guard row.leader != 0, row.leader != command.node else {
      throw Refusal(.conflict, "a leader's replica is not rebuilt: it hands over first")
    }
    guard replica.isOpened || replica.isInSync else { return }
    try requireInSync(row, without: command.node)
    emit(.replicaRebuilding(ReplicaRebuilding(shard: command.shard, node: command.node)))
  }

  /// A replica goes only while enough in sync stay.
  private func requireInSync(_ shard: ShardRow, without node: NodeID) throws(Refusal) {
    let minimum = max(1, state.collections[shard.collection].policy.minInSync)
    let left = UInt32(shard.replicas.count { $0.node != node && $0.isVotingCopy })
    guard left >= minimum || Mutant.isOn(.lastInSyncRemoved) else {
      throw Refusal(
        .conflict, "\(left) replicas in sync would stay, and at least \(minimum) must",
        witness: [Witness(rule: "min-in-sync", needed: UInt64(minimum), available: UInt64(left))])
    }
  }

  /// A move can be called off until its target leads. What has a vote already gives it up first.
  private mutating func cancel(_ id: MoveID, _ move: MoveRow) throws(Refusal) {
    let shard = state.shards[move.shard]
    let isNoneTooMuch = shard.isNoneTooMuch(state.collections[shard.collection].policy)
    if move.step != .waiting, move.target != 0, let replica = shard.replicas.replica(on: move.target),
      replica.role == .learner || !isNoneTooMuch
    {
      guard shard.leader != move.target else {
        throw Refusal(.conflict, "the target of move \(id) leads already; finish it, then move back")
      }
      guard replica.role == .learner || move.step == .undoing else {
        emit(.moveAdvanced(MoveAdvanced(move: id, step: .undoing, shard: move.shard)))
        return
      }
      if replica.role != .learner { try requireSpared(move.target, shard) }
      emit(.replicaRemoved(ReplicaRemoved(shard: move.shard, node: move.target)))
    }
    emit(.moveAdvanced(MoveAdvanced(move: id, step: .cancelled, shard: move.shard)))
  }
}

// MARK: - Elections

extension Draft {
  /// Only a lost leader is replaced so; those that came back meanwhile are passed over.
  mutating func decide(_ command: StartElections) throws(Refusal) {
    for shard in command.shards {
      guard let row = state.shards.row(shard), row.leader != 0, !state.nodes[row.leader].state.isAlive,
        state.nodes[row.leader].state != .suspect
      else { continue }
      let (epoch, isPastLast) = row.epoch.addingReportingOverflow(1)
      guard !isPastLast else { throw Refusal(.limitReached, "\(state.shardName(shard)) has no epochs left") }
      emit(.electionStarted(ElectionStarted(shard: shard, epoch: epoch)))
    }
  }

  /// The replica must be one that promised this epoch; not in sync only where the policy allows to lose data.
  mutating func decide(_ command: ConcludeElection) throws(Refusal) {
    guard let row = state.shards.row(command.shard), row.leader == 0, row.epoch == command.epoch else { return }
    guard let replica = row.replicas.replica(on: command.node), replica.role != .learner else {
      throw Refusal(.conflict, "the node has no replica of this shard that may lead")
    }
    guard state.nodes[command.node].state.isAlive else {
      throw Refusal(.conflict, "node \(state.nodeName(command.node)) is \(state.nodes[command.node].state.name)")
    }
    let collection = state.collections[row.collection]
    let mayLose = !replica.isCopy || collection.mayMissWrites(row)
    guard !mayLose || (command.isUnclean && collection.policy.allowsUncleanElection) else {
      throw Refusal(
        .conflict,
        replica.isCopy
          ? "as many copies were lost as acknowledge a write: to elect anybody may lose acknowledged data"
          : "the replica is not in sync, or its data is gone: to elect it may lose acknowledged data")
    }
    emit(.leaderElected(LeaderElected(shard: command.shard, node: command.node, epoch: command.epoch)))
    if mayLose { makeTruth(of: command.node, row, command.shard) }
  }

  /// What a replica has is the truth from now on: no other may claim more.
  private mutating func makeTruth(of node: NodeID, _ row: ShardRow, _ shard: ShardID) {
    if row.replicas.replica(on: node)?.isCopy == false {
      emit(.replicaCaughtUp(ReplicaCaughtUp(shard: shard, node: node)))
    }
    for other in row.replicas where other.isInSync && other.node != node {
      emit(.replicaFellBehind(ReplicaFellBehind(shard: shard, node: other.node)))
    }
    // It alone is in sync, and has all that is acknowledged from now on: no copy of that was lost.
    let collection = state.collections[row.collection]
    if row.lostCopies > 0 { emit(.minimumHeld(MinimumHeld(shard: shard, raise: collection.minimumRaises))) }
  }

  /// An operator's last resort: only for a shard that nothing else can bring back.
  mutating func decide(_ command: RecoverShard) throws(Refusal) {
    let shard = try requireShard(command.collection, command.index)
    let node = try requireNode(command.node)
    let row = state.shards[shard]
    guard state.isBeyondElection(row) else {
      throw Refusal(.conflict, "\(state.shardName(shard)) has a leader, or elects one by itself: nothing is lost")
    }
    let (epoch, isPastLast) = row.epoch.addingReportingOverflow(1)
    guard !isPastLast else { throw Refusal(.limitReached, "\(state.shardName(shard)) has no epochs left") }
    guard !command.isBegunEmpty else { return try beginEmpty(shard, row, on: node, epoch) }
    guard let replica = row.replicas.replica(on: node), state.nodes[node].state.isAlive else {
      throw Refusal(.conflict, "node \(command.node) has no replica of \(state.shardName(shard)), or is not up")
    }
    guard replica.mayHaveData else {
      throw Refusal(.conflict, "node \(command.node) has no data of \(state.shardName(shard)) to lead with")
    }
    if replica.role == .learner { emit(.replicaPromoted(ReplicaPromoted(shard: shard, node: node))) }
    emit(.leaderElected(LeaderElected(shard: shard, node: node, epoch: epoch)))
    makeTruth(of: node, row, shard)
  }

  /// Only where nobody that lives has any of the data. What others have that may come back is given up: their replicas
  /// are no more.
  private mutating func beginEmpty(
    _ shard: ShardID, _ row: ShardRow, on node: NodeID, _ epoch: UInt32
  ) throws(Refusal) {
    let name = state.shardName(shard)
    if let holder = row.replicas.first(where: { $0.mayHaveData && state.nodes[$0.node].state.isAlive }) {
      throw Refusal(
        .conflict, "node \(state.nodeName(holder.node)) lives and may have data of \(name): let it lead instead")
    }
    if let move = state.moves.row(row.move) {
      guard move.partner == 0 else {
        throw Refusal(.conflict, "\(name) is being split or merged (move \(row.move)): call that off first")
      }
      emit(.moveAdvanced(MoveAdvanced(move: row.move, step: .cancelled, shard: shard)))
    }
    if row.replicas.replica(on: node) == nil {
      var bare = row
      bare.replicas.removeAll()
      try requirePlace(on: node, of: bare, besides: 0)
    } else if !state.nodes[node].state.isAlive {
      throw Refusal(.conflict, "node \(state.nodeName(node)) is \(state.nodes[node].state.name)")
    }
    if row.leader != 0 { emit(.electionStarted(ElectionStarted(shard: shard, epoch: epoch))) }
    for other in row.replicas where other.node != node {
      emit(.replicaRemoved(ReplicaRemoved(shard: shard, node: other.node)))
    }
    if row.replicas.replica(on: node) == nil { emit(.replicaAdded(ReplicaAdded(shard: shard, node: node))) }
    emit(.shardBegunEmpty(ShardBegunEmpty(shard: shard, node: node, epoch: epoch)))
    emit(.minimumHeld(MinimumHeld(shard: shard, raise: state.collections[row.collection].minimumRaises)))
    // Where no agent says so.
    if !state.nodes[node].isMonitored { emit(.replicasOpened(ReplicasOpened(node: node, shards: [shard]))) }
  }

  /// A set never becomes empty: its last member is the only one that is known to have everything.
  mutating func decide(_ command: ShrinkInSync) {
    guard let node = state.nodes.row(command.node), node.state == .down else { return }
    for shard in command.shards {
      guard let row = state.shards.row(shard), row.replicas.replica(on: command.node)?.isInSync == true,
        row.leader != 0, row.leader != command.node, row.replicas.count(where: \.isInSync) > 1
      else { continue }
      emit(.replicaFellBehind(ReplicaFellBehind(shard: shard, node: command.node)))
    }
  }

  mutating func decide(_ command: SetBalancing) throws(Refusal) {
    let mode = state.cluster[1].balancing
    guard mode != command.mode else { return }
    guard command.mode != .paused || mode == .running else {
      throw Refusal(.conflict, "balancing is \(mode.name): there is nothing to pause")
    }
    emit(.balancingChanged(BalancingChanged(mode: command.mode)))
    guard command.mode == .off else { return }
    var begun: [(id: MoveID, move: MoveRow)] = []
    state.moves.forEach { id, move in
      if !move.isVacant, move.purpose == .balance, move.step == .catchingUp || move.step == .waiting {
        begun.append((id, move))
      }
    }
    for (id, move) in begun { try cancel(id, move) }
  }
}
