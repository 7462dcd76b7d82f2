internal import MusterCluster

/// What nodes hold beyond the capacity that they state: a node came back with less of something, or a policy weighs more
/// than it did. As much as is too much goes elsewhere, where the rules let it.
struct Overload {
  private let state: State
  /// Of each such node what is still too much when those under way have gone.
  private var excess: [NodeID: AmountVector] = [:]

  init(_ state: State) {
    self.state = state
    state.nodeLoads.forEach { id, load in
      var vector = AmountVector()
      var isOver = false
      for dimension in state.nodeLoads.dimensions.indices where load.states(dimension) {
        vector[dimension] = load.used[dimension] - min(load.used[dimension], load.capacity[dimension])
        isOver = isOver || vector[dimension] > 0
      }
      if isOver { excess[id] = vector }
    }
    guard !excess.isEmpty else { return }
    state.moves.forEach { _, move in
      guard !move.isVacant, move.partner == 0, move.source != 0, let row = state.shards.row(move.shard) else { return }
      take(row, from: move.source)
    }
  }

  /// The replica of a shard that goes, and what its node has too little of; a leader's only when no other does.
  mutating func find(_ row: ShardRow) -> (node: NodeID, rule: String)? {
    guard !excess.isEmpty else { return nil }
    let weights = state.nodeLoads.vector(state.collections[row.collection].policy.weights)
    let order = row.replicas.filter { $0.node != row.leader } + row.replicas.filter { $0.node == row.leader }
    for replica in order where state.nodes[replica.node].state.isAlive {
      guard let over = excess[replica.node],
        let dimension = state.nodeLoads.dimensions.indices.first(where: { over[$0] > 0 && weights[$0] > 0 })
      else { continue }
      take(row, from: replica.node)
      return (replica.node, "capacity \(state.nodeLoads.dimensions[dimension])")
    }
    return nil
  }

  private mutating func take(_ row: ShardRow, from node: NodeID) {
    guard var over = excess[node] else { return }
    let weights = state.nodeLoads.vector(state.collections[row.collection].policy.weights)
    var isOver = false
    for dimension in state.nodeLoads.dimensions.indices {
      over[dimension] -= min(over[dimension], weights[dimension])
      isOver = isOver || over[dimension] > 0
    }
    excess[node] = isOver ? over : nil
  }

  // MARK: Alarms

  static let prefix = "over-capacity/"

  /// One for each node that holds more than it can carry, until it does not any more.
  static func alarms(_ state: State) -> [Proposal] {
    var proposals: [Proposal] = []
    state.nodes.forEach { id, row in
      // The alarm of a name is its present owner's.
      guard !row.isRemoved || state.nodeID(named: row.name) == nil else { return }
      let name = prefix + row.name
      let isRaised = state.isRaised(alarm: name)
      let words = row.isRemoved ? nil : words(id, state)
      guard isRaised != (words != nil) else { return }
      let command: Command =
        words.map { .raiseAlarm(RaiseAlarm(name: name, message: "\(row.name) holds \($0)")) }
        ?? .clearAlarm(ClearAlarm(name: name))
      proposals.append(
        Proposal(
          controller: RepairController.name, command: command,
          reason: Reason(.replicaMisplaced, arguments: ["node=\(row.name)", "rule=capacity"]), cause: row.changed))
    }
    return proposals
  }

  /// `disk=120 of 100: …`; nil when it can carry what it holds.
  private static func words(_ node: NodeID, _ state: State) -> String? {
    let load = state.load(node)
    let over = state.nodeLoads.dimensions.indices.filter { load.states($0) && load.used[$0] > load.capacity[$0] }
    guard !over.isEmpty else { return nil }
    let amounts = over.map { "\(state.nodeLoads.dimensions[$0])=\(load.used[$0]) of \(load.capacity[$0])" }
    return "\(amounts.joined(separator: ", ")): what is too much goes where the rules let it, or give it room"
  }
}
