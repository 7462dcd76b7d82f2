package import MusterBytes

package struct ReplicaReport: FieldMessage, Hashable {
  package var node = ""
  package var role = ReplicaRole.leader
  package var isInSync = false
  package var isOpened = false
  /// Its node has said that the data is gone: it is no copy until it has everything again.
  package var isEmptied = false
  /// What its node says of it; only now, and only from a running server.
  package var status: ReplicaStatus?

  package init() {}

  package mutating func visit<V: FieldVisitor & ~Copyable>(_ fields: inout V) throws(WireError) {
    try fields.string(1, &node, max: Limits.nameBytes)
    try fields.enumeration(2, &role)
    try fields.bool(3, &isInSync)
    try fields.bool(4, &isOpened)
    try fields.message(5, &status)
    try fields.bool(30, &isEmptied)
  }
}

/// A move as people see it.
package struct MoveReport: FieldMessage, Hashable {
  package var id: MoveID = 0
  /// Empty when a replica is added and none goes.
  package var source = ""
  /// Empty when a replica goes and none comes.
  package var target = ""
  package var step = MoveStep.catchingUp
  package var purpose = MovePurpose.order
  package var started: Revision = 0
  /// Of a split the shard that is made, as `orders/12`; empty of any other move.
  package var child = ""
  /// Of a merge the two shards, as `orders/5`: which stays, and which goes into it; empty of any other move.
  package var survivor = ""
  package var absorbed = ""
  package var isPaused = false

  package init() {}

  package mutating func visit<V: FieldVisitor & ~Copyable>(_ fields: inout V) throws(WireError) {
    try fields.uint32(1, &id)
    try fields.string(2, &source, max: Limits.nameBytes)
    try fields.string(3, &target, max: Limits.nameBytes)
    try fields.enumeration(4, &step)
    try fields.uint64(5, &started)
    try fields.enumeration(6, &purpose)
    try fields.string(20, &child, max: Limits.pathBytes)
    try fields.string(21, &survivor, max: Limits.pathBytes)
    try fields.string(22, &absorbed, max: Limits.pathBytes)
    try fields.bool(23, &isPaused)
  }
}

/// A shard as people and clients see it.
package struct ShardReport: FieldMessage, Hashable {
  package var id: ShardID = 0
  package var collection = ""
  package var index: UInt32 = 0
  package var epoch: UInt32 = 0
  /// Empty when nobody leads.
  package var leader = ""
  package var replicas: [ReplicaReport] = []
  package var move: MoveReport?
  package var changed: Revision = 0
  /// Who the leader hands over to; empty when to nobody.
  package var heir = ""
  /// The keys that it owns; of a shard that is being made, those that it will.
  package var range = KeyRange()

  package init() {}

  /// It is being made by a split, and owns no key yet.
  package var isMaking: Bool { epoch == 0 && !replicas.isEmpty }

  /// `orders/17`.
  package var name: String { "\(collection)/\(index)" }

  package mutating func visit<V: FieldVisitor & ~Copyable>(_ fields: inout V) throws(WireError) {
    try fields.uint32(1, &id)
    try fields.string(2, &collection, max: Limits.nameBytes)
    try fields.uint32(3, &index)
    try fields.uint32(4, &epoch)
    try fields.string(5, &leader, max: Limits.nameBytes)
    try fields.messages(6, &replicas, count: Limits.replicaSlots)
    try fields.message(7, &move)
    try fields.uint64(8, &changed)
    try fields.string(9, &heir, max: Limits.nameBytes)
    try fields.message(20, &range)
  }
}

extension State {
  package func report(shard id: ShardID) -> ShardReport {
    let row = shards[id]
    var report = ShardReport()
    report.id = id
    report.collection = collectionName(row.collection)
    report.index = row.index
    report.epoch = row.epoch
    report.leader = row.leader == 0 ? "" : nodeName(row.leader)
    report.replicas = row.replicas.map {
      var replica = ReplicaReport()
      replica.node = nodeName($0.node)
      replica.role = $0.role
      replica.isInSync = $0.isInSync
      replica.isOpened = $0.isOpened
      replica.isEmptied = $0.isEmptied
      return replica
    }
    if let move = moves.row(row.move) { report.move = self.report(move: row.move, move) }
    if let collection = collections.row(row.collection) { report.range = collection.range(of: row.index) }
    report.changed = row.changed
    report.heir = row.heir == 0 ? "" : nodeName(row.heir)
    return report
  }

  private func report(move id: MoveID, _ row: MoveRow) -> MoveReport {
    var report = MoveReport()
    report.id = id
    report.source = row.source == 0 ? "" : nodeName(row.source)
    report.purpose = row.purpose
    report.target = row.target == 0 ? "" : nodeName(row.target)
    report.step = row.step
    report.isPaused = row.isPaused
    report.started = row.started
    report.child = row.isSplit ? shardName(row.child) : ""
    if row.isMerge { (report.survivor, report.absorbed) = (shardName(row.shard), shardName(row.absorbed)) }
    return report
  }
}
