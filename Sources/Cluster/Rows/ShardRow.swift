package import MusterBytes

extension ShardRow {
  /// How many of those in sync must have answered in an election, so that among them is one that has whatever was
  /// acknowledged.
  ///
  /// With a minimum of k any k of the n in sync may have acknowledged a write: all but k − 1 of them must answer. Without
  /// a minimum every replica in sync acknowledges each write, so any one has them all.
  package func answersNeeded(_ collection: CollectionRow) -> Int {
    let minimum = collection.minimum(of: self)
    guard minimum > 0, !Mutant.isOn(.minorityElection) else { return 1 }
    return max(1, replicas.count(where: \.isVoterInSync) - Int(minimum) + 1)
  }
}

extension ShardRow {
  /// The policy wants every replica that there is, also one that a move should take away: it may want more than when the
  /// move began.
  package func isNoneTooMuch(_ policy: Policy) -> Bool { replicas.count <= Int(policy.replicas) }
}

extension State {
  /// Nobody leads the shard, and too few of those in sync live or have their data still to elect anybody without losing
  /// any.
  package func isBeyondElection(_ row: ShardRow) -> Bool {
    guard row.replicas.count > 0, !row.isMaking, row.leader == 0 || nodes[row.leader].state == .down else {
      return false
    }
    let collection = collections[row.collection]
    let living = row.replicas.count { $0.isVotingCopy && nodes[$0.node].state.isAlive }
    let anyLives = row.replicas.contains { $0.role != .learner && !$0.isEmptied && nodes[$0.node].state.isAlive }
    let isShort = living < row.answersNeeded(collection) || collection.mayMissWrites(row)
    return isShort && !(collection.policy.allowsUncleanElection && anyLives)
  }
}

/// A shard: where its replicas are and who leads it. All in place, 88 bytes, since there may be millions.
package struct ShardRow: TableRow {
  package static let table = TableID.shards

  package var collection: CollectionID = 0
  /// Its place within the collection, from 0.
  package var index: UInt32 = 0
  /// The generation of its leadership: it grows with every election.
  package var epoch: UInt32 = 0
  /// 0 when nobody leads.
  package var leader: NodeID = 0
  /// The move under way, or 0.
  package var move: MoveID = 0
  package var replicas = ReplicaList()
  package var changed: Revision = 0
  /// Who the leader was asked to hand over to, or 0; and since when: its answer names that revision.
  package var heir: NodeID = 0
  /// Which raise of its collection's minimum in sync its leader has said to hold.
  package var minimumRaise: UInt32 = 0
  package var heirSince: Revision = 0
  /// How many copies of what was acknowledged were lost since a leader last said that enough have everything.
  package var lostCopies: UInt32 = 0

  package init() {}

  /// It came of a split that is under way: its replicas copy its parent's data, and nobody leads it before it owns keys.
  package var isMaking: Bool { epoch == 0 && replicas.count > 0 }
  package init(collection: CollectionID, index: UInt32) {
    self.collection = collection
    self.index = index
  }

  package mutating func visit<V: FieldVisitor & ~Copyable>(_ fields: inout V) throws(WireError) {
    try fields.uint32(1, &collection)
    try fields.uint32(2, &index)
    try fields.uint32(3, &epoch)
    try fields.uint32(4, &leader)
    try fields.uint32(5, &move)
    try fields.packed(6, &replicas)
    try fields.uint64(7, &changed)
    try fields.uint32(8, &heir)
    try fields.uint64(9, &heirSince)
    try fields.uint32(10, &minimumRaise)
    try fields.uint32(11, &lostCopies)
    try fields.uint32(30, &replicas.emptied)
  }
}
