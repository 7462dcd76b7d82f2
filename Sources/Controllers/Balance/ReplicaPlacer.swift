internal import MusterCluster

/// Finds places for single replicas, one after the other, and counts what it gave away.
struct ReplicaPlacer {
  private let state: State
  private var rules: [CollectionID: PlacementRules] = [:]
  /// By node number less one, with what was given away here.
  private var loads: ContiguousArray<NodeLoad> = []

  init(_ state: State) {
    self.state = state
    state.nodeLoads.forEach { _, load in loads.append(copy load) }
  }

  func load(_ node: NodeID) -> NodeLoad { loads[Int(node) - 1] }

  mutating func rules(of collection: CollectionID) -> PlacementRules {
    if let known = rules[collection] { return known }
    let made = PlacementRules(state.collections[collection].policy, state)
    rules[collection] = made
    return made
  }

  /// The best node for a replica of a shard that takes the place of the one on `source`, or of none.
  mutating func choose(for row: ShardRow, besides source: NodeID) -> NodeID? {
    let rules = rules(of: row.collection)
    guard rules.unknownDimension == nil, !row.replicas.isFull else { return nil }
    let others = row.replicas.filter { $0.node != source }.map(\.node)
    var best: (node: NodeID, crowding: Int, fullness: Double, replicas: UInt32)?
    for node in 1..<state.nodes.nextID {
      guard allows(node, row, others, rules) else { continue }
      let crowding = crowding(node, others, rules)
      let fullness = rules.fullness(loads[Int(node) - 1])
      let replicas = loads[Int(node) - 1].replicas
      if let best, (best.crowding, best.fullness, best.replicas) <= (crowding, fullness, replicas) { continue }
      best = (node, crowding, fullness, replicas)
    }
    return best?.node
  }

  /// Whether a rule forbids a replica of the shard on a node, given those that stay.
  func allows(_ node: NodeID, _ row: ShardRow, _ others: [NodeID], _ rules: PlacementRules) -> Bool {
    let load = loads[Int(node) - 1]
    guard row.replicas.index(of: node) == nil, rules.admits(load), rules.hasRoom(load), rules.keptAway[node] == nil,
      rules.admits(state.nodes[node].labels)
    else { return false }
    return rules.required.allSatisfy { level in
      others.allSatisfy { state.load($0).domain(level) != load.domain(level) }
    }
  }

  func crowding(_ node: NodeID, _ others: [NodeID], _ rules: PlacementRules) -> Int {
    let load = loads[Int(node) - 1]
    return rules.preferred.reduce(0) { sum, level in
      sum + others.count { state.load($0).domain(level) == load.domain(level) }
    }
  }

  /// A replica of the collection comes to a node.
  mutating func give(_ node: NodeID, _ rules: PlacementRules) {
    loads[Int(node) - 1].replicas += 1
    for weight in rules.weights { loads[Int(node) - 1].used[weight.dimension] &+= weight.value }
  }

  /// A replica of the collection leaves a node.
  mutating func take(_ node: NodeID, _ rules: PlacementRules) {
    loads[Int(node) - 1].replicas -= 1
    for weight in rules.weights { loads[Int(node) - 1].used[weight.dimension] &-= weight.value }
  }
}
