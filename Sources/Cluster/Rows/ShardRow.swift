package import MusterBytes

/// A shard: where its replicas are and who leads it. All in place, 64 bytes, since there may be millions.
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

  package init() {}
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
  }
}
