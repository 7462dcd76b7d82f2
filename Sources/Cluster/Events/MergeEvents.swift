// What happened when shards were put together.

package import MusterBytes

/// Two shards whose ranges are the halves of one are to be put together: the first copies the keys of the other.
package struct MergeStarted: FieldMessage, Hashable {
  package var move: MoveID = 0
  /// The survivor.
  package var shard: ShardID = 0
  /// The shard whose keys go into it, and which is gone then.
  package var absorbed: ShardID = 0
  package var collection: CollectionID = 0
  package var purpose = MovePurpose.order

  package init() {}

  package mutating func visit<V: FieldVisitor & ~Copyable>(_ fields: inout V) throws(WireError) {
    try fields.uint32(1, &move)
    try fields.uint32(2, &shard)
    try fields.uint32(3, &absorbed)
    try fields.uint32(4, &collection)
    try fields.enumeration(5, &purpose)
  }
}

/// A merge came to another step: the absorbed shard's leader was asked to pause, said that it did, or may go on; or the
/// merge was called off.
package struct MergeAdvanced: FieldMessage, Hashable {
  package var move: MoveID = 0
  package var step = MoveStep.catchingUp
  package var shard: ShardID = 0
  package var absorbed: ShardID = 0
  package var collection: CollectionID = 0
  /// The epoch in which the absorbed shard's leader said that it is paused; 0 in all other steps.
  package var epoch: UInt32 = 0

  package init() {}
  package init(
    move: MoveID, step: MoveStep, shard: ShardID, absorbed: ShardID, collection: CollectionID, epoch: UInt32 = 0
  ) {
    self.move = move
    self.step = step
    self.shard = shard
    self.absorbed = absorbed
    self.collection = collection
    self.epoch = epoch
  }

  package mutating func visit<V: FieldVisitor & ~Copyable>(_ fields: inout V) throws(WireError) {
    try fields.uint32(1, &move)
    try fields.enumeration(2, &step)
    try fields.uint32(3, &shard)
    try fields.uint32(4, &absorbed)
    try fields.uint32(5, &collection)
    try fields.uint32(6, &epoch)
  }
}

/// The cut: from now on the survivor owns both ranges, and the absorbed shard has no replicas. The same commit begins a new
/// epoch of the survivor.
package struct ShardsMerged: FieldMessage, Hashable {
  package var move: MoveID = 0
  package var shard: ShardID = 0
  package var absorbed: ShardID = 0
  package var collection: CollectionID = 0
  /// What the survivor owns now.
  package var range = KeyRange()
  /// How many shards of the collection own keys now.
  package var shards: UInt32 = 0

  package init() {}

  package mutating func visit<V: FieldVisitor & ~Copyable>(_ fields: inout V) throws(WireError) {
    try fields.uint32(1, &move)
    try fields.uint32(2, &shard)
    try fields.uint32(3, &absorbed)
    try fields.uint32(4, &collection)
    try fields.message(5, &range)
    try fields.uint32(6, &shards)
  }
}
