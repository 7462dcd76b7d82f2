internal import MusterCluster
internal import MusterWorkload

/// Bad moments: what goes wrong just when it does the most harm, and what goes well again just too late.
extension Simulation {
  private var mayAmbush: Bool { !isCalm && swarm.has(.ambush) }

  private func agent(_ node: NodeID, _ state: State) -> SimulatedAgent? {
    guard let row = state.nodes.row(node) else { return nil }
    return agents.first { $0.name == row.name }
  }

  /// Something became true of a shard's replicas by its leader's word: a bad moment for the leader to die, for longer
  /// than an election takes.
  func ambush(leaderOf shard: ShardID, in state: State) {
    let isWaylaid = waylaid.remove(shard) != nil
    guard mayAmbush, isWaylaid || random.oneIn(6), let leader = agent(state.shards[shard].leader, state) else { return }
    marks.sometimes(.leaderAmbushed)
    leader.restart(after: 20_000_000 + UInt64(random.below(20_000_000)), withHost: true)
  }

  // MARK: Words that are late

  /// What a leader says is long on its way, and meanwhile it is true no more.
  func waylay(_ report: ReportReplicas, of leader: SimulatedAgent) {
    guard mayAmbush else { return }
    for word in report.followers where !word.isInSync && random.oneIn(3) {
      waylayDismissal(of: word.node, from: word.shard, leader)
    }
    for word in report.absorbs where word.hasEverything && random.oneIn(2) {
      delay(leader)
      handOver(oracle.state.moves.row(oracle.state.shards[word.shard].move)?.absorbed ?? 0)
    }
  }

  /// Nothing comes from it for a while, and nobody takes it for dead.
  private func delay(_ agent: SimulatedAgent) {
    marks.sometimes(.wordWaylaid)
    let end = now + 400_000 + UInt64(random.below(2_400_000))
    links[agent.number].toServerBlockedUntil = max(links[agent.number].toServerBlockedUntil, end)
  }

  /// The follower that a leader counts on no more is back, and has what the leader takes from now on; the others have not.
  /// When the word is heard the leader dies.
  private func waylayDismissal(of node: NodeID, from shard: ShardID, _ leader: SimulatedAgent) {
    let state = oracle.state
    guard let row = state.shards.row(shard), let follower = agent(node, state) else { return }
    delay(leader)
    waylaid.insert(shard)
    data.cut(leader.name, follower.name, until: 0)
    data.frozen.remove(follower.name)
    follower.pausedUntil = 0
    for replica in row.replicas where replica.node != node && replica.node != row.leader {
      data.cut(leader.name, state.nodeName(replica.node), until: now / 1000 + 6000)
    }
  }

  /// Another is to lead a shard.
  private func handOver(_ shard: ShardID) {
    let state = oracle.state
    guard let row = state.shards.row(shard), row.leader != 0 else { return }
    let heirs = row.replicas.filter { $0.isVoterInSync && $0.node != row.leader }
    guard !heirs.isEmpty else { return }
    let heir = state.nodeName(heirs[random.below(heirs.count)].node)
    person.order(
      .electLeader(ElectLeader(collection: state.collectionName(row.collection), index: row.index, node: heir)))
  }

  /// An election begins: what its voters said in one before it arrives once more, and not all of them hear of this one
  /// soon.
  func echo(_ shard: ShardID, in state: State) {
    guard mayAmbush, random.oneIn(2) else { return }
    for replica in state.shards[shard].replicas {
      guard let voter = agent(replica.node, state) else { continue }
      voter.sayAgain(shard)
      guard random.oneIn(2) else { continue }
      links[voter.number].toPeerBlockedUntil = max(links[voter.number].toPeerBlockedUntil, now + 1_500_000)
    }
  }
}
