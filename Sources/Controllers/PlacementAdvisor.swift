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
        $0.isVoterInSync && state.nodes[$0.node].state.isAlive && (target != 0 || $0.node != source)
      })
    report.bytes = report.bytes.addingReportingOverflow(step.bytes).partialValue
    report.lowestRedundancy = min(report.lowestRedundancy, step.redundancy)
    if report.steps.count < Answer.rowsMax { report.steps.append(step) } else { report.omitted += 1 }
  }
}
