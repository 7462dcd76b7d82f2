package import MusterBytes

/// Splits a shard: half of its keys go to a new one.
package struct SplitShard: FieldMessage, Hashable {
  package var collection = ""
  package var index: UInt32 = 0

  package init() {}
  package init(collection: String, index: UInt32) {
    self.collection = collection
    self.index = index
  }

  package mutating func visit<V: FieldVisitor & ~Copyable>(_ fields: inout V) throws(WireError) {
    try fields.string(1, &collection, max: Limits.nameBytes)
    try fields.uint32(2, &index)
  }
}

/// Brings a collection to so many shards: by splits to more, by merges to fewer.
package struct SetShardCount: FieldMessage, Hashable {
  package var name = ""
  package var shards: UInt32 = 0

  package init() {}
  package init(name: String, shards: UInt32) {
    self.name = name
    self.shards = shards
  }

  package mutating func visit<V: FieldVisitor & ~Copyable>(_ fields: inout V) throws(WireError) {
    try fields.string(1, &name, max: Limits.nameBytes)
    try fields.uint32(2, &shards)
  }
}

/// A leader that was asked to pause for a split says that copies of the child have everything, and that nothing is added
/// any more.
package struct SplitWord: FieldMessage, Hashable {
  package var shard: ShardID = 0
  package var epoch: UInt32 = 0
  /// The revision that asked for it: what was withdrawn meanwhile is void, also when it is asked again.
  package var since: Revision = 0
  /// Where the copies are that have everything.
  package var nodes: [NodeID] = []

  package init() {}
  package init(shard: ShardID, epoch: UInt32, since: Revision, nodes: [NodeID]) {
    self.shard = shard
    self.epoch = epoch
    self.since = since
    self.nodes = nodes
  }

  package mutating func visit<V: FieldVisitor & ~Copyable>(_ fields: inout V) throws(WireError) {
    try fields.uint32(1, &shard)
    try fields.uint32(2, &epoch)
    try fields.uint64(3, &since)
    try fields.packed(4, &nodes, count: Limits.replicaSlots)
  }
}

/// A leader says that its shard has no keys any more outside of a range.
package struct PruneWord: FieldMessage, Hashable {
  package var shard: ShardID = 0
  package var epoch: UInt32 = 0
  package var range = KeyRange()

  package init() {}
  package init(shard: ShardID, epoch: UInt32, range: KeyRange) {
    self.shard = shard
    self.epoch = epoch
    self.range = range
  }

  package mutating func visit<V: FieldVisitor & ~Copyable>(_ fields: inout V) throws(WireError) {
    try fields.uint32(1, &shard)
    try fields.uint32(2, &epoch)
    try fields.message(3, &range)
  }
}
