package import MusterCluster

/// Rule by rule, node by node: why a replica of a shard may or may not stand there.
package struct PlacementVerdicts: Sendable {
  package struct Rule: Sendable, Equatable {
    package var rule: String
    package var isMet: Bool
    package var detail: String
    /// It costs nothing when it is not met.
    package var isPreference = false
  }

  package struct Node: Sendable {
    package var node: NodeID
    package var hasReplica: Bool
    package var rules: [Rule]
    package var isAllowed: Bool { rules.allSatisfy { $0.isMet || $0.isPreference } }
    /// How full its fullest dimension is with the replica, be it there or to come; 1 is full.
    package var fullness: Double
  }

  package var nodes: [Node] = []
  /// Whose replica would give way, 0 for none; nil where no place is looked for.
  package private(set) var source: NodeID?

  /// - Parameter source: the replica that would give way, 0 for none: could another node take it? With nil each node is
  ///   judged by itself: as if its own replica were not there, or the one were not that stands least in its way.
  package static func make(for row: ShardRow, besides source: NodeID?, _ state: State) -> PlacementVerdicts {
    let rules = PlacementRules(state.collections[row.collection].policy, state)
    let standing = row.replicas.map(\.node)
    var verdicts = PlacementVerdicts()
    verdicts.source = source
    state.nodes.forEach { id, node in
      guard !node.isRemoved else { return }
      let stands = standing.contains(id)
      let isCandidate = source != nil
      let sources = source.map { [$0] } ?? (stands ? [id] : standing)
      let found = sources.map { source in
        make(id, node, row, standing.filter { $0 != source && $0 != id }, rules, state, isCandidate: isCandidate)
      }
      let best = found.min { a, b in a.count { !$0.isMet } < b.count { !$0.isMet } }
      verdicts.nodes.append(
        Node(
          node: id, hasReplica: stands && id != source, rules: best ?? [],
          fullness: rules.fullness(state.load(id), withOneMore: !stands)))
    }
    return verdicts
  }

  private static func make(
    _ id: NodeID, _ node: NodeRow, _ row: ShardRow, _ others: [NodeID], _ rules: PlacementRules, _ state: State,
    isCandidate: Bool
  ) -> [Rule] {
    let stands = row.replicas.index(of: id) != nil
    // What stands may stay where nothing new may come.
    let mayStay = stands && !isCandidate
    var found = [
      Rule(rule: "state up", isMet: mayStay ? node.state.isAlive : node.state == .up, detail: node.state.name)
    ]
    found.append(
      Rule(rule: "not cordoned", isMet: mayStay || !node.isCordoned, detail: node.isCordoned ? "cordoned" : ""))
    for label in rules.policy.required {
      let value = node.labels[label.name]
      found.append(
        Rule(
          rule: "require \(label.name)=\(label.value)", isMet: value == label.value, detail: value ?? "no such label"))
    }
    for rule in rules.policy.rules {
      found.append(
        Rule(
          rule: "require \(rule.text)", isMet: rule.isMet(by: node.labels),
          detail: node.labels[rule.name] ?? "no such label"))
    }
    for name in rules.policy.apart {
      let isThere = rules.keptAway[id].map { state.collectionName($0) == name } ?? false
      found.append(Rule(rule: "apart \(name)", isMet: !isThere, detail: isThere ? "\(name) has a replica there" : ""))
    }
    return found + spread(id, others, rules, state) + room(id, rules, state, stands: stands)
      + preferences(node, rules.policy)
  }

  private static func preferences(_ node: NodeRow, _ policy: Policy) -> [Rule] {
    policy.leaderPreference.map { rule in
      let isMet = rule.isMet(by: node.labels)
      return Rule(
        rule: "lead-on \(rule.text)", isMet: isMet, detail: isMet ? "" : "it leads only where no other can",
        isPreference: true)
    }
  }

  private static func spread(
    _ id: NodeID, _ others: [NodeID], _ rules: PlacementRules, _ state: State
  ) -> [Rule] {
    rules.required.map { level in
      let domain = state.load(id).domain(level)
      let twin = others.first { state.load($0).domain(level) == domain }
      let detail =
        domain == 0
        ? "the node names no \(level.name)"
        : twin.map { "\(state.nodeName($0)) has a replica in the same \(level.name)" } ?? ""
      return Rule(rule: "spread \(level.name)", isMet: domain != 0 && twin == nil, detail: detail)
    }
  }

  private static func room(_ id: NodeID, _ rules: PlacementRules, _ state: State, stands: Bool) -> [Rule] {
    rules.weights.map { weight in
      let name = state.dimensions[weight.dimension]
      let load = state.load(id)
      let (used, capacity) = (load.used[weight.dimension], load.capacity[weight.dimension])
      let free = load.free(weight.dimension)
      // What stands there is counted already.
      let isMet = load.states(weight.dimension) && (stands ? used <= capacity : free >= weight.value)
      let amounts = stands ? "\(used) of \(capacity) are taken" : "free \(free), needed \(weight.value)"
      let detail = load.states(weight.dimension) ? amounts : "the node states no \(name)"
      return Rule(rule: "capacity \(name)", isMet: isMet, detail: detail)
    }
  }

  /// How many nodes each rule excludes, the most first: `5 by spread zone, 1 by capacity disk`.
  package var summary: String {
    var counts: [(rule: String, count: Int)] = []
    // The one whose replica goes is no other node.
    for node in nodes where node.node != source {
      let broken =
        node.hasReplica ? "having a replica already" : node.rules.first { !$0.isMet && !$0.isPreference }?.rule
      guard let broken else { continue }
      if let place = counts.firstIndex(where: { $0.rule == broken }) {
        counts[place].count += 1
      } else {
        counts.append((broken, 1))
      }
    }
    guard !counts.isEmpty else { return "there is no other node" }
    return counts.sorted { ($1.count, $0.rule) < ($0.count, $1.rule) }.map {
      "\($0.count) \($0.count == 1 ? "node" : "nodes") by \($0.rule)"
    }
    .joined(separator: ", ")
  }
}
