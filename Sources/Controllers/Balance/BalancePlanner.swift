package import MusterCluster

/// One step that makes loads more even.
package enum BalanceStep: Sendable, Equatable {
  case move(shard: ShardID, source: NodeID, target: NodeID)
  case lead(shard: ShardID, from: NodeID, to: NodeID)
}

/// Plans moves from the fullest nodes to the emptiest, until no single move makes things better.
///
/// Every move lowers the larger of the two loads that it changes, so a plan ends; a shard moves at most once in a plan;
/// the same state gives the same plan, and the state after a plan gives an empty one. Loads are what policies state, not
/// what is measured: figures that waver move nothing.
package struct BalancePlanner {
  private let state: State
  private var placer: ReplicaPlacer
  /// The shards with a replica on a node, by node number; of nodes that may have to give.
  private var shards: [[ShardID]]
  private var moved: Set<ShardID> = []

  package init(_ state: State) {
    self.state = state
    placer = ReplicaPlacer(state)
    shards = Array(repeating: [], count: state.nodes.count + 1)
    for shard in 1..<state.shards.nextID {
      let row = state.shards[shard]
      guard row.move == 0, row.leader != 0 else { continue }
      for replica in row.replicas where replica.role != .learner { shards[Int(replica.node)].append(shard) }
    }
  }

  /// What moves already counts as gone from where it comes from, or more would be taken from there than its share.
  private mutating func countMovesUnderWay() {
    let state = state
    state.moves.forEach { _, move in
      guard !move.isVacant, move.source != 0 else { return }
      let row = state.shards[move.shard]
      let rules = placer.rules(of: row.collection)
      if row.replicas.index(of: move.source) != nil { placer.take(move.source, rules) }
      if move.step == .waiting { placer.give(move.target, rules) }
    }
  }

  /// - Parameter limit: the most steps.
  package static func plan(_ state: State, limit: Int) -> [BalanceStep] {
    var planner = BalancePlanner(state)
    planner.countMovesUnderWay()
    let moves = planner.moves(limit)
    return moves.isEmpty ? planner.leads(limit) : moves
  }

  // MARK: Replicas

  private mutating func moves(_ limit: Int) -> [BalanceStep] {
    var steps: [BalanceStep] = []
    var givers = (1..<state.nodes.nextID).filter { state.nodes[$0].takesReplicas }
    while steps.count < limit, !givers.isEmpty {
      guard let giver = givers.max(by: { isLighter($0, $1) }) else { break }
      if let step = relieve(giver) {
        steps.append(step)
      } else {
        givers.removeAll { $0 == giver }
      }
    }
    return steps
  }

  private func isLighter(_ a: NodeID, _ b: NodeID) -> Bool {
    let (x, y) = (pressure(a), pressure(b))
    return x != y ? x < y : a > b
  }

  /// The fullest stated dimension, and how many replicas there are.
  private func pressure(_ node: NodeID) -> (Double, UInt32) {
    let load = placer.load(node)
    var fullness = 0.0
    for dimension in 0..<Limits.dimensions where load.capacity[dimension] > 0 {
      fullness = max(fullness, Double(load.used[dimension]) / Double(load.capacity[dimension]))
    }
    return (fullness, load.replicas)
  }

  /// A move away from a node that leaves its target with less than the node had.
  private mutating func relieve(_ giver: NodeID) -> BalanceStep? {
    let before = pressure(giver)
    guard let lightest = lightest else { return nil }
    for shard in shards[Int(giver)] where !moved.contains(shard) {
      let row = state.shards[shard]
      let rules = placer.rules(of: row.collection)
      // Not even the lightest of all would be better off: no look at the others is needed.
      let atBest = (rules.fullness(placer.load(lightest)), placer.load(lightest).replicas + 1)
      guard improves(before, atBest, isWeighted: !rules.weights.isEmpty) else { continue }
      guard let target = placer.choose(for: row, besides: giver) else { continue }
      placer.give(target, rules)
      let after = pressure(target)
      guard improves(before, after, isWeighted: !rules.weights.isEmpty) else {
        placer.take(target, rules)
        continue
      }
      placer.take(giver, rules)
      moved.insert(shard)
      return .move(shard: shard, source: giver, target: target)
    }
    return nil
  }

  private var lightest: NodeID? {
    (1..<state.nodes.nextID).filter { state.nodes[$0].takesReplicas }.min(by: isLighter)
  }

  private func improves(_ giver: (Double, UInt32), _ taker: (Double, UInt32), isWeighted: Bool) -> Bool {
    isWeighted ? taker.0 < giver.0 : taker.1 < giver.1
  }

  // MARK: Leaders

  /// Hands leadership from nodes that lead much to in-sync followers on nodes that lead little.
  private func leads(_ limit: Int) -> [BalanceStep] {
    var leaders = (0...state.nodes.count).map { $0 == 0 ? 0 : Int(state.load(NodeID($0)).leaders) }
    var steps: [BalanceStep] = []
    for shard in 1..<state.shards.nextID where steps.count < limit {
      let row = state.shards[shard]
      guard row.leader != 0, row.move == 0 else { continue }
      let heirs = row.replicas.filter {
        $0.role == .follower && $0.isCopy && $0.isOpened && state.nodes[$0.node].takesReplicas
      }
      let policy = state.collections[row.collection].policy
      func rank(_ node: NodeID) -> (Int, Int, NodeID) {
        (policy.prefersLeader(on: state.nodes[node].labels) ? 0 : 1, leaders[Int(node)], node)
      }
      guard let heir = heirs.min(by: { rank($0.node) < rank($1.node) }) else { continue }
      let (new, old) = (rank(heir.node), rank(row.leader))
      guard new.0 < old.0 || (new.0 == old.0 && new.1 + 1 < old.1) else { continue }
      leaders[Int(heir.node)] += 1
      leaders[Int(row.leader)] -= 1
      steps.append(.lead(shard: shard, from: row.leader, to: heir.node))
    }
    return steps
  }
}
