package import MusterCluster
package import MusterProtocol

/// What a node was told to host and what it has not reported yet. Pure: the agent's shell feeds it and sends what it
/// says.
package struct AssignmentBook: Sendable {
  /// By shard number.
  package private(set) var assigned: [ShardID: Assignment] = [:]
  private var unreported: Set<ShardID> = []
  /// What this node, as a leader, has to say of followers.
  private var words: Set<FollowerWord> = []
  /// Elections that wait for this node's word, with their epochs.
  private var elections: [ShardID: UInt32] = [:]

  package init() {}

  /// Takes over what the control plane says.
  ///
  /// - Returns: what must be opened and what must be closed, in the order of shards.
  package mutating func apply(_ item: AssignmentsItem) -> (open: [Assignment], close: [ShardID]) {
    for shard in item.withdrawn {
      assigned[shard] = nil
      unreported.remove(shard)
      elections[shard] = nil
    }
    var open: [Assignment] = []
    words = words.filter { word in !item.assigned.contains { $0.shard == word.shard } }
    for assignment in item.assigned {
      assigned[assignment.shard] = assignment
      elections[assignment.shard] = assignment.isElecting ? assignment.epoch : nil
      if !assignment.isOpened { open.append(assignment) }
    }
    return (open, item.withdrawn)
  }

  /// A replica was opened by the host.
  package mutating func opened(_ shard: ShardID) {
    if assigned[shard] != nil { unreported.insert(shard) }
  }

  /// Followers of shards that this node leads which are open and not in sync, in the order of shards.
  package var behind: [(shard: ShardID, follower: Follower)] {
    assigned.keys.sorted().flatMap { shard in
      (assigned[shard]?.followers ?? []).filter { $0.isOpened && !$0.isInSync }.map { (shard, $0) }
    }
  }

  /// The host of the leader says whether a follower has all that was acknowledged.
  package mutating func note(_ shard: ShardID, follower node: NodeID, isInSync: Bool) {
    guard let assignment = assigned[shard], let follower = assignment.followers.first(where: { $0.node == node })
    else { return }
    let word = FollowerWord(shard: shard, node: node, epoch: assignment.epoch, isInSync: isInSync)
    words = words.filter { $0.shard != shard || $0.node != node }
    if follower.isInSync != isInSync { words.insert(word) }
  }

  /// The elections that wait for this node's word: the host must promise their epochs before it says how far it is.
  package var waitingElections: [(shard: ShardID, epoch: UInt32)] {
    elections.keys.sorted().map { ($0, elections[$0] ?? 0) }
  }

  /// The control plane knows how far the replica is.
  package mutating func told(_ position: ReplicaPosition) {
    if elections[position.shard] == position.epoch { elections[position.shard] = nil }
  }

  /// The next report, at most so many shards; nil when there is nothing to say.
  package mutating func nextReport(node: NodeID, incarnation: UInt64) -> ReportReplicas? {
    guard !unreported.isEmpty || !words.isEmpty else { return nil }
    let most = Limits.shardsPerReport / 4
    return ReportReplicas(
      node: node, incarnation: incarnation, opened: Array(unreported.sorted().prefix(most)),
      followers: Array(words.sorted { ($0.shard, $0.node) < ($1.shard, $1.node) }.prefix(most)), fellBehind: [])
  }

  /// A report was accepted.
  package mutating func reported(_ report: ReportReplicas) {
    unreported.subtract(report.opened)
    words.subtract(report.followers)
  }

  /// A new stream tells everything again.
  package mutating func restart() {
    assigned = [:]
    unreported = []
    words = []
    elections = [:]
  }
}
