internal import MusterCluster

/// In which way shards are short of what their collection promises. The name is the first part of the alarm's.
enum Shortage: String, CaseIterable {
  /// No election brings them back.
  case unavailable
  /// Fewer replicas in sync live than acknowledge a write.
  case minimum = "min-in-sync"
  /// They have no replica yet, and there is no place for any.
  case firstPlace = "unplaced"
  /// They lack a replica, and there is no place for one.
  case place = "no-place"
}

/// Shards of one collection that are short in one way.
struct ShortShards {
  /// So many that a person should hear of.
  private(set) var due = 0
  /// The first of these.
  private(set) var first: [ShardID] = []

  private static let namesMax = 3

  mutating func note(_ shard: ShardID, isDue: Bool) {
    guard isDue else { return }
    due += 1
    if first.count < ShortShards.namesMax { first.append(shard) }
  }

  /// Shards that follow each other, all of them due.
  mutating func note(_ shards: Range<ShardID>) {
    due += shards.count
    first += shards.prefix(max(0, ShortShards.namesMax - first.count))
  }

  /// `orders/0, orders/4 and 3 more`
  func names(_ state: State) -> String {
    let names = first.map { state.shardName($0) }.joined(separator: ", ")
    return due > first.count ? "\(names) and \(due - first.count) more" : names
  }
}

/// Looks for shards that are short, a part of all in each tick.
struct ShortageSurvey {
  struct Key: Hashable {
    var shortage: Shortage
    var collection: CollectionID
  }

  private let state: State
  private let conditions: ShardConditions
  /// Nodes that are down for so long that their replicas should stand elsewhere by now.
  private let overdue: Set<NodeID>
  /// By collection number; nil where nothing is promised any more.
  private var policies: [Policy?]
  private var planner: RecoveryPlanner

  init(_ state: State, overdue: Set<NodeID>) {
    self.state = state
    self.overdue = overdue
    conditions = ShardConditions(state)
    planner = RecoveryPlanner(state)
    var policies = [Policy?](repeating: nil, count: state.collections.count + 1)
    state.collections.forEach { id, row in policies[Int(id)] = row.isDeleted ? nil : row.policy }
    self.policies = policies
  }

  mutating func look(at range: ClosedRange<ShardID>, _ found: inout [Key: ShortShards]) {
    for shard in range {
      let row = state.shards[shard]
      guard row.replicas.count > 0, !row.isMaking, let policy = policies[Int(row.collection)] else { continue }
      if conditions.isLeaderless(row), state.isBeyondElection(row) {
        note(.unavailable, shard, row, &found)
      } else if conditions.isShortOfMinimum(row, policy) {
        note(.minimum, shard, row, &found)
      }
      if let isDue = lacksPlace(row, policy) { note(.place, shard, row, isDue: isDue, &found) }
    }
  }

  private func note(
    _ shortage: Shortage, _ shard: ShardID, _ row: ShardRow, isDue: Bool = true, _ found: inout [Key: ShortShards]
  ) {
    found[Key(shortage: shortage, collection: row.collection), default: ShortShards()].note(shard, isDue: isDue)
  }

  /// Whether a replica is missing or lost that finds no place, and if so whether it should have one by now.
  private mutating func lacksPlace(_ row: ShardRow, _ policy: Policy) -> Bool? {
    guard row.move == 0, row.leader != 0 else { return nil }
    if row.replicas.count < Int(policy.replicas) { return planner.place(row, besides: 0) == nil ? true : nil }
    for replica in row.replicas where state.nodes[replica.node].state == .down {
      if planner.place(row, besides: replica.node) == nil { return overdue.contains(replica.node) }
    }
    return nil
  }
}
