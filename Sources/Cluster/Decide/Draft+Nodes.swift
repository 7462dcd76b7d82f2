// Decisions about members.

extension Draft {
  mutating func decide(_ command: JoinNode) throws(Refusal) {
    try requireName(command.name, "node")
    guard Names.isValidPath(command.domain, components: 1...4) else {
      throw Refusal(
        .invalid, "a fault domain is a path of 1 to 4 names, region/zone/rack/host, not \(quoted(command.domain))")
    }
    guard Names.isPrintable(command.address, bytes: Limits.addressBytes) else {
      throw Refusal(.invalid, "the address of node \(command.name) has control characters or is too long")
    }
    try requireLabels(command.labels)
    try requireAmounts(command.capacity)
    guard command.heartbeatMilliseconds == 0 || (10...3_600_000).contains(command.heartbeatMilliseconds) else {
      throw Refusal(.invalid, "a heartbeat interval is 10 ms to 1 h, or 0 for a node that nobody watches over")
    }
    guard command.identity.isEmpty || Names.isValid(command.identity) else {
      throw Refusal(.invalid, "an identity is a name of at most \(Limits.nameBytes) letters and digits")
    }
    if let known = state.nodeID(named: command.name) {
      try requireName(of: known, isFreeFor: command)
      let (incarnation, isPastLast) = state.nodes[known].incarnation.addingReportingOverflow(1)
      guard !isPastLast else { throw Refusal(.limitReached, "node \(command.name) has no incarnations left") }
      emit(
        .nodeRestarted(
          NodeRestarted(
            node: known, incarnation: incarnation, domain: command.domain,
            labels: command.labels, capacity: command.capacity, address: command.address,
            heartbeatMilliseconds: command.heartbeatMilliseconds, abilities: command.abilities,
            identity: command.identity)))
      return
    }
    let id = state.nodes.nextID
    guard id <= Replica.nodeMax else { throw Refusal(.limitReached, "no node numbers are left") }
    emit(
      .nodeJoined(
        NodeJoined(
          node: id, name: command.name, domain: command.domain, labels: command.labels, capacity: command.capacity,
          address: command.address, heartbeatMilliseconds: command.heartbeatMilliseconds,
          abilities: command.abilities, identity: command.identity)))
  }

  /// Another process than the one that has the name gets it only when that one is down. Who does not say who it is, or
  /// is watched over by nobody, is taken at its word.
  private func requireName(of node: NodeID, isFreeFor command: JoinNode) throws(Refusal) {
    let row = state.nodes[node]
    guard row.isMonitored, row.state != .down, !row.identity.isEmpty, !command.identity.isEmpty,
      row.identity != command.identity
    else { return }
    throw Refusal(
      .alreadyExists,
      "node \(command.name) is another process, and it is \(row.state.name); choose another name, or stop that one. "
        + "When it is gone and nobody notices, declare it down: muster node down \(command.name)",
      witness: [
        Witness(
          rule: "name", needed: 1, available: 0, detail: "\(command.name) is incarnation \(row.incarnation)")
      ])
  }

  mutating func decide(_ command: LeaveNode) throws(Refusal) {
    let row = try requireIncarnation(command.node, command.incarnation)
    if row.state != .down { emit(.nodeLeft(NodeLeft(node: command.node))) }
  }

  mutating func decide(_ command: CordonNode) throws(Refusal) {
    let id = try requireNode(command.name)
    guard state.nodes[id].isCordoned != command.isOn else { return }
    emit(command.isOn ? .nodeCordoned(NodeCordoned(node: id)) : .nodeUncordoned(NodeUncordoned(node: id)))
  }

  mutating func decide(_ command: DrainNode) throws(Refusal) {
    let id = try requireNode(command.name)
    guard state.nodes[id].isDrainRequested != command.isOn else { return }
    guard command.isOn else {
      emit(.nodeDrainCancelled(NodeDrainCancelled(node: id)))
      return
    }
    emit(.nodeDrainRequested(NodeDrainRequested(node: id)))
    if state.load(id).replicas == 0 && state.nodes[id].state == .draining { emit(.nodeDrained(NodeDrained(node: id))) }
  }

  mutating func decide(_ command: FinishDrain) throws(Refusal) {
    guard let row = state.nodes.row(command.node) else { throw Refusal(.notFound, "there is no such node") }
    guard row.state == .draining, state.load(command.node).replicas == 0 else { return }
    emit(.nodeDrained(NodeDrained(node: command.node)))
  }

  mutating func decide(_ command: RemoveNode) throws(Refusal) {
    let id = try requireNode(command.name)
    let load = state.load(id)
    guard load.replicas == 0 else {
      throw Refusal(
        .conflict,
        "node \(command.name) still has \(load.replicas) replicas, \(load.leaders) of them leaders; drain it first",
        witness: [Witness(rule: "empty", needed: 0, available: UInt64(load.replicas))])
    }
    emit(.nodeRemoved(NodeRemoved(node: id)))
  }

  /// What the detector concluded holds only for the incarnation that it watched, and only step by step.
  mutating func decide(_ command: ReportNodeHealth) throws(Refusal) {
    let row = try requireIncarnation(command.node, command.incarnation)
    switch (row.state, command.state) {
    case (let now, .suspect) where now.isAlive:
      emit(.nodeSuspected(NodeSuspected(node: command.node, silentMilliseconds: command.silentMilliseconds)))
    case (.suspect, .down):
      emit(.nodeDeclaredDown(NodeDeclaredDown(node: command.node, silentMilliseconds: command.silentMilliseconds)))
    case (.suspect, .up), (.down, .up), (.joining, .up):
      emit(.nodeRecovered(NodeRecovered(node: command.node)))
    default:
      return
    }
  }

  /// Reports of replicas that are not assigned to the node are passed over: the assignment moved on meanwhile.
  mutating func decide(_ command: ReportReplicas) throws(Refusal) {
    _ = try requireIncarnation(command.node, command.incarnation)
    let opened = command.opened.filter { replica($0, command.node)?.isOpened == false }
    if !opened.isEmpty { emit(.replicasOpened(ReplicasOpened(node: command.node, shards: unique(opened)))) }
    var heard: Set<FollowerWord> = []
    // Who lost its own data, or leads no more, says nothing of others.
    let cuts = command.splits.map(\.shard) + command.absorbs.filter(\.hasEverything).map(\.shard)
    let mute = Set(command.fellBehind + command.yields.map(\.shard) + cuts)
    for word in command.followers where heard.insert(word).inserted && !mute.contains(word.shard) {
      take(word, from: command.node)
    }
    var held = mute
    for word in command.minima where held.insert(word.shard).inserted { take(word, from: command.node) }
    for shard in unique(command.fellBehind) {
      try lose(shard, on: command.node, isGone: command.gone.contains(shard))
    }
    var yielded = Set(command.fellBehind)
    for yield in command.yields where yielded.insert(yield.shard).inserted { try take(yield, from: command.node) }
    // Who hands over begins no epoch of its own in the same commit.
    for word in command.splits where yielded.insert(word.shard).inserted { try take(word, from: command.node) }
    for word in command.pauses where yielded.insert(word.shard).inserted { take(word, from: command.node) }
    try decide(command.absorbs, from: command.node, &yielded)
    for word in command.pruned where yielded.insert(word.shard).inserted { take(word, from: command.node) }
  }

  /// Of the two shards of a merge nothing else is decided in the same commit.
  private mutating func decide(
    _ words: [AbsorbWord], from leader: NodeID, _ settled: inout Set<ShardID>
  ) throws(Refusal) {
    for word in words where !settled.contains(word.shard) {
      let absorbed = absorbed(by: word, from: leader)
      guard absorbed != 0, !settled.contains(absorbed) else { continue }
      settled.formUnion([word.shard, absorbed])
      try take(word)
    }
  }

  /// A leader's word counts in its own epoch and about others only. The last event about a replica stands.
  private mutating func take(_ word: FollowerWord, from leader: NodeID) {
    guard let row = state.shards.row(word.shard), row.leader == leader, row.epoch == word.epoch, word.node != leader,
      let replica = row.replicas.replica(on: word.node),
      // Who lost its data and has everything again is counted as a copy again.
      replica.isInSync != word.isInSync || (word.isInSync && replica.isEmptied),
      // Who is down meanwhile has not what was taken since.
      !word.isInSync || state.nodes[word.node].state != .down
    else { return }
    emit(
      word.isInSync
        ? .replicaCaughtUp(ReplicaCaughtUp(shard: word.shard, node: word.node))
        : .replicaFellBehind(ReplicaFellBehind(shard: word.shard, node: word.node)))
  }

  /// It speaks of the newest raise only: what was acknowledged after an older one may have fewer copies again.
  private mutating func take(_ word: MinimumWord, from leader: NodeID) {
    guard let row = state.shards.row(word.shard), row.leader == leader, row.epoch == word.epoch,
      word.raise == state.collections[row.collection].minimumRaises,
      state.collections[row.collection].mustHoldMinimum(row)
    else { return }
    emit(.minimumHeld(MinimumHeld(shard: word.shard, raise: word.raise)))
  }

  /// A replica that lost its data is not in sync any more; a leader gives way to those that have theirs, if any lives.
  /// Where it alone was in sync it stays so, for it may come back; when its data does not, nobody is, and who leads next
  /// is for the policy to say or for a person.
  ///
  /// A follower goes on being in sync, for elections must reckon with what it acknowledged: it is only marked, and its
  /// leader says when it has everything again, or that the others have.
  private mutating func lose(_ shard: ShardID, on node: NodeID, isGone: Bool) throws(Refusal) {
    guard let row = state.shards.row(shard), let replica = row.replicas.replica(on: node) else { return }
    defer { if isGone, !replica.isEmptied, replica.isOpened { mark(shard, node) } }
    guard replica.isInSync, !isGone || row.leader == 0 || row.leader == node else { return }
    if row.leader == node {
      let hasHeir = row.replicas.contains {
        $0.node != node && $0.isVotingCopy && state.nodes[$0.node].state.isAlive
      }
      guard hasHeir || isGone else { return }
      let (epoch, isPastLast) = row.epoch.addingReportingOverflow(1)
      guard !isPastLast else { throw Refusal(.limitReached, "\(state.shardName(shard)) has no epochs left") }
      emit(.electionStarted(ElectionStarted(shard: shard, epoch: epoch)))
    }
    let isLast = !row.replicas.contains { $0.node != node && $0.isVoterInSync }
    guard !isLast || isGone else { return }
    emit(.replicaFellBehind(ReplicaFellBehind(shard: shard, node: node, isLost: true)))
  }

  private mutating func mark(_ shard: ShardID, _ node: NodeID) {
    emit(.replicaEmptied(ReplicaEmptied(shard: shard, node: node)))
  }

  private func replica(_ shard: ShardID, _ node: NodeID) -> Replica? {
    state.shards.row(shard)?.replicas.replica(on: node)
  }

  private func unique(_ shards: [ShardID]) -> [ShardID] {
    let sorted = shards.sorted()
    return sorted.indices.filter { $0 == 0 || sorted[$0] != sorted[$0 - 1] }.map { sorted[$0] }
  }

  mutating func decide(_ command: SetMaintenance) {
    guard state.isInMaintenance != command.isOn else { return }
    emit(.maintenanceChanged(MaintenanceChanged(isOn: command.isOn)))
  }
}
