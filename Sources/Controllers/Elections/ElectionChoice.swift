internal import MusterCluster

/// What a replica said when it promised an epoch.
struct Promise: Sendable, Equatable {
  var node: NodeID
  var incarnation: UInt64
  var position: ReplicaPosition
}

/// Who leads next, of those that promised; pure, so that the rule can be tested alone.
struct ElectionChoice: Equatable {
  var node: NodeID
  var isUnclean: Bool
  /// Who was asked and how far each was: the inputs of the decision.
  var candidates: [Promise]

  /// - Parameters:
  ///   - promises: of this epoch, by nodes that have a replica.
  ///   - isPatienceOver: those that did not answer are not waited for any more.
  /// - Returns: nil while more must be known, or when nobody may lead.
  static func make(
    _ row: ShardRow, _ state: State, _ promises: [Promise], isPatienceOver: Bool
  ) -> ElectionChoice? {
    let voters = row.replicas.filter { $0.role != .learner && state.nodes[$0.node].state.isAlive }
    // Of those in sync as many must answer as if all had their data: what one acknowledged before it lost it counts.
    let inSync = voters.filter(\.isCopy)
    let valid = promises.filter { state.nodes[$0.node].incarnation == $0.incarnation }
    func answered(_ replicas: [Replica]) -> [Promise] {
      replicas.compactMap { replica in valid.first { $0.node == replica.node } }
    }
    let collection = state.collections[row.collection]
    let policy = collection.policy
    let answers = answered(inSync)
    if answers.count >= row.answersNeeded(collection), !collection.mayMissWrites(row) {
      // All who live are waited for a while all the same: the farthest has what was written last, and nothing is cut
      // off without need.
      return answers.count == inSync.count || isPatienceOver ? best(answers, state, policy, isUnclean: false) : nil
    }
    guard policy.allowsUncleanElection, isPatienceOver else { return nil }
    return best(answered(voters.filter { !$0.isEmptied }), state, policy, isUnclean: true)
  }

  private static func best(
    _ answers: [Promise], _ state: State, _ policy: Policy, isUnclean: Bool
  ) -> ElectionChoice? {
    guard let best = answers.min(by: { compare($0, $1, state, policy).isBetter }) else { return nil }
    return ElectionChoice(node: best.node, isUnclean: isUnclean, candidates: answers)
  }

  /// The farthest replica first; of equals one on a node that stays, then where the policy prefers leaders, then the one
  /// whose node leads least.
  ///
  /// - Returns: whether `a` is better than `b`, and what decided.
  private static func compare(
    _ a: Promise, _ b: Promise, _ state: State, _ policy: Policy
  ) -> (isBetter: Bool, ground: Ground) {
    let (x, y) = (a.position, b.position)
    if x.history != y.history { return (x.history > y.history, .farthest) }
    if x.offset != y.offset { return (x.offset > y.offset, .farthest) }
    let (node, other) = (state.nodes[a.node], state.nodes[b.node])
    if node.takesReplicas != other.takesReplicas { return (node.takesReplicas, .stays) }
    let isPreferred = policy.prefersLeader(on: node.labels)
    if isPreferred != policy.prefersLeader(on: other.labels) { return (isPreferred, .preferred) }
    let (first, second) = (state.load(a.node).leaders, state.load(b.node).leaders)
    return first != second ? (first < second, .leadsFewest) : (a.node < b.node, .lowerNumber)
  }

  private enum Ground: Int, Comparable {
    case farthest
    case stays
    case preferred
    case leadsFewest
    case lowerNumber

    static func < (a: Ground, b: Ground) -> Bool { a.rawValue < b.rawValue }

    var words: String {
      switch self {
      case .farthest: "the farthest"
      case .stays: "as far as others, and it stays where they are asked to go"
      case .preferred: "as far as others, and preferred as leader"
      case .leadsFewest: "as far as others, and leads fewest shards"
      case .lowerNumber: "as far as others, and has the lowest number"
      }
    }
  }

  /// `orders/17: n2, the farthest, of n2 (epoch 1, at 120), n3 (epoch 1, at 118)`
  func words(_ shard: ShardID, _ state: State) -> String {
    let policy = state.collections[state.shards[shard].collection].policy
    let best = candidates.first { $0.node == node }
    let rivals = candidates.filter { $0.node != node }
    // Against whoever came nearest: what decided there decided at all.
    let ground = best.flatMap { best in rivals.map { ElectionChoice.compare(best, $0, state, policy).ground }.max(by: <)
    }
    let why = ground?.words ?? "the only one that answered"
    let places = candidates.map { "\(state.nodeName($0.node)) (\($0.position.words))" }.joined(separator: ", ")
    return "\(state.shardName(shard)): \(state.nodeName(node)), \(why), of \(places)".clipped(to: Limits.pathBytes)
  }
}
