internal import MusterCluster

/// Makes replicas anew that a policy wants and that are not there: of nodes that stay down, and of shards that have too
/// few. Moves away what stands on draining nodes, and says so when it cannot; moves what stands against the rules, and
/// lets go what is too much.
package struct RepairController: Sendable {
  package static let name = "repair"
  package static let drainName = "drain"

  /// A drain must be stuck so long before an alarm says so, in milliseconds: other moves may just be in its way.
  private static let stuckAfter: UInt64 = 1000
  private var retries = MoveRetries()
  /// The time of this tick.
  private var now: UInt64 = 0
  /// When a drain was first seen to be stuck.
  private var stuckSince: [NodeID: UInt64] = [:]
  /// When a node was first seen down, by this server's clock.
  private var downSince: [NodeID: UInt64] = [:]

  package init() {}

  mutating func tick(
    _ state: State, _ findings: ShardFindings, _ traffic: inout MoveTraffic, _ planner: inout RecoveryPlanner,
    _ settings: ControllerSettings, _ now: UInt64
  ) -> [Proposal] {
    self.now = now
    note(state, now)
    retries.prune(state)
    var proposals: [Proposal] = []
    var planned: Set<ShardID> = []
    for (node, shard) in findings.lost {
      guard let since = downSince[node], now - since >= settings.repairDelay, planned.insert(shard).inserted else {
        continue
      }
      let row = state.nodes[node]
      let reason = Reason(.replicaLost, arguments: ["node=\(row.name)", "down-for=\(now - since)ms"])
      replace(node, shard, .recovery, reason, cause: row.sinceRevision, state, &traffic, &planner, &proposals)
    }
    for shard in findings.missing where planned.insert(shard).inserted {
      let row = state.shards[shard]
      let wanted = state.collections[row.collection].policy.replicas
      let reason = Reason(.replicaMissing, arguments: ["replicas=\(row.replicas.count)", "wanted=\(wanted)"])
      replace(
        0, shard, .recovery, reason, cause: state.collections[row.collection].changed, state, &traffic, &planner,
        &proposals)
    }
    // Before anything is copied: where there are too many, the one that stands wrong may find no other place.
    var surplus = SurplusPlanner(state, misplaced: findings.misplaced.map { ($0.node, $0.shard) })
    for shard in findings.surplus where planned.insert(shard).inserted {
      if let proposal = letGo(shard, state, &surplus) { proposals.append(proposal) }
    }
    for (node, shard) in findings.draining where planned.insert(shard).inserted {
      let row = state.nodes[node]
      let reason = Reason(.draining, arguments: ["node=\(row.name)"])
      replace(node, shard, .drain, reason, cause: row.sinceRevision, state, &traffic, &planner, &proposals)
    }
    for (node, shard, rule) in findings.misplaced + findings.tooMuch where planned.insert(shard).inserted {
      let row = state.shards[shard]
      let reason = Reason(.replicaMisplaced, arguments: ["node=\(state.nodeName(node))", "rule=\(rule)"])
      let cause = max(state.collections[row.collection].changed, state.nodes[node].changed)
      replace(node, shard, .recovery, reason, cause: cause, state, &traffic, &planner, &proposals)
    }
    return proposals + drains(state, findings, now)
  }

  /// Nodes that are down for so long that their replicas are made anew.
  func overdue(_ settings: ControllerSettings, _ now: UInt64) -> Set<NodeID> {
    Set(downSince.filter { now - $0.value >= settings.repairDelay }.keys)
  }

  /// The replica that can best be spared goes at once: nothing need be copied for that.
  private func letGo(_ shard: ShardID, _ state: State, _ planner: inout SurplusPlanner) -> Proposal? {
    let row = state.shards[shard]
    guard let node = planner.choose(shard, row) else { return nil }
    let collection = state.collections[row.collection]
    let reason = Reason(
      .replicaSurplus, arguments: ["replicas=\(row.replicas.count)", "wanted=\(collection.policy.replicas)"])
    return Proposal(
      controller: RepairController.name,
      command: .move(shard, from: node, to: 0, .recovery, state), reason: reason, cause: collection.changed)
  }

  private mutating func note(_ state: State, _ now: UInt64) {
    state.nodes.forEach { id, row in
      if row.state == .down {
        if downSince[id] == nil { downSince[id] = now }
      } else {
        downSince[id] = nil
      }
    }
  }

  private mutating func replace(
    _ source: NodeID, _ shard: ShardID, _ purpose: MovePurpose, _ reason: Reason, cause: Revision, _ state: State,
    _ traffic: inout MoveTraffic, _ planner: inout RecoveryPlanner, _ proposals: inout [Proposal]
  ) {
    let row = state.shards[shard]
    // Without a leader there is nothing to copy from: somebody must be elected first.
    guard traffic.recoveryLeft > 0, row.leader != 0, state.nodes[row.leader].state.isAlive,
      retries.mayBegin(shard, row, now), let target = planner.place(row, besides: source),
      traffic.admit(shard, source, target, purpose)
    else { return }
    retries.begins(shard, target)
    proposals.append(
      Proposal(
        controller: purpose == .drain ? RepairController.drainName : RepairController.name,
        command: .move(shard, from: source, to: target, purpose, state), reason: reason, cause: cause))
  }

  // MARK: The end of drains

  /// Draining nodes that are empty are drained; of those that cannot become empty an alarm says why.
  private mutating func drains(_ state: State, _ findings: ShardFindings, _ now: UInt64) -> [Proposal] {
    var proposals: [Proposal] = []
    state.nodes.forEach { id, row in
      let alarm = "drain/\(row.name)"
      let isRaised = state.isRaised(alarm: alarm)
      let problem = row.state == .draining ? obstacle(id, state, findings) : nil
      if row.state == .draining, state.load(id).replicas == 0 {
        proposals.append(
          drain(.finishDrain(FinishDrain(node: id)), Reason(.drainCompleted, arguments: ["node=\(row.name)"]), row))
      }
      let reason = Reason(.draining, arguments: ["node=\(row.name)"])
      if problem == nil { stuckSince[id] = nil } else if stuckSince[id] == nil { stuckSince[id] = now }
      if let problem, !isRaised, now - (stuckSince[id] ?? now) >= RepairController.stuckAfter {
        proposals.append(drain(.raiseAlarm(RaiseAlarm(name: alarm, message: problem)), reason, row))
      } else if problem == nil, isRaised {
        proposals.append(drain(.clearAlarm(ClearAlarm(name: alarm)), reason, row))
      }
    }
    return proposals
  }

  private func drain(_ command: Command, _ reason: Reason, _ row: NodeRow) -> Proposal {
    Proposal(controller: RepairController.drainName, command: command, reason: reason, cause: row.sinceRevision)
  }

  /// Why the first shard that waits on the node finds no other place.
  private func obstacle(_ node: NodeID, _ state: State, _ findings: ShardFindings) -> String? {
    var planner = RecoveryPlanner(state)
    for (place, shard) in findings.draining where place == node {
      let row = state.shards[shard]
      guard planner.place(row, besides: node) == nil else { continue }
      let report = PlacementVerdicts.make(for: row, besides: node, state)
      return "\(state.shardName(shard)) finds no other place: \(report.summary)".clipped(to: Limits.reasonBytes)
    }
    return nil
  }
}
