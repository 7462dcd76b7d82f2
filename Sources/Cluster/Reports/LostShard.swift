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
  /// What may be lost, in words.
  package var loss = ""

  package init() {}

  package mutating func visit<V: FieldVisitor & ~Copyable>(_ fields: inout V) throws(WireError) {
    try fields.string(1, &shard, max: Limits.pathBytes)
    try fields.strings(2, &missing, max: Limits.nameBytes, count: Limits.replicaSlots)
    try fields.strings(3, &survivors, max: Limits.nameBytes, count: Limits.replicaSlots)
    try fields.string(4, &loss, max: Limits.reasonBytes)
  }
}

extension State {
  /// - Complexity: O(shards); at most as many as one answer holds.
  func lostShards() -> [LostShard] {
    var lost: [LostShard] = []
    shards.forEach { id, row in
      guard lost.count < Answer.rowsMax, isBeyondElection(row) else { return }
      var report = LostShard()
      report.shard = shardName(id)
      report.missing = row.replicas.filter { $0.isInSync && !nodes[$0.node].state.isAlive }.map { nodeName($0.node) }
      let living = row.replicas.filter { nodes[$0.node].state.isAlive }
      report.survivors = living.sorted { rank($0) < rank($1) }.map { nodeName($0.node) }
      report.loss = loss(row, missing: report.missing.joined(separator: ", "), anyLives: !living.isEmpty)
      lost.append(report)
    }
    return lost
  }

  private func loss(_ row: ShardRow, missing: String, anyLives: Bool) -> String {
    if !anyLives { return "everything, unless one of \(missing) comes back" }
    guard collections[row.collection].mayMissWrites(row) else { return "what only \(missing) acknowledged" }
    let gone = "replicas whose data is gone (\(row.lostCopies))"
    return missing.isEmpty ? "what only \(gone) acknowledged" : "what only \(missing) or \(gone) acknowledged"
  }

  /// In sync before behind, voters before learners.
  private func rank(_ replica: Replica) -> (Int, Int, NodeID) {
    (replica.isInSync ? 0 : 1, replica.role == .learner ? 1 : 0, replica.node)
  }
}
