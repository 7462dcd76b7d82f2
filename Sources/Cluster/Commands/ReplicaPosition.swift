package import MusterBytes

/// How far a replica is that promised the epoch of an election.
///
/// A position is comparable within one history only (the stream of writes that one leader began); of two histories the
/// later one counts for more.
package struct ReplicaPosition: FieldMessage, Hashable {
  package var shard: ShardID = 0
  package var epoch: UInt32 = 0
  package var history: UInt64 = 0
  package var offset: UInt64 = 0

  package init() {}
  package init(shard: ShardID, epoch: UInt32, history: UInt64 = 0, offset: UInt64 = 0) {
    self.shard = shard
    self.epoch = epoch
    self.history = history
    self.offset = offset
  }

  /// `epoch 1, at 120`; of the third start in that epoch `epoch 1.2, at 120`.
  package var words: String { ReplicaPosition.words(history: history, offset: offset) }

  package static func words(history: UInt64, offset: UInt64) -> String {
    let (epoch, run) = (history >> 32, history & 0xffff_ffff)
    return "epoch \(epoch)\(run == 0 ? "" : ".\(run)"), at \(offset)"
  }

  package mutating func visit<V: FieldVisitor & ~Copyable>(_ fields: inout V) throws(WireError) {
    try fields.uint32(1, &shard)
    try fields.uint32(2, &epoch)
    try fields.uint64(3, &history)
    try fields.uint64(4, &offset)
  }
}
