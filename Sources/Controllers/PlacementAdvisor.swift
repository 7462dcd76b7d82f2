package import MusterCluster

/// Says why shards stand where they do, and what would move if.
package struct PlacementAdvisor: Advisor {
  package init() {}

  package func explain(
    _ question: ExplainQuestion, _ shard: ShardID, in state: State
  ) throws(Refusal) -> ExplanationReport {
    if !question.node.isEmpty, state.nodeID(named: question.node) == nil {
      throw Refusal(.notFound, "there is no node \"\(question.node)\" at revision \(state.revision)")
    }
    return ShardExplanation(shard, state).report(only: question.node)
  }

  // MARK: Planning

  package func plan(_ question: PlanQuestion, in state: State) throws(Refusal) -> PlanReport {
    var state = state
    for node in question.add {
      guard state.nodeID(named: node.name) == nil else {
        throw Refusal(
          .alreadyExists, "there is a node \"\(node.name)\" already: a plan adds nodes that are not there yet")
      }
      try assume(.joinNode(node), in: &state)
    }
    for change in question.change { try assume(.changeCollection(change), in: &state) }
    for count in question.shards { try assume(.setShardCount(count), in: &state) }
    for name in question.drain { try assume(.drainNode(DrainNode(name: name, isOn: true)), in: &state) }
    var report = PlanReport()
    report.lowestRedundancy = .max
    let needs = ShardSurvey.all(state)
    var planner = RecoveryPlanner(state)
    for (node, shard) in needs.lost { add(shard, node, .recovery, state, &planner, &report) }
    for shard in needs.missing { add(shard, 0, .recovery, state, &planner, &report) }
    for (node, shard) in needs.draining { add(shard, node, .drain, state, &planner, &report) }
    for (node, shard, _) in needs.misplaced + needs.tooMuch { add(shard, node, .recovery, state, &planner, &report) }
    var surplus = SurplusPlanner(state, misplaced: needs.misplaced.map { ($0.node, $0.shard) })
    for shard in needs.surplus {
      guard let node = surplus.choose(shard, state.shards[shard]) else { continue }
      append(shard, node, 0, .recovery, isHandOver: false, state, &report)
    }
    addGrowth(state, &report)
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
      let what = source == 0 ? "one more replica" : "its replica on \(state.nodeName(source))"
      let text = "\(state.shardName(shard)) finds no other place for \(what): \(why)"
      report.obstacles.append(text.clipped(to: Limits.reasonBytes))
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

  // MARK: Splits and merges

  private func addGrowth(_ state: State, _ report: inout PlanReport) {
    let conditions = ShardConditions(state)
    state.collections.forEach { _, row in
      guard row.state == .active, row.wantedShards > 0 else { return }
      for step in GrowthPlan(row, state).steps {
        append(planned(step, row, conditions, state), &report)
        note(obstacleTo: step, row, state, &report)
      }
    }
  }

  private func planned(
    _ step: GrowthPlan.Step, _ row: CollectionRow, _ conditions: ShardConditions, _ state: State
  ) -> PlannedStep {
    var planned = PlannedStep()
    planned.shard = "\(row.name)/\(step.index)"
    planned.partner = "\(row.name)/\(step.partner)"
    planned.isMerge = step.isMerge
    // Each replica of the shard that is made, or that stays, copies.
    let copies = UInt64(state.shards[step.shards[0]].replicas.count)
    planned.bytes = row.policy.replicaBytes.multipliedReportingOverflow(by: copies).partialValue
    planned.redundancy = step.shards.map { conditions.liveInSync(state.shards[$0]) }.min() ?? 0
    return planned
  }

  /// What would refuse it now. Of shards that are not there yet nothing is known, and what is busy is waited for.
  private func note(
    obstacleTo step: GrowthPlan.Step, _ row: CollectionRow, _ state: State, _ report: inout PlanReport
  ) {
    guard report.obstacles.count < PlanReport.obstaclesMax else { return }
    let isThere = row.isOwner(step.index) && (!step.isMerge || row.isOwner(step.partner))
    guard isThere, step.shards.allSatisfy({ state.shards[$0].move == 0 && state.shards[$0].leader != 0 }) else {
      return
    }
    var trial = state
    do throws(Refusal) {
      try assume(
        step.isMerge
          ? .mergeShards(MergeShards(collection: row.name, index: step.index))
          : .splitShard(SplitShard(collection: row.name, index: step.index)), in: &trial)
    } catch {
      let what = step.isMerge ? "absorb \(row.name)/\(step.partner)" : "be split"
      let text = "\(row.name)/\(step.index) cannot \(what): \(error.message)"
      report.obstacles.append(text.clipped(to: Limits.reasonBytes))
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
        $0.isVotingCopy && state.nodes[$0.node].state.isAlive && (target != 0 || $0.node != source)
      })
    append(step, &report)
  }

  private func append(_ step: PlannedStep, _ report: inout PlanReport) {
    report.bytes = report.bytes.addingReportingOverflow(step.bytes).partialValue
    report.lowestRedundancy = min(report.lowestRedundancy, step.redundancy)
    if report.steps.count < Answer.rowsMax { report.steps.append(step) } else { report.omitted += 1 }
  }
}
