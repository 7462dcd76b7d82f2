package import MusterCluster

/// Rule by rule, node by node: why a replica of a shard may or may not stand there.
package struct PlacementVerdicts: Sendable {
  package struct Rule: Sendable, Equatable {
    package var rule: String
    package var isMet: Bool
    package var detail: String
  }

  package struct Node: Sendable {
    package var node: NodeID
    package var hasReplica: Bool
    package var rules: [Rule]
    package var isAllowed: Bool { rules.allSatisfy(\.isMet) }
    /// How full its fullest dimension would be with the replica; 1 is full.
    package var fullness: Double
  }

  package var nodes: [Node] = []

  /// - Parameter source: the replica that would give way, 0 for none; nil for whichever stands least in the way. A node
  ///   with a replica is judged as if its own were not there.
  package static func make(for row: ShardRow, besides source: NodeID?, _ state: State) -> PlacementVerdicts {
    let rules = PlacementRules(state.collections[row.collection].policy, state)
    let standing = row.replicas.map(\.node)
    var verdicts = PlacementVerdicts()
    state.nodes.forEach { id, node in
      guard !node.isRemoved else { return }
      let sources = standing.contains(id) ? [id] : source.map { [$0] } ?? standing
      let found = sources.map { source in make(id, node, row, standing.filter { $0 != source }, rules, state) }
      let best = found.min { a, b in a.count { !$0.isMet } < b.count { !$0.isMet } }
      verdicts.nodes.append(
        Node(
          node: id, hasReplica: standing.contains(id) && id != source, rules: best ?? [],
          fullness: rules.fullness(state.load(id))))
    }
    return verdicts
  }

  private static func make(
    _ id: NodeID, _ node: NodeRow, _ row: ShardRow, _ others: [NodeID], _ rules: PlacementRules, _ state: State
  ) -> [Rule] {
    let stands = row.replicas.index(of: id) != nil
    var found = [
      Rule(rule: "state up", isMet: stands ? node.state.isAlive : node.state == .up, detail: node.state.name)
    ]
    found.append(
      Rule(rule: "not cordoned", isMet: stands || !node.isCordoned, detail: node.isCordoned ? "cordoned" : ""))
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
      // What stands there is counted already.
      let free = load.free(weight.dimension) + (stands ? weight.value : 0)
      let detail =
        load.states(weight.dimension) ? "free \(free), needed \(weight.value)" : "the node states no \(name)"
      return Rule(
        rule: "capacity \(name)", isMet: load.states(weight.dimension) && free >= weight.value, detail: detail)
    }
  }

  /// How many nodes each rule excludes, the most first: `5 by spread zone, 1 by capacity disk`.
  package var summary: String {
    var counts: [(rule: String, count: Int)] = []
    for node in nodes {
      let broken = node.hasReplica ? "having a replica already" : node.rules.first { !$0.isMet }?.rule
      guard let broken else { continue }
      if let place = counts.firstIndex(where: { $0.rule == broken }) {
        counts[place].count += 1
      } else {
        counts.append((broken, 1))
      }
    }
    guard !counts.isEmpty else { return "there is no other node" }
    return counts.sorted { ($1.count, $0.rule) < ($0.count, $1.rule) }.map { "\($0.count) nodes by \($0.rule)" }
      .joined(separator: ", ")
  }
}
