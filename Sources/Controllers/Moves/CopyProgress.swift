internal import MusterCluster

/// How far the replicas are that take part in splits, as their nodes say. What nobody said keeps nothing waiting: a leader
/// pauses only when the copies are near.
struct CopyProgress: Sendable {
  private struct Word: Sendable {
    var position: ReplicaPosition?
    var isCopying: Bool
  }

  /// A copy that is no further behind is near.
  private static let lagMax: UInt64 = 64 << 20

  private var words: [ShardID: [NodeID: Word]] = [:]

  mutating func heard(_ status: ReplicaStatus, of node: NodeID) {
    words[status.shard, default: [:]][node] = Word(position: status.position, isCopying: status.bytesToCopy > 0)
  }

  mutating func prune(_ state: State) {
    guard !words.isEmpty else { return }
    words = words.filter { shard, _ in
      state.shards.row(shard).map { state.moves.row($0.move)?.isSplit ?? false } ?? false
    }
  }

  func areNear(_ move: MoveRow, _ parent: ShardRow, _ child: ShardRow) -> Bool {
    let leader = words[move.shard]?[parent.leader]?.position
    return child.replicas.allSatisfy { replica in
      guard let word = words[move.child]?[replica.node] else { return true }
      guard !word.isCopying else { return false }
      guard let leader, let position = word.position else { return true }
      return position.history == leader.history && position.offset + CopyProgress.lagMax >= leader.offset
    }
  }
}
