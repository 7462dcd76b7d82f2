internal import MusterCluster

/// One thing that must be so of a node before it takes a replica: a rule of the policy, or that the node is up.
struct PlacementCondition {
  /// Its place among all.
  var number = 0
  /// As it was written: `require disk=ssd`; empty for what no policy says.
  var rule: String
  /// What is so of nodes that it excludes: `without disk=ssd`.
  var excluded: String
  /// What it asks for: `nodes with disk=ssd`.
  var what: String
  /// Replicas stand in different domains of this level.
  var level: FaultLevel?
  var weight: (dimension: Int, value: UInt64)?
  /// By the place of the node among the members.
  var meets: [Bool]

  private init(_ rule: String, excluded: String, what: String = "", meets: [Bool]) {
    self.rule = rule
    self.excluded = excluded
    self.what = what
    self.meets = meets
  }

  /// Those of lower patience are left out of an explanation before the others: what passes, then what others took.
  var patience: Int { rule.isEmpty ? 0 : level != nil ? 3 : weight != nil || rule.hasPrefix("apart ") ? 1 : 2 }

  /// How many replicas a node takes, as far as this goes.
  func room(_ load: borrowing NodeLoad) -> UInt64 {
    guard let weight else { return .max }
    return load.free(weight.dimension) / weight.value
  }

  static func all(_ rules: PlacementRules, _ state: State, _ members: [NodeID]) -> [PlacementCondition] {
    var all =
      labels(rules.policy, state, members) + distances(rules, state, members) + weights(rules, state, members)
      + levels(rules, state, members) + states(state, members)
    for place in all.indices { all[place].number = place }
    return all
  }

  private static func labels(_ policy: Policy, _ state: State, _ members: [NodeID]) -> [PlacementCondition] {
    let pairs = policy.required.map { label in
      let text = "\(label.name)=\(label.value)"
      return PlacementCondition(
        "require \(text)", excluded: "without \(text)", what: "nodes with \(text)",
        meets: members.map { state.nodes[$0].labels[label.name] == label.value })
    }
    return pairs
      + policy.rules.map { rule in
        PlacementCondition(
          "require \(rule.text)", excluded: "where not \(rule.text)", what: "nodes where \(rule.text)",
          meets: members.map { rule.isMet(by: state.nodes[$0].labels) })
      }
  }

  private static func distances(_ rules: PlacementRules, _ state: State, _ members: [NodeID]) -> [PlacementCondition] {
    rules.policy.apart.compactMap { name in
      guard let id = state.collectionID(named: name) else { return nil }
      return PlacementCondition(
        "apart \(name)", excluded: "with replicas of \(name)", what: "nodes without replicas of \(name)",
        meets: members.map { rules.keptAway[$0] != id })
    }
  }

  private static func weights(_ rules: PlacementRules, _ state: State, _ members: [NodeID]) -> [PlacementCondition] {
    var found: [PlacementCondition] = []
    if let unknown = rules.unknownDimension {
      let text = "a capacity of \(unknown.dimension)"
      found.append(
        PlacementCondition(
          "capacity \(unknown.dimension)", excluded: "without \(text)", what: "nodes with \(text)",
          meets: members.map { _ in false }))
    }
    return found
      + rules.weights.map { weight in
        let name = state.dimensions[weight.dimension]
        let text = "room for \(name)=\(weight.value)"
        var condition = PlacementCondition(
          "capacity \(name)", excluded: "without \(text)", what: "nodes with \(text)",
          meets: members.map { state.load($0).states(weight.dimension) })
        condition.weight = weight
        return condition
      }
  }

  private static func levels(_ rules: PlacementRules, _ state: State, _ members: [NodeID]) -> [PlacementCondition] {
    rules.required.map { level in
      var condition = PlacementCondition(
        "spread \(level.name)", excluded: "without a \(level.name)", what: "\(level.name)s with a node",
        meets: members.map { state.load($0).domain(level) != 0 })
      condition.level = level
      return condition
    }
  }

  /// A condition for each state that takes no replicas, so that an explanation names only those that matter.
  private static func states(_ state: State, _ members: [NodeID]) -> [PlacementCondition] {
    let others = NodeState.allCases.filter { $0 != .up && $0 != .removed }.map { away in
      PlacementCondition("", excluded: away.name, meets: members.map { state.nodes[$0].state != away })
    }
    let cordoned = PlacementCondition(
      "", excluded: "cordoned", meets: members.map { !(state.nodes[$0].state == .up && state.nodes[$0].isCordoned) })
    return others.filter { $0.meets.contains(false) } + (cordoned.meets.contains(false) ? [cordoned] : [])
  }
}
