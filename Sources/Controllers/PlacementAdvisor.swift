package import MusterCluster

/// Says why shards stand where they do, and what would move if.
package struct PlacementAdvisor: Advisor {
  package init() {}

  // MARK: Explaining

  package func explain(
    _ question: ExplainQuestion, _ shard: ShardID, in state: State
  ) throws(Refusal) -> ExplanationReport {
    if !question.node.isEmpty, state.nodeID(named: question.node) == nil {
      throw Refusal(.notFound, "there is no node \"\(question.node)\" at revision \(state.revision)")
    }
    let row = state.shards[shard]
    var report = ExplanationReport()
    report.shard = state.report(shard: shard)
    report.movement = movement(shard, row, state)
    let verdicts = PlacementVerdicts.make(for: row, besides: row.replicas.count == 0 ? 0 : nil, state)
    for verdict in verdicts.nodes.prefix(Answer.rowsMax) {
      let name = state.nodeName(verdict.node)
      guard question.node.isEmpty || name == question.node else { continue }
      report.nodes.append(words(verdict, name, row))
    }
    return report
  }

  private func words(_ verdict: PlacementVerdicts.Node, _ name: String, _ row: ShardRow) -> NodeVerdict {
    var words = NodeVerdict()
    words.node = name
    words.hasReplica = row.replicas.index(of: verdict.node) != nil
    words.isLeader = row.leader == verdict.node
    words.isAllowed = verdict.isAllowed
    words.fullness = verdict.fullness.isFinite ? UInt64(max(0, min(verdict.fullness, 1e9)) * 1000) : .max
    words.rules = verdict.rules.prefix(NodeVerdict.rulesMax).map {
      RuleReport(rule: $0.rule, isMet: $0.isMet, detail: $0.detail)
    }
    return words
  }

  private func movement(_ shard: ShardID, _ row: ShardRow, _ state: State) -> String {
    if row.replicas.count == 0 {
      return state.collections[row.collection].isGone(row.index) ? "the shard is gone" : "the shard is not placed"
    }
    if let move = moveWords(row, state) { return move }
    if row.leader == 0 { return "an election of epoch \(row.epoch) is under way" }
    if state.isInMaintenance { return "maintenance: nothing moves but what operators order" }
    for replica in row.replicas {
      let node = state.nodes[replica.node]
      if node.state == .draining { return "the replica on \(node.name) shall go: \(place(row, replica.node, state))" }
      if node.state == .down { return "the replica on \(node.name) is lost: \(place(row, replica.node, state))" }
    }
    let wanted = state.collections[row.collection].policy.replicas
    if row.replicas.count < wanted {
      return "\(row.replicas.count) of \(wanted) replicas: \(place(row, 0, state))"
    }
    var misplacement = Misplacement(state)
    if let (node, rule) = misplacement.find(row) {
      return "the replica on \(state.nodeName(node)) breaks the rule \(rule): \(place(row, node, state))"
    }
    if row.replicas.count > wanted { return "\(row.replicas.count) replicas and \(wanted) wanted: one is let go" }
    let isBetter = BalancePlanner.plan(state, limit: Answer.rowsMax).contains {
      if case .move(shard, _, _) = $0 { true } else { false }
    }
    guard isBetter else { return "no move of this shard makes loads more even" }
    return "balancing would move it: `muster rebalance start`"
  }

  private func moveWords(_ row: ShardRow, _ state: State) -> String? {
    guard let move = state.moves.row(row.move), !move.isVacant else { return nil }
    if move.isSplit {
      return "\(state.shardName(move.shard)) is split, and \(state.shardName(move.child)) gets half of its keys: "
        + move.step.name
    }
    if move.isMerge {
      return "\(state.shardName(move.absorbed)) goes into \(state.shardName(move.shard)), which copies its keys: "
        + move.step.name
    }
    let source = move.source == 0 ? "" : " from \(state.nodeName(move.source))"
    if move.target == 0 { return "a replica too many goes\(source): \(move.step.name)" }
    return "a replica moves\(source) to \(state.nodeName(move.target)) (\(move.purpose.name)): \(move.step.name)"
  }

  private func place(_ row: ShardRow, _ source: NodeID, _ state: State) -> String {
    var planner = RecoveryPlanner(state)
    if let target = planner.place(row, besides: source) { return "\(state.nodeName(target)) is the best place" }
    return "no other place: \(PlacementVerdicts.make(for: row, besides: source, state).summary)"
  }

  // MARK: Planning

  package func plan(_ question: PlanQuestion, in state: State) throws(Refusal) -> PlanReport {
    var state = state
    for node in question.add { try assume(.joinNode(node), in: &state) }
    for change in question.change { try assume(.changeCollection(change), in: &state) }
    for name in question.drain { try assume(.drainNode(DrainNode(name: name, isOn: true)), in: &state) }
    var report = PlanReport()
    report.lowestRedundancy = .max
    let needs = ShardSurvey.all(state)
    var planner = RecoveryPlanner(state)
    for (node, shard) in needs.lost { add(shard, node, .recovery, state, &planner, &report) }
    for shard in needs.missing { add(shard, 0, .recovery, state, &planner, &report) }
    for (node, shard) in needs.draining { add(shard, node, .drain, state, &planner, &report) }
    for (node, shard, _) in needs.misplaced { add(shard, node, .recovery, state, &planner, &report) }
    var surplus = SurplusPlanner(state, misplaced: needs.misplaced.map { ($0.node, $0.shard) })
    for shard in needs.surplus {
      guard let node = surplus.choose(shard, state.shards[shard]) else { continue }
      append(shard, node, 0, .recovery, isHandOver: false, state, &report)
    }
    if report.steps.isEmpty { addBalance(state, &report) }
    if report.steps.isEmpty { report.lowestRedundancy = 0 }
    return report
  }

  private func assume(_ command: Command, in state: inout State) throws(Refusal) {
    let context = RequestContext(principal: "plan", kind: .service, assurance: .own, wallTime: state.time)
    if case .refused(let refusal) = state.execute(Request(command), context, PlacementPlanner()) { throw refusal }
  }

  private func add(
    _ shard: ShardID, _ source: NodeID, _ purpose: MovePurpose, _ state: State, _ planner: inout RecoveryPlanner,
    _ report: inout PlanReport
  ) {
    let row = state.shards[shard]
    guard let target = planner.place(row, besides: source) else {
      guard report.obstacles.count < PlanReport.obstaclesMax else { return }
      let why = PlacementVerdicts.make(for: row, besides: source, state).summary
      report.obstacles.append("\(state.shardName(shard)) finds no place: \(why)".clipped(to: Limits.reasonBytes))
      return
    }
    append(shard, source, target, purpose, isHandOver: false, state, &report)
  }

  private func addBalance(_ state: State, _ report: inout PlanReport) {
    for step in BalancePlanner.plan(state, limit: Answer.rowsMax) {
      switch step {
      case .move(let shard, let source, let target):
        append(shard, source, target, .balance, isHandOver: false, state, &report)
      case .lead(let shard, let from, let to): append(shard, from, to, .balance, isHandOver: true, state, &report)
      }
    }
  }

  private func append(
    _ shard: ShardID, _ source: NodeID, _ target: NodeID, _ purpose: MovePurpose, isHandOver: Bool, _ state: State,
    _ report: inout PlanReport
  ) {
    let row = state.shards[shard]
    var step = PlannedStep()
    step.shard = state.shardName(shard)
    step.source = source == 0 ? "" : state.nodeName(source)
    step.target = target == 0 ? "" : state.nodeName(target)
    step.purpose = purpose
    step.isHandOver = isHandOver
    step.bytes = isHandOver || target == 0 ? 0 : state.collections[row.collection].policy.replicaBytes
    // The target comes before the source goes: at the worst moment the shard has what it has now.
    step.redundancy = UInt32(
      row.replicas.count {
        $0.isInSync && $0.role != .learner && state.nodes[$0.node].state.isAlive && (target != 0 || $0.node != source)
      })
    report.bytes = report.bytes.addingReportingOverflow(step.bytes).partialValue
    report.lowestRedundancy = min(report.lowestRedundancy, step.redundancy)
    if report.steps.count < Answer.rowsMax { report.steps.append(step) } else { report.omitted += 1 }
  }
}
