package import MusterBytes
package import MusterCluster

/// A replica as others reach it.
package struct ReplicaLink: FieldMessage, Hashable {
  package var node: NodeID = 0
  package var name = ""
  /// Where its data is reached; empty while its node has not said.
  package var address = ""
  /// It copies from the replica that is told this.
  package var isReader = false

  package init() {}

  package mutating func visit<V: FieldVisitor & ~Copyable>(_ fields: inout V) throws(WireError) {
    try fields.uint32(1, &node)
    try fields.string(2, &name, max: Limits.nameBytes)
    try fields.string(3, &address, max: Limits.addressBytes)
    try fields.bool(4, &isReader)
  }
}

/// Who copies from whom, as far as one replica is concerned.
package struct ReplicaLinks: FieldMessage, Hashable {
  /// Whom it copies from; nil for a leader and while nobody leads.
  package var source: ReplicaLink?
  /// The other replicas of the shard.
  package var others: [ReplicaLink] = []
  /// Replicas of a shard that is being split from this one.
  package var copies: [ReplicaLink] = []
  /// For a leader whose shard absorbs another: that one's leader.
  package var absorbed: ReplicaLink?

  package init() {}

  package mutating func visit<V: FieldVisitor & ~Copyable>(_ fields: inout V) throws(WireError) {
    try fields.message(1, &source)
    try fields.messages(2, &others, count: Limits.replicaSlots)
    try fields.messages(3, &copies, count: Limits.replicaSlots)
    try fields.message(4, &absorbed)
  }
}
