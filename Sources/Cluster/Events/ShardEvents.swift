// What happened to shards, their replicas and their moves.

package import MusterBytes

/// An empty shard got its first replicas. They are in sync, as there is nothing to copy; the first leads.
package struct ShardPlaced: FieldMessage, Hashable {
  package var shard: ShardID = 0
  package var nodes: [NodeID] = []

  package init() {}
  package init(shard: ShardID, nodes: [NodeID]) {
    self.shard = shard
    self.nodes = nodes
  }

  package mutating func visit<V: FieldVisitor & ~Copyable>(_ fields: inout V) throws(WireError) {
    try fields.uint32(1, &shard)
    try fields.packed(2, &nodes, count: Limits.replicas)
  }
}

/// Nobody leads the shard any more: its replicas promise the new epoch, cut themselves off from the old leader, and say
/// how far they are. Only then one is elected, of the same epoch.
package struct ElectionStarted: FieldMessage, Hashable {
  package var shard: ShardID = 0
  package var epoch: UInt32 = 0

  package init() {}
  package init(shard: ShardID, epoch: UInt32) {
    self.shard = shard
    self.epoch = epoch
  }

  package mutating func visit<V: FieldVisitor & ~Copyable>(_ fields: inout V) throws(WireError) {
    try fields.uint32(1, &shard)
    try fields.uint32(2, &epoch)
  }
}

/// The leader was asked to stop taking writes once another has all of its own, and to say so; with node 0 it may go on.
package struct HandOverRequested: FieldMessage, Hashable {
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

/// The leader said that it goes by a raised minimum in sync, and that as many have all that was acknowledged before.
package struct MinimumHeld: FieldMessage, Hashable {
  package var shard: ShardID = 0
  /// Which raise of the collection's minimum.
  package var raise: UInt32 = 0

  package init() {}
  package init(shard: ShardID, raise: UInt32) {
    self.shard = shard
    self.raise = raise
  }

  package mutating func visit<V: FieldVisitor & ~Copyable>(_ fields: inout V) throws(WireError) {
    try fields.uint32(1, &shard)
    try fields.uint32(2, &raise)
  }
}

/// A node said of its replica that the data is gone. In sync it stays, for what it acknowledged may be nowhere else; a
/// copy it is again when it has caught up.
package struct ReplicaEmptied: FieldMessage, Hashable {
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

/// No copy of a shard was left, and a person said that it begins anew: its only replica leads, without any data. Until its
/// node has thrown away what it may have and opened it, it is no copy.
package struct ShardBegunEmpty: FieldMessage, Hashable {
  package var shard: ShardID = 0
  package var node: NodeID = 0
  package var epoch: UInt32 = 0

  package init() {}
  package init(shard: ShardID, node: NodeID, epoch: UInt32) {
    self.shard = shard
    self.node = node
    self.epoch = epoch
  }

  package mutating func visit<V: FieldVisitor & ~Copyable>(_ fields: inout V) throws(WireError) {
    try fields.uint32(1, &shard)
    try fields.uint32(2, &node)
    try fields.uint32(3, &epoch)
  }
}

/// A replica's data is not believed any more: its node throws it away and copies it anew.
package struct ReplicaRebuilding: FieldMessage, Hashable {
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

package struct LeaderElected: FieldMessage, Hashable {
  package var shard: ShardID = 0
  package var node: NodeID = 0
  package var epoch: UInt32 = 0

  package init() {}
  package init(shard: ShardID, node: NodeID, epoch: UInt32) {
    self.shard = shard
    self.node = node
    self.epoch = epoch
  }

  package mutating func visit<V: FieldVisitor & ~Copyable>(_ fields: inout V) throws(WireError) {
    try fields.uint32(1, &shard)
    try fields.uint32(2, &node)
    try fields.uint32(3, &epoch)
  }
}

/// A node opened replicas that were assigned to it.
package struct ReplicasOpened: FieldMessage, Hashable {
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

/// A replica joined the in-sync set.
package struct ReplicaCaughtUp: FieldMessage, Hashable {
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

/// A replica left the in-sync set.
package struct ReplicaFellBehind: FieldMessage, Hashable {
  package var shard: ShardID = 0
  package var node: NodeID = 0
  /// It lost its data, and no leader has said that the others have what it had: of whatever was acknowledged there may be
  /// one copy less.
  package var isLost = false

  package init() {}
  package init(shard: ShardID, node: NodeID, isLost: Bool = false) {
    self.shard = shard
    self.node = node
    self.isLost = isLost
  }

  package mutating func visit<V: FieldVisitor & ~Copyable>(_ fields: inout V) throws(WireError) {
    try fields.uint32(1, &shard)
    try fields.uint32(2, &node)
    try fields.bool(3, &isLost)
  }
}

/// A learner was added.
package struct ReplicaAdded: FieldMessage, Hashable {
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

/// A learner became a follower.
package struct ReplicaPromoted: FieldMessage, Hashable {
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

package struct ReplicaRemoved: FieldMessage, Hashable {
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

package struct MoveStarted: FieldMessage, Hashable {
  package var move: MoveID = 0
  package var shard: ShardID = 0
  /// 0 when a replica is added and none goes.
  package var source: NodeID = 0
  /// 0 when a replica goes and none comes.
  package var target: NodeID = 0
  package var purpose = MovePurpose.order
  /// Where it begins.
  package var step = MoveStep.catchingUp

  package init() {}
  package init(
    move: MoveID, shard: ShardID, source: NodeID, target: NodeID, purpose: MovePurpose = .order,
    step: MoveStep = .catchingUp
  ) {
    self.move = move
    self.shard = shard
    self.source = source
    self.target = target
    self.purpose = purpose
    self.step = step
  }

  package mutating func visit<V: FieldVisitor & ~Copyable>(_ fields: inout V) throws(WireError) {
    try fields.uint32(1, &move)
    try fields.uint32(2, &shard)
    try fields.uint32(3, &source)
    try fields.uint32(4, &target)
    try fields.enumeration(5, &purpose)
    try fields.enumeration(6, &step)
  }
}

package struct MoveAdvanced: FieldMessage, Hashable {
  package var move: MoveID = 0
  package var step = MoveStep.catchingUp
  package var shard: ShardID = 0
  /// It stays at the step where it is; the next event about the move ends that.
  package var isPaused = false

  package init() {}
  package init(move: MoveID, step: MoveStep, shard: ShardID, isPaused: Bool = false) {
    self.move = move
    self.step = step
    self.shard = shard
    self.isPaused = isPaused
  }

  package mutating func visit<V: FieldVisitor & ~Copyable>(_ fields: inout V) throws(WireError) {
    try fields.uint32(1, &move)
    try fields.enumeration(2, &step)
    try fields.uint32(3, &shard)
    try fields.bool(20, &isPaused)
  }
}
