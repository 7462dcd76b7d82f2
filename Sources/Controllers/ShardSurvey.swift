internal import MusterCluster

/// What a look at the shards found: each list in the order of shards.
struct ShardFindings {
  /// Led by a node that is down.
  var leaderLost: [ShardID] = []
  /// Led by nobody: an election is under way.
  var electing: [ShardID] = []
  /// In sync on a node that is down, while another leads.
  var behind: [(node: NodeID, shard: ShardID)] = []
  /// A replica on a node that is down.
  var lost: [(node: NodeID, shard: ShardID)] = []
  /// Fewer replicas than the policy asks for.
  var missing: [ShardID] = []
  /// A replica on a node that gives all away.
  var draining: [(node: NodeID, shard: ShardID)] = []

  var needsNothing: Bool { lost.isEmpty && missing.isEmpty && draining.isEmpty && electing.isEmpty }
}

/// Looks at every shard in turn, a part in each tick, and at all of them at once when a node changed.
struct ShardSurvey {
  /// A tick looks at so many: a million are seen within five seconds.
  static let shardsPerTick = 20_000
  /// More of a kind wait for the next look.
  private static let findingsMax = 8192

  private var next: ShardID = 1
  private var nodes: PagedTable<NodeRow>?

  mutating func look(_ state: State) -> ShardFindings {
    let count = state.shards.count
    let isWhole = count <= ShardSurvey.shardsPerTick || hasAnyNodeChanged(state)
    nodes = state.nodes
    guard count > 0 else { return ShardFindings() }
    let first = isWhole || next > count ? 1 : next
    let last = isWhole ? ShardID(count) : min(ShardID(count), first + ShardID(ShardSurvey.shardsPerTick) - 1)
    next = last + 1
    return ShardSurvey.look(state, first...last)
  }

  /// Everything there is to find.
  static func all(_ state: State) -> ShardFindings {
    state.shards.count == 0 ? ShardFindings() : look(state, 1...ShardID(state.shards.count))
  }

  private func hasAnyNodeChanged(_ state: State) -> Bool {
    guard let nodes else { return true }
    var isChanged = false
    state.nodes.forEachChangedPage(since: nodes) { _ in isChanged = true }
    return isChanged
  }

  private static func look(_ state: State, _ range: ClosedRange<ShardID>) -> ShardFindings {
    var health = [NodeState](repeating: .up, count: state.nodes.count + 1)
    state.nodes.forEach { id, row in health[Int(id)] = row.state }
    var wanted = [UInt32](repeating: 0, count: state.collections.count + 1)
    state.collections.forEach { id, row in wanted[Int(id)] = row.state == .active ? row.policy.replicas : 0 }
    var findings = ShardFindings()
    for shard in range {
      let row = state.shards[shard]
      guard row.replicas.count > 0 else { continue }
      findings.note(shard, row, health, wanted[Int(row.collection)])
      if findings.isFull(findingsMax) { break }
    }
    return findings
  }
}

extension ShardFindings {
  fileprivate func isFull(_ most: Int) -> Bool {
    max(leaderLost.count, behind.count, lost.count, draining.count) >= most
  }

  fileprivate mutating func note(_ shard: ShardID, _ row: ShardRow, _ health: [NodeState], _ wanted: UInt32) {
    if row.leader == 0 {
      electing.append(shard)
    } else if health[Int(row.leader)] == .down {
      leaderLost.append(shard)
    }
    var standing: UInt32 = 0
    for replica in row.replicas {
      switch health[Int(replica.node)] {
      case .down:
        if replica.isInSync, row.leader != 0, row.leader != replica.node { behind.append((replica.node, shard)) }
        if row.move == 0 { lost.append((replica.node, shard)) }
      case .draining:
        if row.move == 0 { draining.append((replica.node, shard)) }
      default: break
      }
      standing += 1
    }
    if standing < wanted, row.move == 0 { missing.append(shard) }
  }
}
