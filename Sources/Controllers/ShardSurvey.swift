internal import MusterCluster

/// What a look at the shards found: each list in the order of shards.
struct ShardFindings {
  /// Led by a node that is down.
  var leaderLost: [ShardID] = []
  /// Led by one that was asked to hand over.
  var handingOver: [ShardID] = []
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
  /// More replicas than the policy asks for.
  var surplus: [ShardID] = []
  /// A replica that breaks a rule where it stands.
  var misplaced: [(node: NodeID, shard: ShardID, rule: String)] = []
  /// A replica that its node has no capacity for any more: no reason to wait with anything else.
  var tooMuch: [(node: NodeID, shard: ShardID, rule: String)] = []

  /// Led where its policy does not prefer it, and who could lead it where it does.
  var away: [(shard: ShardID, next: NodeID)] = []

  /// Without all that no operator ordered.
  var drainsAlone: ShardFindings {
    var drains = ShardFindings()
    drains.draining = draining
    return drains
  }

  var needsNothing: Bool {
    lost.isEmpty && missing.isEmpty && draining.isEmpty && electing.isEmpty && surplus.isEmpty && misplaced.isEmpty
  }
}

/// Looks at every shard in turn, a part in each tick, and at all of them at once when a node changed.
struct ShardSurvey {
  /// A tick looks at so many: a million are seen within five seconds.
  static let shardsPerTick = 20_000
  /// More of a kind wait for the next look.
  private static let findingsMax = 8192
  /// Of those that are led, if not where it is preferred, fewer are enough.
  private static let awayMax = 256

  private var next: ShardID = 1
  private var nodes: PagedTable<NodeRow>?
  private var collections: PagedTable<CollectionRow>?
  /// Shards whose places are still to be held against the rules. That is done only after the rules or the nodes changed,
  /// and goes on until nothing is found.
  private var unjudged = 0

  mutating func look(_ state: State) -> ShardFindings {
    let count = state.shards.count
    let isNodeChanged = hasAnyNodeChanged(state)
    if isNodeChanged || hasAnyCollectionChanged(state) { unjudged = count }
    let isSmall = count <= ShardSurvey.shardsPerTick
    let isWhole = isSmall || isNodeChanged
    nodes = state.nodes
    collections = state.collections
    guard count > 0 else { return ShardFindings() }
    let first = isWhole || next > count ? 1 : next
    let last = isWhole ? ShardID(count) : min(ShardID(count), first + ShardID(ShardSurvey.shardsPerTick) - 1)
    next = last + 1
    // A look at all of very many shards is for those that nobody leads: their places can wait.
    let isJudging = unjudged > 0 && (isSmall || !isWhole)
    let findings = ShardSurvey.look(state, first...last, isJudging: isJudging)
    if isJudging {
      unjudged =
        findings.misplaced.isEmpty && findings.tooMuch.isEmpty ? max(0, unjudged - Int(last - first) - 1) : count
    }
    return findings
  }

  /// Everything there is to find.
  static func all(_ state: State) -> ShardFindings {
    state.shards.count == 0
      ? ShardFindings() : look(state, 1...ShardID(state.shards.count), isJudging: true)
  }

  private func hasAnyCollectionChanged(_ state: State) -> Bool {
    guard let collections else { return true }
    var isChanged = false
    state.collections.forEachChangedPage(since: collections) { _ in isChanged = true }
    return isChanged
  }

  private func hasAnyNodeChanged(_ state: State) -> Bool {
    guard let nodes else { return true }
    var isChanged = false
    state.nodes.forEachChangedPage(since: nodes) { _ in isChanged = true }
    return isChanged
  }

  private static func look(_ state: State, _ range: ClosedRange<ShardID>, isJudging: Bool) -> ShardFindings {
    var health = [NodeState](repeating: .up, count: state.nodes.count + 1)
    state.nodes.forEach { id, row in health[Int(id)] = row.state }
    var wanted = [UInt32](repeating: 0, count: state.collections.count + 1)
    state.collections.forEach { id, row in wanted[Int(id)] = row.state == .active ? row.policy.replicas : 0 }
    var findings = ShardFindings()
    var misplacement = Misplacement(state)
    var overload = isJudging ? Overload(state) : nil
    var preferences = LeaderPreferences(state)
    for shard in range {
      let row = state.shards[shard]
      guard row.replicas.count > 0 else { continue }
      findings.note(shard, row, health, wanted[Int(row.collection)])
      if findings.away.count < awayMax, !row.isMaking, let next = preferences.next(row) {
        findings.away.append((shard, next))
      }
      if isJudging, row.move == 0, wanted[Int(row.collection)] > 0 {
        if let found = misplacement.find(row) {
          findings.misplaced.append((found.node, shard, found.rule))
        } else if !row.isMaking, let found = overload?.find(row) {
          findings.tooMuch.append((found.node, shard, found.rule))
        }
      }
      if findings.isFull(findingsMax) { break }
    }
    return findings
  }
}

extension ShardFindings {
  fileprivate func isFull(_ most: Int) -> Bool {
    max(leaderLost.count, behind.count, lost.count, draining.count, max(surplus.count, misplaced.count)) >= most
  }

  fileprivate mutating func note(_ shard: ShardID, _ row: ShardRow, _ health: [NodeState], _ wanted: UInt32) {
    // Its move looks after it until it owns keys.
    if row.isMaking { return }
    if row.heir != 0 { handingOver.append(shard) }
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
    guard row.move == 0, wanted > 0 else { return }
    if standing < wanted { missing.append(shard) }
    if standing > wanted, row.leader != 0 { surplus.append(shard) }
  }
}
