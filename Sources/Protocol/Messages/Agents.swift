package import MusterBytes
package import MusterCluster

/// A sign of life.
package struct Heartbeat: FieldMessage, Hashable {
  package var node: NodeID = 0
  package var incarnation: UInt64 = 0

  package init() {}
  package init(node: NodeID, incarnation: UInt64) {
    self.node = node
    self.incarnation = incarnation
  }

  package mutating func visit<V: FieldVisitor & ~Copyable>(_ fields: inout V) throws(WireError) {
    try fields.uint32(1, &node)
    try fields.uint64(2, &incarnation)
  }
}

/// Signs of life of one node, or of many behind one connection.
package struct HeartbeatRequest: FieldMessage, Hashable {
  package var beats: [Heartbeat] = []

  package static let beatsMax = 4096

  package init() {}
  package init(_ beats: [Heartbeat]) { self.beats = beats }

  package mutating func visit<V: FieldVisitor & ~Copyable>(_ fields: inout V) throws(WireError) {
    try fields.messages(1, &beats, count: HeartbeatRequest.beatsMax)
  }
}

package struct HeartbeatReply: FieldMessage, Hashable {
  package var timeline: UInt64 = 0
  package var revision: Revision = 0
  /// The nodes whose incarnation is not the newest, or that are no members: they must stop or join again.
  package var fenced: [NodeID] = []

  package init() {}

  package mutating func visit<V: FieldVisitor & ~Copyable>(_ fields: inout V) throws(WireError) {
    try fields.uint64(1, &timeline)
    try fields.uint64(2, &revision)
    try fields.packed(3, &fenced, count: HeartbeatRequest.beatsMax)
  }
}

package struct AssignmentsRequest: FieldMessage, Hashable {
  package var node: NodeID = 0
  package var incarnation: UInt64 = 0

  package init() {}
  package init(node: NodeID, incarnation: UInt64) {
    self.node = node
    self.incarnation = incarnation
  }

  package mutating func visit<V: FieldVisitor & ~Copyable>(_ fields: inout V) throws(WireError) {
    try fields.uint32(1, &node)
    try fields.uint64(2, &incarnation)
  }
}

/// A replica that copies from one that leads.
package struct Follower: FieldMessage, Hashable {
  package var node: NodeID = 0
  package var name = ""
  package var address = ""
  package var isLearner = false
  package var isOpened = false
  package var isInSync = false
  /// Its node is not down.
  package var isAlive = false
  /// It goes next: the leader shall stop counting on it.
  package var isLeaving = false
  /// It said that its data is gone: the leader shall say when it has everything again.
  package var isEmptied = false

  package init() {}

  package mutating func visit<V: FieldVisitor & ~Copyable>(_ fields: inout V) throws(WireError) {
    try fields.uint32(1, &node)
    try fields.string(2, &name, max: Limits.nameBytes)
    try fields.string(3, &address, max: Limits.addressBytes)
    try fields.bool(4, &isLearner)
    try fields.bool(5, &isOpened)
    try fields.bool(6, &isInSync)
    try fields.bool(7, &isAlive)
    try fields.bool(8, &isLeaving)
    try fields.bool(30, &isEmptied)
  }
}

/// What a leader is told of a split of its shard, until the cut.
package struct SplitOrder: FieldMessage, Hashable {
  package var child: ShardID = 0
  /// The revision that asked the leader to pause, as soon as copies of the child are near; 0 while none did.
  package var since: Revision = 0
  /// How many copies must have everything.
  package var needed: UInt32 = 0
  /// The replicas of the child: they copy, and count for nothing.
  package var copies: [Follower] = []

  package init() {}

  package mutating func visit<V: FieldVisitor & ~Copyable>(_ fields: inout V) throws(WireError) {
    try fields.uint32(1, &child)
    try fields.uint64(2, &since)
    try fields.uint32(3, &needed)
    try fields.messages(4, &copies, count: Limits.replicaSlots)
  }
}

/// What the leaders of the two shards of a merge are told, until the cut.
package struct MergeOrder: FieldMessage, Hashable {
  /// The shard that goes into the other.
  package var absorbed: ShardID = 0
  /// It is the one that is told this.
  package var isAbsorbed = false
  package var step = MoveStep.copying
  /// The revision of the step: what is said of another one is void.
  package var since: Revision = 0
  /// The epoch in which the absorbed shard is led; once that leader said that it is paused the epoch in which it did.
  package var epoch: UInt32 = 0
  /// What the absorbed shard owns.
  package var range = KeyRange()

  package init() {}

  package mutating func visit<V: FieldVisitor & ~Copyable>(_ fields: inout V) throws(WireError) {
    try fields.uint32(1, &absorbed)
    try fields.bool(2, &isAbsorbed)
    try fields.enumeration(3, &step)
    try fields.uint64(4, &since)
    try fields.uint32(5, &epoch)
    try fields.message(6, &range)
  }
}

/// A replica that a node must host.
package struct Assignment: FieldMessage, Hashable {
  package var shard: ShardID = 0
  package var collection = ""
  package var index: UInt32 = 0
  package var role = ReplicaRole.leader
  package var epoch: UInt32 = 0
  package var isOpened = false
  package var isInSync = false
  /// Nobody leads: the replica must promise this epoch, cut itself off from any older leader, and say how far it is.
  package var isElecting = false
  /// Who leads, and where; empty when nobody does.
  package var leader = ""
  package var leaderAddress = ""
  /// For a leader: the replicas that copy from it, whose being in sync it must report.
  package var followers: [Follower] = []
  /// How many replicas acknowledge a write, the leader among them.
  package var minInSync: UInt32 = 0
  /// Whom the leader shall hand over to once that one has everything, or 0, and the revision that asked for it.
  package var heir: NodeID = 0
  package var heirSince: Revision = 0
  /// How often the minimum in sync was raised, and whether the leader must say yet that as many have everything.
  package var minimumRaise: UInt32 = 0
  package var mustHoldMinimum = false
  /// Who copies from whom.
  package var links = ReplicaLinks()
  /// The shard whose data this replica copies, because its own is being split from that; 0 when there is none.
  package var parent: ShardID = 0
  /// For a leader whose shard is to be split.
  package var split: SplitOrder?
  /// For a leader: the keys that its shard owns; nil in a collection that was never split, whose shards own what comes.
  package var range: KeyRange?
  /// The leader shall forget the keys that are not in its range.
  package var mustPrune = false
  /// For a leader whose shard is put together with another.
  package var merge: MergeOrder?
  /// The control plane knows that its data is gone.
  package var isEmptied = false
  /// The shard begins anew here: whatever is found goes, and an empty replica is opened. It leads when that is known.
  package var beginsEmpty = false

  package init() {}

  package mutating func visit<V: FieldVisitor & ~Copyable>(_ fields: inout V) throws(WireError) {
    try fields.uint32(1, &shard)
    try fields.string(2, &collection, max: Limits.nameBytes)
    try fields.uint32(3, &index)
    try fields.enumeration(4, &role)
    try fields.uint32(5, &epoch)
    try fields.bool(6, &isOpened)
    try fields.bool(7, &isInSync)
    try fields.bool(8, &isElecting)
    try fields.string(9, &leader, max: Limits.nameBytes)
    try fields.string(10, &leaderAddress, max: Limits.addressBytes)
    try fields.messages(11, &followers, count: Limits.replicaSlots)
    try fields.uint32(12, &minInSync)
    try fields.uint32(13, &heir)
    try fields.uint64(14, &heirSince)
    try fields.message(16, &links)
    try fields.uint32(17, &minimumRaise)
    try fields.bool(18, &mustHoldMinimum)
    try fields.uint32(20, &parent)
    try fields.message(21, &split)
    try fields.message(22, &range)
    try fields.bool(23, &mustPrune)
    try fields.message(24, &merge)
    try fields.bool(30, &isEmptied)
    try fields.bool(31, &beginsEmpty)
  }
}

/// How far the replicas of a node are that promised the epoch of an election. Soft state: nothing of it is logged but as
/// the inputs of a decision.
package struct PositionsRequest: FieldMessage, Hashable {
  package var node: NodeID = 0
  package var incarnation: UInt64 = 0
  package var positions: [ReplicaPosition] = []
  /// How its replicas are: those of which something changed.
  package var statuses: [ReplicaStatus] = []

  package static let positionsMax = 4096
  package static let statusesMax = 256

  package init() {}
  package init(node: NodeID, incarnation: UInt64, positions: [ReplicaPosition]) {
    self.node = node
    self.incarnation = incarnation
    self.positions = positions
  }

  package mutating func visit<V: FieldVisitor & ~Copyable>(_ fields: inout V) throws(WireError) {
    try fields.uint32(1, &node)
    try fields.uint64(2, &incarnation)
    try fields.messages(3, &positions, count: PositionsRequest.positionsMax)
    try fields.messages(4, &statuses, count: PositionsRequest.statusesMax)
  }
}

package struct PositionsReply: FieldMessage, Hashable {
  package var timeline: UInt64 = 0
  package var revision: Revision = 0

  package init() {}

  package mutating func visit<V: FieldVisitor & ~Copyable>(_ fields: inout V) throws(WireError) {
    try fields.uint64(1, &timeline)
    try fields.uint64(2, &revision)
  }
}

/// What changed of a node's assignments. The first items bring all of them.
package struct AssignmentsItem: FieldMessage, Hashable {
  package var timeline: UInt64 = 0
  package var revision: Revision = 0
  package var assigned: [Assignment] = []
  package var withdrawn: [ShardID] = []
  /// With this item the node has been told everything.
  package var isComplete = false

  package static let rowsMax = 4096

  package init() {}

  package mutating func visit<V: FieldVisitor & ~Copyable>(_ fields: inout V) throws(WireError) {
    try fields.uint64(1, &timeline)
    try fields.uint64(2, &revision)
    try fields.messages(3, &assigned, count: AssignmentsItem.rowsMax)
    try fields.packed(4, &withdrawn, count: AssignmentsItem.rowsMax)
    try fields.bool(5, &isComplete)
  }
}
