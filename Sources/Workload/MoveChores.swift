internal import MusterCluster

/// What controllers and leaders do for a move, one step at a time.
extension HistoryGenerator {
  mutating func advance(_ id: MoveID, _ cause: Revision) -> Asked? {
    guard let move = state.moves.row(id), !move.isVacant else { return nil }
    add(.advance(id, cause: cause))
    let shard = state.shards[move.shard]
    switch move.step {
    case .catchingUp:
      guard state.nodes[move.target].state.isAlive, let learner = shard.replicas.replica(on: move.target) else {
        return step(id, .cancelled, cause)
      }
      if !learner.isInSync { return catchUp(learner, of: move.shard, shard) ?? step(id, .cancelled, cause) }
    case .promoted:
      guard state.nodes[move.target].state.isAlive || shard.leader == move.target else {
        return step(id, .cancelled, cause)
      }
      if shard.leader == move.source, move.source != 0 { return handOver(shard, to: move.target, cause) }
    case .handedOver:
      if shard.leader == move.source { return handOver(shard, to: move.target, cause) }
      if counts(on: move.source, shard) { return spare(move.source, of: move.shard, shard) }
    case .undoing:
      if counts(on: move.target, shard) { return spare(move.target, of: move.shard, shard) }
    case .waiting, .finished, .cancelled, .pausing, .pruning, .copying, .absorbing: break
    }
    return step(id, move.step.next ?? .cancelled, cause)
  }

  private func step(_ id: MoveID, _ step: MoveStep, _ cause: Revision) -> Asked {
    .controller("rebalance", .advanceMove(AdvanceMove(move: id, step: step)), cause: cause)
  }

  // MARK: What leaders say

  /// The learner opens, then its leader says that it has caught up; nil when nobody leads.
  private func catchUp(_ learner: Replica, of shard: ShardID, _ row: ShardRow) -> Asked? {
    guard learner.isOpened else {
      var command = ReportReplicas()
      command.opened = [shard]
      return report(command, by: learner.node)
    }
    var command = ReportReplicas()
    command.followers = [FollowerWord(shard: shard, node: learner.node, epoch: row.epoch, isInSync: true)]
    return report(command, by: row.leader)
  }

  private func counts(on node: NodeID, _ row: ShardRow) -> Bool {
    guard row.leader == 0 || state.nodes[row.leader].isMonitored else { return false }
    return row.replicas.replica(on: node)?.isInSync == true
  }

  private func spare(_ node: NodeID, of shard: ShardID, _ row: ShardRow) -> Asked? {
    var command = ReportReplicas()
    command.followers = [FollowerWord(shard: shard, node: node, epoch: row.epoch, isInSync: false)]
    return report(command, by: row.leader)
  }

  private func report(_ report: ReportReplicas, by node: NodeID) -> Asked? {
    guard node != 0, state.nodes[node].state.isAlive else { return nil }
    var report = report
    report.node = node
    report.incarnation = state.nodes[node].incarnation
    return .node(state.nodeName(node), .reportReplicas(report))
  }

  // MARK: Handing over

  private func handOver(_ row: ShardRow, to heir: NodeID, _ cause: Revision) -> Asked? {
    guard row.heir != heir, heir != 0, state.nodes[row.leader].state.isAlive else { return nil }
    let command = ElectLeader(
      collection: state.collectionName(row.collection), index: row.index, node: state.nodeName(heir))
    return .controller("rebalance", .electLeader(command), cause: cause)
  }

  mutating func yield(_ shard: ShardID) -> Asked? {
    let row = state.shards[shard]
    guard row.leader != 0, row.heir != 0, state.nodes[row.leader].state.isAlive else { return nil }
    let heir = row.replicas.replica(on: row.heir)
    guard heir?.isInSync == true, state.nodes[row.heir].state.isAlive else {
      let keep = ElectLeader(
        collection: state.collectionName(row.collection), index: row.index, node: state.nodeName(row.leader))
      return .controller("hand-over", .electLeader(keep), Reason(.handOverFailed), cause: row.heirSince)
    }
    var command = ReportReplicas()
    command.yields = [Yield(shard: shard, epoch: row.epoch, heir: row.heir, since: row.heirSince)]
    return report(command, by: row.leader)
  }
}
