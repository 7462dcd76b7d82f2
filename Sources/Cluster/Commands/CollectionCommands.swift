// What may be asked about collections and shards.

package import MusterBytes

package struct CreateCollection: FieldMessage, Hashable {
  package var name = ""
  package var shards: UInt32 = 0
  package var policy = Policy()
  package var labels: [Label] = []
  package var tenant = ""

  package init() {}
  package init(name: String, shards: UInt32, policy: Policy, labels: [Label], tenant: String) {
    self.name = name
    self.shards = shards
    self.policy = policy
    self.labels = labels
    self.tenant = tenant
  }

  package mutating func visit<V: FieldVisitor & ~Copyable>(_ fields: inout V) throws(WireError) {
    try fields.string(1, &name, max: Limits.nameBytes)
    try fields.uint32(2, &shards)
    try fields.message(3, &policy)
    try fields.messages(4, &labels, count: Limits.labels)
    try fields.string(5, &tenant, max: Limits.nameBytes)
  }
}

/// The policy and labels as they shall be.
package struct ChangeCollection: FieldMessage, Hashable {
  package var name = ""
  package var policy = Policy()
  package var labels: [Label] = []

  package init() {}
  package init(name: String, policy: Policy, labels: [Label]) {
    self.name = name
    self.policy = policy
    self.labels = labels
  }

  package mutating func visit<V: FieldVisitor & ~Copyable>(_ fields: inout V) throws(WireError) {
    try fields.string(1, &name, max: Limits.nameBytes)
    try fields.message(2, &policy)
    try fields.messages(3, &labels, count: Limits.labels)
  }
}

package struct DeleteCollection: FieldMessage, Hashable {
  package var name = ""

  package init() {}
  package init(name: String) {
    self.name = name
  }

  package mutating func visit<V: FieldVisitor & ~Copyable>(_ fields: inout V) throws(WireError) {
    try fields.string(1, &name, max: Limits.nameBytes)
  }
}

/// The placement controller continues a collection that one commit could not place.
package struct PlaceShards: FieldMessage, Hashable {
  package var collection: CollectionID = 0

  package init() {}
  package init(collection: CollectionID) {
    self.collection = collection
  }

  package mutating func visit<V: FieldVisitor & ~Copyable>(_ fields: inout V) throws(WireError) {
    try fields.uint32(1, &collection)
  }
}

package struct ElectLeader: FieldMessage, Hashable {
  package var collection = ""
  package var index: UInt32 = 0
  package var node = ""

  package init() {}
  package init(collection: String, index: UInt32, node: String) {
    self.collection = collection
    self.index = index
    self.node = node
  }

  package mutating func visit<V: FieldVisitor & ~Copyable>(_ fields: inout V) throws(WireError) {
    try fields.string(1, &collection, max: Limits.nameBytes)
    try fields.uint32(2, &index)
    try fields.string(3, &node, max: Limits.nameBytes)
  }
}

package struct StartMove: FieldMessage, Hashable {
  package var collection = ""
  package var index: UInt32 = 0
  /// Empty when a replica shall be added and none goes.
  package var source = ""
  /// Empty when a replica too many shall go and none comes.
  package var target = ""
  package var purpose = MovePurpose.order
  /// It begins when the budgets of its purpose have room.
  package var isWaiting = false

  package init() {}
  package init(
    collection: String, index: UInt32, source: String, target: String, purpose: MovePurpose = .order,
    isWaiting: Bool = false
  ) {
    self.collection = collection
    self.index = index
    self.source = source
    self.target = target
    self.purpose = purpose
    self.isWaiting = isWaiting
  }

  package mutating func visit<V: FieldVisitor & ~Copyable>(_ fields: inout V) throws(WireError) {
    try fields.string(1, &collection, max: Limits.nameBytes)
    try fields.uint32(2, &index)
    try fields.string(3, &source, max: Limits.nameBytes)
    try fields.string(4, &target, max: Limits.nameBytes)
    try fields.enumeration(5, &purpose)
    try fields.bool(6, &isWaiting)
  }
}

/// Takes a move to its next step, or calls it off. With the step where it is: pauses it, or lets it go on.
package struct AdvanceMove: FieldMessage, Hashable {
  package var move: MoveID = 0
  package var step = MoveStep.catchingUp
  package var isPaused = false

  package init() {}
  package init(move: MoveID, step: MoveStep, isPaused: Bool = false) {
    self.move = move
    self.step = step
    self.isPaused = isPaused
  }

  package mutating func visit<V: FieldVisitor & ~Copyable>(_ fields: inout V) throws(WireError) {
    try fields.uint32(1, &move)
    try fields.enumeration(2, &step)
    try fields.bool(20, &isPaused)
  }
}

/// The election controller asks that shards whose leaders are lost be fenced: their replicas promise the next epoch.
package struct StartElections: FieldMessage, Hashable {
  package var shards: [ShardID] = []

  package init() {}
  package init(shards: [ShardID]) { self.shards = shards }

  package mutating func visit<V: FieldVisitor & ~Copyable>(_ fields: inout V) throws(WireError) {
    try fields.packed(1, &shards, count: Limits.shardsPerReport)
  }
}

/// The election controller knows how far the replicas are, and chose one.
package struct ConcludeElection: FieldMessage, Hashable {
  package var shard: ShardID = 0
  package var node: NodeID = 0
  /// The epoch that was promised: another election since then makes this one void.
  package var epoch: UInt32 = 0
  /// The replica is not in sync, and acknowledged data may be lost: only where the policy allows it.
  package var isUnclean = false

  package init() {}
  package init(shard: ShardID, node: NodeID, epoch: UInt32, isUnclean: Bool = false) {
    self.shard = shard
    self.node = node
    self.epoch = epoch
    self.isUnclean = isUnclean
  }

  package mutating func visit<V: FieldVisitor & ~Copyable>(_ fields: inout V) throws(WireError) {
    try fields.uint32(1, &shard)
    try fields.uint32(2, &node)
    try fields.uint32(3, &epoch)
    try fields.bool(4, &isUnclean)
  }
}

/// A replica whose checksum is the odd one out is copied anew. A leader's replica never is: it hands over first.
package struct RebuildReplica: FieldMessage, Hashable {
  package var shard: ShardID = 0
  package var node: NodeID = 0

  package init() {}
  package init(shard: ShardID, node: NodeID) {
    self.shard = shard
    self.node = node
  }

  package mutating func visit<V: FieldVisitor & ~Copyable>(_ fields: inout V) throws(WireError) {
    try fields.uint32(1, &shard)
    try fields.uint32(2, &node)
  }
}

/// Replicas on a node that is down leave the in-sync sets, so that their leaders need not wait for them.
package struct ShrinkInSync: FieldMessage, Hashable {
  package var node: NodeID = 0
  package var shards: [ShardID] = []

  package init() {}
  package init(node: NodeID, shards: [ShardID]) {
    self.node = node
    self.shards = shards
  }

  package mutating func visit<V: FieldVisitor & ~Copyable>(_ fields: inout V) throws(WireError) {
    try fields.uint32(1, &node)
    try fields.packed(2, &shards, count: Limits.shardsPerReport)
  }
}

/// Begins, pauses or ends balancing.
package struct SetBalancing: FieldMessage, Hashable {
  package var mode = BalancingMode.off

  package init() {}
  package init(mode: BalancingMode) { self.mode = mode }

  package mutating func visit<V: FieldVisitor & ~Copyable>(_ fields: inout V) throws(WireError) {
    try fields.enumeration(1, &mode)
  }
}

/// After the loss of a majority an operator decides that a survivor leads, whatever it is missing.
package struct RecoverShard: FieldMessage, Hashable {
  package var collection = ""
  package var index: UInt32 = 0
  package var node = ""
  /// Nobody has any data left: the shard begins anew on the node, without any.
  package var isBegunEmpty = false

  package init() {}
  package init(collection: String, index: UInt32, node: String, isBegunEmpty: Bool = false) {
    self.collection = collection
    self.index = index
    self.node = node
    self.isBegunEmpty = isBegunEmpty
  }

  package mutating func visit<V: FieldVisitor & ~Copyable>(_ fields: inout V) throws(WireError) {
    try fields.string(1, &collection, max: Limits.nameBytes)
    try fields.uint32(2, &index)
    try fields.string(3, &node, max: Limits.nameBytes)
    try fields.bool(40, &isBegunEmpty)
  }
}
