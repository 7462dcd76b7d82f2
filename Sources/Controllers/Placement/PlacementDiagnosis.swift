internal import MusterCluster

/// Finds out why a policy cannot be satisfied: a few conditions that together leave too little, of which none can be
/// left out.
struct PlacementDiagnosis {
  private let rules: PlacementRules
  private let state: State
  private let conditions: [PlacementCondition]
  private let members: [NodeID]

  init(_ rules: PlacementRules, _ state: State) {
    self.rules = rules
    self.state = state
    var members: [NodeID] = []
    state.nodes.forEach { id, row in if !row.isRemoved { members.append(id) } }
    self.members = members
    conditions = PlacementCondition.all(rules, state, members)
  }

  /// - Parameter total: how many shards want places.
  func refusal(for total: Int) -> Refusal {
    for shards in total > 1 ? [1, total] : [1] where isShort(conditions, shards) {
      return refusal(core(shards), shards)
    }
    // There is room enough by the sum, and the parts do not fit all the same.
    let needed = UInt64(total) * UInt64(rules.policy.replicas)
    return Refusal(
      .unsatisfiable, "capacity: \(needed) replicas find no places together",
      witness: [Witness(rule: "capacity", needed: needed, available: available(conditions, total))])
  }

  /// Leaves out one condition after the other without which there is still too little. What nodes just are is left out
  /// before what the policy says.
  private func core(_ shards: Int) -> [PlacementCondition] {
    var core = conditions
    for condition in conditions.reversed().sorted(by: { $0.patience < $1.patience }) {
      let fewer = core.filter { $0.number != condition.number }
      if isShort(fewer, shards) { core = fewer }
    }
    return core
  }

  // MARK: Counting

  private func isShort(_ conditions: [PlacementCondition], _ shards: Int) -> Bool {
    available(conditions, shards) < UInt64(shards) * UInt64(rules.policy.replicas)
  }

  /// Places for replicas of so many shards, none twice on a node or in a domain that separates them.
  private func available(_ conditions: [PlacementCondition], _ shards: Int) -> UInt64 {
    let limit = UInt64(shards)
    let separating = conditions.compactMap(\.level).min { $0.rawValue < $1.rawValue }
    var rooms = [UInt64](repeating: 0, count: state.nodeLoads.domainCount + 1)
    var sum: UInt64 = 0
    for place in members.indices where conditions.allSatisfy({ $0.meets[place] }) {
      let load = state.load(members[place])
      var room = limit
      for condition in conditions { room = min(room, condition.room(load)) }
      if let separating { rooms[Int(load.domain(separating))] += room } else { sum += room }
    }
    return separating == nil ? sum : rooms.reduce(0) { $0 + min($1, limit) }
  }

  /// How many nodes each condition excludes that those before it did not.
  private func exclusions(_ conditions: [PlacementCondition]) -> String {
    var left = Array(members.indices)
    var parts: [String] = []
    for condition in conditions {
      let kept = left.filter { condition.meets[$0] && condition.room(state.load(members[$0])) > 0 }
      if kept.count < left.count { parts.append("\(left.count - kept.count) \(condition.excluded)") }
      left = kept
    }
    return parts.joined(separator: ", ")
  }

  // MARK: Words

  private func refusal(_ core: [PlacementCondition], _ shards: Int) -> Refusal {
    let written = core.filter { !$0.rule.isEmpty }
    let main = written.first { $0.level != nil } ?? written.first
    let others = core.filter { $0.number != main?.number }
    let needed = UInt64(shards) * UInt64(rules.policy.replicas)
    let count = available(core, shards)
    let rule = main?.rule ?? "replicas \(rules.policy.replicas)"
    let detail = exclusions((main.map { [$0] } ?? []) + others).clipped(to: Limits.reasonBytes)
    let alone = main.map { available([$0], shards) } ?? count
    let of = others.isEmpty || alone == count ? "" : " of \(alone)"
    let usable = others.isEmpty || main == nil ? "" : " that can be used"
    let excluded = detail.isEmpty ? "" : "; nodes excluded: \(detail)"
    let message =
      "\(rule): needs \(needed) \(noun(main, shards, others.isEmpty))\(usable), there are \(count)\(of): "
      + "\(needed - count) short\(excluded)"
    let witness = Witness(rule: rule.clipped(to: Limits.pathBytes), needed: needed, available: count, detail: detail)
    let rest = written.filter { $0.number != main?.number }.prefix(Refusal.witnessMax - 1).map {
      Witness(rule: $0.rule.clipped(to: Limits.pathBytes), needed: needed, available: available([$0], shards))
    }
    return Refusal(.unsatisfiable, message, witness: [witness] + rest)
  }

  private func noun(_ main: PlacementCondition?, _ shards: Int, _ isAlone: Bool) -> String {
    if shards == 1 { return main?.what ?? (isAlone ? "nodes" : "nodes that can be used") }
    if let level = main?.level { return "places for a replica that leave \(level.name)s apart" }
    return main?.weight.map { "places for a replica with \(state.dimensions[$0.dimension])=\($0.value)" }
      ?? "places for a replica"
  }
}
