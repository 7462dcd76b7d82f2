package import MusterBytes

/// What a node says of a replica that it hosts. Soft state, like a sign of life: it is shown, and decided by, and never
/// logged itself.
package struct ReplicaStatus: FieldMessage, Hashable {
  package var shard: ShardID = 0
  /// Where clients and other replicas reach its data, as HOST:PORT; empty when it is not reachable.
  package var address = ""
  /// What an operator should know; empty when all is well.
  package var problem = ""
  package var position: ReplicaPosition?
  /// What its data takes.
  package var bytes: UInt64 = 0
  /// While it copies: how much there is to copy in all.
  package var bytesToCopy: UInt64 = 0
  /// While it copies: how fast it has been since it began. The server's to say: it hears of every step.
  package var bytesPerSecond: UInt64 = 0
  /// Of its data at a position; empty when there is none yet.
  package var checksum = ""
  package var checksumPosition: ReplicaPosition?

  package static let checksumBytes = 64

  package init() {}
  package init(shard: ShardID) { self.shard = shard }

  package mutating func visit<V: FieldVisitor & ~Copyable>(_ fields: inout V) throws(WireError) {
    try fields.uint32(1, &shard)
    try fields.string(2, &address, max: Limits.addressBytes)
    try fields.string(3, &problem, max: Limits.reasonBytes)
    try fields.message(4, &position)
    try fields.uint64(5, &bytes)
    try fields.uint64(6, &bytesToCopy)
    try fields.string(7, &checksum, max: ReplicaStatus.checksumBytes)
    try fields.message(8, &checksumPosition)
    try fields.uint64(9, &bytesPerSecond)
  }

  /// How long the copy takes still at the rate it had so far; nil when nothing is copied or nobody can tell.
  package var secondsLeft: UInt64? {
    guard bytesToCopy > 0, bytesPerSecond > 0 else { return nil }
    return (bytesToCopy - min(bytes, bytesToCopy)) / bytesPerSecond
  }
}
