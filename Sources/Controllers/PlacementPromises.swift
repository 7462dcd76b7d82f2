package import MusterCluster

/// What no commit may break, whoever decided it: checked after every commit in tests and simulations.
package struct PlacementPromises: Sendable {
  /// Who led each epoch of each shard.
  private var leaders: [Leadership: NodeID] = [:]

  private struct Leadership: Hashable {
    var shard: ShardID
    var epoch: UInt32
  }

  package init() {}

  /// - Returns: the promise that the commit broke, in words; nil when it kept all.
  package mutating func broken(by commit: Commit, from before: State, to after: State) -> String? {
    var touched = Touched()
    for event in commit.events {
      event.touch(&touched)
      if let problem = PlacementPromises.broken(by: event, of: commit, before, after) {
        return "\(problem) at revision \(commit.revision)"
      }
      guard let (leadership, node) = PlacementPromises.leadership(event) else { continue }
      if let other = leaders[leadership], other != node {
        return "\(after.shardName(leadership.shard)) has two leaders of epoch \(leadership.epoch)"
      }
      leaders[leadership] = node
    }
    for shard in Set(touched.shards).sorted() where before.shards.contains(shard) {
      if commit.absorbs(shard) || commit.beginsEmpty(shard) { continue }
      if let problem = PlacementPromises.broken(shard, by: commit, before, after) {
        return "\(after.shardName(shard)) at revision \(commit.revision): \(problem)"
      }
    }
    return nil
  }

  private static func leadership(_ event: Event) -> (Leadership, NodeID)? {
    switch event {
    case .leaderElected(let event): (Leadership(shard: event.shard, epoch: event.epoch), event.node)
    case .shardBegunEmpty(let event): (Leadership(shard: event.shard, epoch: event.epoch), event.node)
    default: nil
    }
  }

  /// A replica gets its vote when it has everything, and none is given up of which too few would be left.
  private static func broken(by event: Event, of commit: Commit, _ before: State, _ after: State) -> String? {
    switch event {
    case .replicaPromoted(let event):
      // A shard that a split just made has all its replicas from the beginning, also those that copy still.
      if commit.events.contains(where: {
        if case .shardSplit(let split) = $0 { split.child == event.shard } else { false }
      }) {
        return nil
      }
      guard let replica = after.shards[event.shard].replicas.replica(on: event.node), !replica.hasItsData else {
        return nil
      }
      return "\(after.shardName(event.shard)) gave \(after.nodeName(event.node)) a vote before it was in sync"
    case .replicaRemoved(let event) where commit.beginsEmpty(event.shard): return nil
    case .replicaRemoved(let event): return given(up: event.node, of: event.shard, before, after)
    case .replicaRebuilding(let event): return given(up: event.node, of: event.shard, before, after)
    default: return nil
    }
  }

  private static func given(up node: NodeID, of shard: ShardID, _ before: State, _ after: State) -> String? {
    let (old, row) = (before.shards[shard], after.shards[shard])
    guard old.replicas.replica(on: node).map({ $0.role != .learner && $0.hasItsData }) == true else {
      return nil
    }
    let left = row.replicas.count { $0.role != .learner && $0.hasItsData }
    let minimum = max(1, Int(after.collections[row.collection].policy.minInSync))
    return left < minimum
      ? "\(after.shardName(shard)) gave up \(after.nodeName(node)), and \(left) in sync are left of \(minimum)" : nil
  }

  private static func broken(_ shard: ShardID, by commit: Commit, _ before: State, _ after: State) -> String? {
    let (old, row) = (before.shards[shard], after.shards[shard])
    let collection = after.collections[row.collection]
    guard !collection.isDeleted, old.replicas.count > 0 else { return nil }
    let voters = row.replicas.filter { $0.role != .learner }
    let oldVoters = old.replicas.count { $0.role != .learner }
    if voters.count < min(Int(collection.policy.replicas), oldVoters) {
      return "\(voters.count) replicas vote, and \(oldVoters) did"
    }
    if row.epoch < old.epoch { return "the epoch went back from \(old.epoch) to \(row.epoch)" }
    if row.leader != 0, !voters.contains(where: { $0.node == row.leader }) { return "the leader has no vote" }
    if old.replicas.contains(where: \.isInSync), !row.replicas.contains(where: \.isInSync), !commit.loses(shard) {
      return "nobody is in sync any more"
    }
    return brokenSpread(old, row, before, after)
  }

  /// A rule that held goes on holding, the replica aside that is about to go. One that stays after all, because its move
  /// was called off, is no news: the rule did not hold before the move either.
  private static func brokenSpread(_ old: ShardRow, _ row: ShardRow, _ before: State, _ after: State) -> String? {
    let goes = going(row, after)
    let went = going(old, before)
    let stays = went != goes && row.replicas.index(of: went) != nil
    for rule in after.collections[row.collection].policy.spread where !rule.isPreference {
      if isSpread(old, rule.level, before, without: stays ? 0 : went), !isSpread(row, rule.level, after, without: goes)
      {
        return "two replicas stand in one \(rule.level.name)"
      }
    }
    return nil
  }

  /// The node whose replica the shard's move takes away, or 0.
  private static func going(_ row: ShardRow, _ state: State) -> NodeID {
    guard let move = state.moves.row(row.move), move.step != .waiting else { return 0 }
    return move.source
  }

  private static func isSpread(_ row: ShardRow, _ level: FaultLevel, _ state: State, without node: NodeID) -> Bool {
    let domains = row.replicas.filter { $0.node != node }.map { state.load($0.node).domain(level) }
    return Set(domains).count == domains.count
  }
}

extension Replica {
  /// In sync, and not without its data: asked of the row itself, whatever the cluster goes by.
  fileprivate var hasItsData: Bool { isInSync && !isEmptied }
}

extension Commit {
  /// The data of a replica is gone, whatever anybody decides.
  fileprivate func loses(_ shard: ShardID) -> Bool {
    events.contains { event in
      if case .replicaFellBehind(let event) = event { event.shard == shard && event.isLost } else { false }
    }
  }

  /// Nothing was left of the shard, and a person said so.
  fileprivate func beginsEmpty(_ shard: ShardID) -> Bool {
    events.contains { if case .shardBegunEmpty(let event) = $0 { event.shard == shard } else { false } }
  }

  /// The shard is no more: its keys are another's.
  fileprivate func absorbs(_ shard: ShardID) -> Bool {
    events.contains { if case .shardsMerged(let event) = $0 { event.absorbed == shard } else { false } }
  }
}
