// What happened to the key ranges of shards.

package import MusterBytes

/// A shard is to be split: another is made on its nodes, whose replicas copy from its own and count for nothing yet.
package struct SplitStarted: FieldMessage, Hashable {
  package var move: MoveID = 0
  package var shard: ShardID = 0
  package var collection: CollectionID = 0
  /// The shard that is made, and its place within the collection.
  package var child: ShardID = 0
  package var index: UInt32 = 0
  /// What it will own.
  package var range = KeyRange()
  package var nodes: [NodeID] = []
  package var purpose = MovePurpose.order

  package init() {}

  package mutating func visit<V: FieldVisitor & ~Copyable>(_ fields: inout V) throws(WireError) {
    try fields.uint32(1, &move)
    try fields.uint32(2, &shard)
    try fields.uint32(3, &collection)
    try fields.uint32(4, &child)
    try fields.uint32(5, &index)
    try fields.message(6, &range)
    try fields.packed(7, &nodes, count: Limits.replicas)
    try fields.enumeration(8, &purpose)
  }
}

/// A split came to another step: its leader was asked to pause, or may go on; or it is over.
package struct SplitAdvanced: FieldMessage, Hashable {
  package var move: MoveID = 0
  package var step = MoveStep.catchingUp
  package var shard: ShardID = 0
  package var child: ShardID = 0
  package var collection: CollectionID = 0

  package init() {}
  package init(move: MoveID, step: MoveStep, shard: ShardID, child: ShardID, collection: CollectionID) {
    self.move = move
    self.step = step
    self.shard = shard
    self.child = child
    self.collection = collection
  }

  package mutating func visit<V: FieldVisitor & ~Copyable>(_ fields: inout V) throws(WireError) {
    try fields.uint32(1, &move)
    try fields.enumeration(2, &step)
    try fields.uint32(3, &shard)
    try fields.uint32(4, &child)
    try fields.uint32(5, &collection)
  }
}

/// The cut: from now on the child owns its range. The same commit says who is in sync and who leads, in a new epoch of
/// both.
package struct ShardSplit: FieldMessage, Hashable {
  package var move: MoveID = 0
  package var shard: ShardID = 0
  package var child: ShardID = 0
  package var collection: CollectionID = 0
  /// How many shards of the collection own keys now.
  package var shards: UInt32 = 0
  /// The raise of the minimum in sync that the child's data holds: its parent's.
  package var raise: UInt32 = 0

  package init() {}
  package init(move: MoveID, shard: ShardID, child: ShardID, collection: CollectionID, shards: UInt32, raise: UInt32) {
    self.raise = raise
    self.move = move
    self.shard = shard
    self.child = child
    self.collection = collection
    self.shards = shards
  }

  package mutating func visit<V: FieldVisitor & ~Copyable>(_ fields: inout V) throws(WireError) {
    try fields.uint32(1, &move)
    try fields.uint32(2, &shard)
    try fields.uint32(3, &child)
    try fields.uint32(4, &collection)
    try fields.uint32(5, &shards)
    try fields.uint32(6, &raise)
  }
}

/// A shard has no keys any more but those that it owns.
package struct ShardPruned: FieldMessage, Hashable {
  package var shard: ShardID = 0
  package var collection: CollectionID = 0

  package init() {}
  package init(shard: ShardID, collection: CollectionID) {
    self.shard = shard
    self.collection = collection
  }

  package mutating func visit<V: FieldVisitor & ~Copyable>(_ fields: inout V) throws(WireError) {
    try fields.uint32(1, &shard)
    try fields.uint32(2, &collection)
  }
}

/// A collection is to have so many shards: its widest are split, or its narrowest put together, until it has them. With 0
/// it stays as it is.
package struct ShardCountWanted: FieldMessage, Hashable {
  package var collection: CollectionID = 0
  package var shards: UInt32 = 0
  /// It has more now.
  package var isFewer = false

  package init() {}
  package init(collection: CollectionID, shards: UInt32, isFewer: Bool = false) {
    self.collection = collection
    self.shards = shards
    self.isFewer = isFewer
  }

  package mutating func visit<V: FieldVisitor & ~Copyable>(_ fields: inout V) throws(WireError) {
    try fields.uint32(1, &collection)
    try fields.uint32(2, &shards)
    try fields.bool(3, &isFewer)
  }
}
