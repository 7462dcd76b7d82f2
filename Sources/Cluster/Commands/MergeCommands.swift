package import MusterBytes

/// Puts a shard together with the one that owns the other half of their range.
package struct MergeShards: FieldMessage, Hashable {
  package var collection = ""
  /// Either of the two.
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

/// The leader of a shard that is to be absorbed says that it takes no write any more.
package struct PauseWord: FieldMessage, Hashable {
  package var shard: ShardID = 0
  package var epoch: UInt32 = 0
  /// The revision that asked for it: what was withdrawn meanwhile is void, also when it is asked again.
  package var since: Revision = 0

  package init() {}
  package init(shard: ShardID, epoch: UInt32, since: Revision) {
    self.shard = shard
    self.epoch = epoch
    self.since = since
  }

  package mutating func visit<V: FieldVisitor & ~Copyable>(_ fields: inout V) throws(WireError) {
    try fields.uint32(1, &shard)
    try fields.uint32(2, &epoch)
    try fields.uint64(3, &since)
  }
}

/// The leader of a shard that absorbs another says how far it is.
package struct AbsorbWord: FieldMessage, Hashable {
  /// The survivor, and the epoch in which it is led.
  package var shard: ShardID = 0
  package var epoch: UInt32 = 0
  /// The revision of the step that it speaks of.
  package var since: Revision = 0
  /// The epoch of the absorbed shard whose leader is paused; 0 while none is.
  package var absorbedEpoch: UInt32 = 0
  /// It has everything that the absorbed shard's leader had when it paused, and its followers acknowledged it. Otherwise
  /// little is left to copy.
  package var hasEverything = false

  package init() {}
  package init(shard: ShardID, epoch: UInt32, since: Revision, absorbedEpoch: UInt32, hasEverything: Bool) {
    self.shard = shard
    self.epoch = epoch
    self.since = since
    self.absorbedEpoch = absorbedEpoch
    self.hasEverything = hasEverything
  }

  package mutating func visit<V: FieldVisitor & ~Copyable>(_ fields: inout V) throws(WireError) {
    try fields.uint32(1, &shard)
    try fields.uint32(2, &epoch)
    try fields.uint64(3, &since)
    try fields.uint32(4, &absorbedEpoch)
    try fields.bool(5, &hasEverything)
  }
}
