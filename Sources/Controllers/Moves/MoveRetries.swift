internal import MusterCluster

/// Lets a shard whose move came to nothing wait before the next one, longer each time: or such moves would take every slot
/// of the budgets for ever, and those that can succeed would get none.
struct MoveRetries {
  private struct Try {
    var target: NodeID
    var count: Int
    /// Nil until it is seen to be over.
    var notBefore: UInt64?
  }

  /// The first wait, in milliseconds; each further one is twice as long.
  private static let waitMin: UInt64 = 4000
  private static let doublingsMax = 5

  private var tries: [ShardID: Try] = [:]

  /// - Parameter row: of a shard of which no move is under way.
  /// - Returns: false while the shard has to wait.
  mutating func mayBegin(_ shard: ShardID, _ row: ShardRow, _ now: UInt64) -> Bool {
    guard let last = tries[shard] else { return true }
    // The last one did what it should: what is wanted now is something else.
    if row.replicas.index(of: last.target) != nil {
      tries[shard] = nil
      return true
    }
    let notBefore = last.notBefore ?? now + MoveRetries.waitMin << min(last.count - 1, MoveRetries.doublingsMax)
    tries[shard]?.notBefore = notBefore
    return now >= notBefore
  }

  mutating func begins(_ shard: ShardID, _ target: NodeID) {
    tries[shard] = Try(target: target, count: (tries[shard]?.count ?? 0) + 1)
  }

  /// Forgets shards that have nothing to try any more.
  mutating func prune(_ state: State) {
    tries = tries.filter { shard, last in
      guard let row = state.shards.row(shard), row.replicas.count > 0 else { return false }
      return row.move != 0 || row.replicas.index(of: last.target) == nil
    }
  }
}
