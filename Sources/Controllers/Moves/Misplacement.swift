internal import MusterCluster

/// Finds replicas that stand where their policy does not want them any more: the policy, a node's labels or its fault
/// domain changed, or an operator took the only place there was.
struct Misplacement {
  private let state: State
  /// By collection number; made when the first shard of a collection is looked at.
  private var rules: [PlacementRules?]

  init(_ state: State) {
    self.state = state
    rules = Array(repeating: nil, count: state.collections.count + 1)
  }

  /// The first replica of a shard that breaks a rule by itself, and the rule; never the leader's for a spread, as long
  /// as another can go.
  mutating func find(_ row: ShardRow) -> (node: NodeID, rule: String)? {
    let place = Int(row.collection)
    let known = rules[place] ?? PlacementRules(state.collections[row.collection].policy, state)
    rules[place] = known
    return labels(row, known) ?? spread(row, known)
  }

  private func labels(_ row: ShardRow, _ rules: PlacementRules) -> (node: NodeID, rule: String)? {
    let policy = rules.policy
    guard !policy.required.isEmpty || !policy.rules.isEmpty || !rules.keptAway.isEmpty else { return nil }
    for replica in row.replicas {
      if let rule = policy.unmetRule(state.nodes[replica.node].labels) { return (replica.node, rule) }
      if let other = rules.keptAway[replica.node], other != row.collection {
        return (replica.node, "apart \(state.collectionName(other))")
      }
    }
    return nil
  }

  private func spread(_ row: ShardRow, _ rules: PlacementRules) -> (node: NodeID, rule: String)? {
    for level in rules.required {
      for (place, replica) in row.replicas.enumerated() {
        let domain = state.load(replica.node).domain(level)
        let twin = row.replicas.enumerated().first { other, twin in
          other != place && state.load(twin.node).domain(level) == domain
        }
        guard domain == 0 || twin != nil else { continue }
        // Of two that stand together the one that does not lead goes; of two followers the later.
        if let twin, replica.node == row.leader || (twin.offset > place && twin.element.node != row.leader) { continue }
        return (replica.node, "spread \(level.name)")
      }
    }
    return nil
  }
}
