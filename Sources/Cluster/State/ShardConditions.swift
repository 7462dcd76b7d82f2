/// What shards are in, as far as it depends on which nodes live: one definition for `status`, checks, metrics, alarms and
/// the console.
package struct ShardConditions {
  /// By node number.
  private let nodes: [NodeState]

  package init(_ state: State) {
    var nodes = [NodeState](repeating: .removed, count: state.nodes.count + 1)
    state.nodes.forEach { id, row in nodes[Int(id)] = row.state }
    self.nodes = nodes
  }

  /// A node that is suspected leads still: it may be heard again.
  package func isLeaderless(_ row: ShardRow) -> Bool {
    guard row.leader != 0 else { return true }
    let state = nodes[Int(row.leader)]
    return state == .down || state == .removed
  }

  /// Whether it takes writes: its leader lives and has opened it, and as many live in sync as acknowledge one.
  package func isAvailable(_ row: ShardRow, _ policy: Policy) -> Bool {
    guard row.leader != 0, nodes[Int(row.leader)].isAlive else { return false }
    return row.replicas.replica(on: row.leader)?.isOpened == true && !isShortOfMinimum(row, policy)
  }

  /// Fewer live in sync than acknowledge a write.
  package func isShortOfMinimum(_ row: ShardRow, _ policy: Policy) -> Bool {
    let live = liveInSync(row)
    // Without a minimum all that are in sync acknowledge each write.
    let needed = policy.minInSync > 0 ? policy.minInSync : UInt32(row.replicas.count(where: \.isVoterInSync))
    return live < max(1, needed)
  }

  /// Fewer live in sync than the policy wants replicas.
  package func isUnderReplicated(_ row: ShardRow, _ policy: Policy) -> Bool { liveInSync(row) < policy.replicas }

  /// Replicas with a vote that are in sync and have their data, on nodes that live.
  package func liveInSync(_ row: ShardRow) -> UInt32 {
    var count: UInt32 = 0
    for replica in row.replicas where replica.isVotingCopy && nodes[Int(replica.node)].isAlive { count += 1 }
    return count
  }
}

extension ShardRow {
  package var voterCount: Int { replicas.count { $0.role != .learner } }

  /// Fewer than acknowledge a write, also when all of them are in sync.
  package func hasTooFewVoters(_ policy: Policy) -> Bool { voterCount < policy.minInSync }
}

extension Replica {
  /// It has a vote, and may be elected without losing acknowledged data.
  package var isVoterInSync: Bool { isInSync && role != .learner }

  /// It has a vote, is in sync, and has its data.
  package var isVotingCopy: Bool { isCopy && role != .learner }
}
