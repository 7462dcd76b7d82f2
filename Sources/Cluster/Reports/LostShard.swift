package import MusterBytes

/// Which shards no election can bring back.
package struct RecoveryQuestion: FieldMessage, Hashable {
  package init() {}
  package mutating func visit<V: FieldVisitor & ~Copyable>(_ fields: inout V) throws(WireError) {}
}

/// A shard that lost so many replicas that whoever leads next may miss what was acknowledged.
package struct LostShard: FieldMessage, Hashable {
  package var shard = ""
  /// Nodes with replicas in sync that are not there.
  package var missing: [String] = []
  /// Nodes with replicas that live, the best first.
  package var survivors: [String] = []
  /// What may be lost when the first survivor leads, in words, and what loses less.
  package var loss = ""
  /// Where nobody that lives has any data: the node on which the shard could begin anew; empty where there is none.
  package var emptyOn = ""

  package init() {}

  package mutating func visit<V: FieldVisitor & ~Copyable>(_ fields: inout V) throws(WireError) {
    try fields.string(1, &shard, max: Limits.pathBytes)
    try fields.strings(2, &missing, max: Limits.nameBytes, count: Limits.replicaSlots)
    try fields.strings(3, &survivors, max: Limits.nameBytes, count: Limits.replicaSlots)
    try fields.string(4, &loss, max: Limits.reasonBytes)
    try fields.string(40, &emptyOn, max: Limits.nameBytes)
  }
}

extension State {
  /// - Complexity: O(shards); at most as many as one answer holds.
  package func lostShards() -> [LostShard] {
    var lost: [LostShard] = []
    shards.forEach { id, row in
      guard lost.count < Answer.rowsMax, isBeyondElection(row) else { return }
      lost.append(lostShard(id, row))
    }
    return lost
  }

  private func lostShard(_ id: ShardID, _ row: ShardRow) -> LostShard {
    var report = LostShard()
    report.shard = shardName(id)
    report.missing = row.replicas.filter { $0.isCopy && !nodes[$0.node].state.isAlive }.map { nodeName($0.node) }
    let living = row.replicas.filter { nodes[$0.node].state.isAlive }.sorted { rank($0) < rank($1) }
    report.survivors = living.map { nodeName($0.node) }
    if !living.contains(where: \.mayHaveData) { report.emptyOn = emptyPlace(row, living) }
    let words = [loss(row, living.first, report.missing), rescue(row, report.missing)]
    report.loss = words.filter { !$0.isEmpty }.joined(separator: "; ").clipped(to: Limits.reasonBytes)
    return report
  }

  /// A node that lives and has a replica, or else the one with the least to carry that may have one.
  private func emptyPlace(_ row: ShardRow, _ living: [Replica]) -> String {
    if let first = living.first(where: { $0.role != .learner }) ?? living.first { return nodeName(first.node) }
    let policy = collections[row.collection].policy
    let away = nodesKeptAway(by: policy)
    var best: (replicas: UInt32, node: NodeID)?
    nodes.forEach { id, node in
      guard node.takesReplicas, policy.unmetRule(node.labels) == nil, away[id] == nil || away[id] == row.collection,
        policy.spread.allSatisfy({ $0.isPreference || load(id).domain($0.level) != 0 })
      else { return }
      let count = load(id).replicas
      if best.map({ count < $0.replicas }) ?? true { best = (count, id) }
    }
    return best.map { nodeName($0.node) } ?? ""
  }

  /// What is lost when a replica leads that is the best of those that live.
  private func loss(_ row: ShardRow, _ best: Replica?, _ missing: [String]) -> String {
    guard let best else { return missing.isEmpty ? "everything: nobody is left" : "everything, unless one comes back" }
    let name = nodeName(best.node)
    switch Survival(best) {
    case .inSync:
      let known = missing.isEmpty ? [] : [missing.joined(separator: ", ")]
      let gone =
        collections[row.collection].mayMissWrites(row) ? ["replicas whose data is gone (\(row.lostCopies))"] : []
      let holders = (known + gone).joined(separator: " or ")
      return holders.isEmpty ? "nothing that is known: \(name) is in sync" : "what only \(holders) acknowledged"
    case .behind:
      let gone = "everything if it is one of the replicas whose data is gone (\(row.lostCopies))"
      return "what was written since \(name) fell behind" + (row.lostCopies > 0 ? ", " + gone : "")
    case .unopened: return "everything, as far as is known: \(name) has not said that it has any data"
    case .learner: return "everything that had not come to \(name) yet: it is a learner that never was in sync"
    case .empty: return "everything: \(name) never had the data"
    case .emptied: return "everything, as far as is known: \(name) said that its data is gone"
    }
  }

  /// Who should come back, so that less is lost or nothing.
  private func rescue(_ row: ShardRow, _ missing: [String]) -> String {
    guard !missing.isEmpty else { return "" }
    let living = row.replicas.count { $0.isVotingCopy && nodes[$0.node].state.isAlive }
    let needed = max(1, row.answersNeeded(collections[row.collection]) - living)
    let back =
      needed >= missing.count ? missing.joined(separator: " and ") : "\(needed) of \(missing.joined(separator: ", "))"
    let it = needed == 1 && missing.count == 1 ? "it loses" : "that loses"
    // What only lost copies had does not come back with anybody.
    let what = collections[row.collection].mayMissWrites(row) ? "less" : "nothing"
    return "bring \(back) back: \(it) \(what)"
  }

  /// The better first; of equals the lower node.
  private func rank(_ replica: Replica) -> (Int, NodeID) { (Survival(replica).rawValue, replica.node) }
}

/// What is known of the data of a replica that lives, the best first.
private enum Survival: Int {
  case inSync
  /// It has a vote and some data, and not all.
  case behind
  /// It has a vote, and has not opened its replica since it was made or since its data was lost.
  case unopened
  /// It copies, and was not done.
  case learner
  case empty
  /// It said that its data is gone, and nobody that it was copied anew.
  case emptied

  init(_ replica: Replica) {
    guard !replica.isEmptied else {
      self = .emptied
      return
    }
    self =
      switch (replica.isInSync, replica.role == .learner, replica.isOpened) {
      case (true, _, _): .inSync
      case (false, false, true): .behind
      case (false, false, false): .unopened
      case (false, true, true): .learner
      case (false, true, false): .empty
      }
  }
}
