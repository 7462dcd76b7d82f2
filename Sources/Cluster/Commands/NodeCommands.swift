// What may be asked about members.

package import MusterBytes

/// A process asks to be a node. The same name joins again with the next incarnation.
package struct JoinNode: FieldMessage, Hashable {
  package var name = ""
  package var domain = ""
  package var labels: [Label] = []
  package var capacity: [Amount] = []
  package var address = ""
  package var heartbeatMilliseconds: UInt64 = 0
  /// What its host can do besides what every host can.
  package var abilities = Abilities()
  /// Who the process is, the same at each start on the same data; empty for one that does not say.
  package var identity = ""

  package init() {}
  package init(
    name: String, domain: String, labels: [Label], capacity: [Amount], address: String, heartbeatMilliseconds: UInt64,
    abilities: Abilities = [], identity: String = ""
  ) {
    self.name = name
    self.domain = domain
    self.labels = labels
    self.capacity = capacity
    self.address = address
    self.heartbeatMilliseconds = heartbeatMilliseconds
    self.abilities = abilities
    self.identity = identity
  }

  package mutating func visit<V: FieldVisitor & ~Copyable>(_ fields: inout V) throws(WireError) {
    try fields.string(1, &name, max: Limits.nameBytes)
    try fields.string(2, &domain, max: Limits.pathBytes)
    try fields.messages(3, &labels, count: Limits.labels)
    try fields.messages(4, &capacity, count: Limits.dimensions)
    try fields.string(5, &address, max: Limits.addressBytes)
    try fields.uint64(6, &heartbeatMilliseconds)
    try fields.abilities(20, &abilities)
    try fields.string(21, &identity, max: Limits.nameBytes)
  }
}

/// A node says that it stops.
package struct LeaveNode: FieldMessage, Hashable {
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

/// Cordons, or uncordons.
package struct CordonNode: FieldMessage, Hashable {
  package var name = ""
  package var isOn = false

  package init() {}
  package init(name: String, isOn: Bool) {
    self.name = name
    self.isOn = isOn
  }

  package mutating func visit<V: FieldVisitor & ~Copyable>(_ fields: inout V) throws(WireError) {
    try fields.string(1, &name, max: Limits.nameBytes)
    try fields.bool(2, &isOn)
  }
}

/// Asks for a drain, or takes it back.
package struct DrainNode: FieldMessage, Hashable {
  package var name = ""
  package var isOn = false

  package init() {}
  package init(name: String, isOn: Bool) {
    self.name = name
    self.isOn = isOn
  }

  package mutating func visit<V: FieldVisitor & ~Copyable>(_ fields: inout V) throws(WireError) {
    try fields.string(1, &name, max: Limits.nameBytes)
    try fields.bool(2, &isOn)
  }
}

package struct RemoveNode: FieldMessage, Hashable {
  package var name = ""

  package init() {}
  package init(name: String) {
    self.name = name
  }

  package mutating func visit<V: FieldVisitor & ~Copyable>(_ fields: inout V) throws(WireError) {
    try fields.string(1, &name, max: Limits.nameBytes)
  }
}

/// The detector reports what it concluded of a node.
package struct ReportNodeHealth: FieldMessage, Hashable {
  package var node: NodeID = 0
  package var incarnation: UInt64 = 0
  package var state = NodeState.joining
  package var silentMilliseconds: UInt64 = 0

  package init() {}
  package init(node: NodeID, incarnation: UInt64, state: NodeState, silentMilliseconds: UInt64) {
    self.node = node
    self.incarnation = incarnation
    self.state = state
    self.silentMilliseconds = silentMilliseconds
  }

  package mutating func visit<V: FieldVisitor & ~Copyable>(_ fields: inout V) throws(WireError) {
    try fields.uint32(1, &node)
    try fields.uint64(2, &incarnation)
    try fields.enumeration(3, &state)
    try fields.uint64(4, &silentMilliseconds)
  }
}

/// The drain controller saw that a draining node is empty.
package struct FinishDrain: FieldMessage, Hashable {
  package var node: NodeID = 0

  package init() {}
  package init(node: NodeID) {
    self.node = node
  }

  package mutating func visit<V: FieldVisitor & ~Copyable>(_ fields: inout V) throws(WireError) {
    try fields.uint32(1, &node)
  }
}

/// A node reports what became of its assignments.
/// What a leader says of a replica that copies from it: only the leader knows what was acknowledged.
package struct FollowerWord: FieldMessage, Hashable {
  package var shard: ShardID = 0
  package var node: NodeID = 0
  /// The epoch in which it leads: the word of an earlier leader counts for nothing.
  package var epoch: UInt32 = 0
  package var isInSync = false

  package init() {}
  package init(shard: ShardID, node: NodeID, epoch: UInt32, isInSync: Bool) {
    self.shard = shard
    self.node = node
    self.epoch = epoch
    self.isInSync = isInSync
  }

  package mutating func visit<V: FieldVisitor & ~Copyable>(_ fields: inout V) throws(WireError) {
    try fields.uint32(1, &shard)
    try fields.uint32(2, &node)
    try fields.uint32(3, &epoch)
    try fields.bool(4, &isInSync)
  }
}

/// A leader goes by a raised minimum in sync, and as many have everything that it ever acknowledged.
package struct MinimumWord: FieldMessage, Hashable {
  package var shard: ShardID = 0
  package var epoch: UInt32 = 0
  /// Which raise: a later one is not spoken of.
  package var raise: UInt32 = 0

  package init() {}
  package init(shard: ShardID, epoch: UInt32, raise: UInt32) {
    self.shard = shard
    self.epoch = epoch
    self.raise = raise
  }

  package mutating func visit<V: FieldVisitor & ~Copyable>(_ fields: inout V) throws(WireError) {
    try fields.uint32(1, &shard)
    try fields.uint32(2, &epoch)
    try fields.uint32(3, &raise)
  }
}

/// A leader stopped taking writes, and its heir has all that it acknowledged.
package struct Yield: FieldMessage, Hashable {
  package var shard: ShardID = 0
  package var epoch: UInt32 = 0
  package var heir: NodeID = 0
  /// The revision that asked for it: what was withdrawn meanwhile is void, also when it is asked again.
  package var since: Revision = 0

  package init() {}
  package init(shard: ShardID, epoch: UInt32, heir: NodeID, since: Revision) {
    self.shard = shard
    self.epoch = epoch
    self.heir = heir
    self.since = since
  }

  package mutating func visit<V: FieldVisitor & ~Copyable>(_ fields: inout V) throws(WireError) {
    try fields.uint32(1, &shard)
    try fields.uint32(2, &epoch)
    try fields.uint32(3, &heir)
    try fields.uint64(4, &since)
  }
}

package struct ReportReplicas: FieldMessage, Hashable {
  package var node: NodeID = 0
  package var incarnation: UInt64 = 0
  /// Replicas of this node that are open now.
  package var opened: [ShardID] = []
  /// Of shards that this node leads: which followers have all that was acknowledged, and which do not any more.
  package var followers: [FollowerWord] = []
  /// Replicas of this node that lost data they had, or cannot be reached.
  package var fellBehind: [ShardID] = []
  /// Of these the ones whose data is gone and does not come back.
  package var gone: [ShardID] = []
  /// Of shards that this node leads: leaderships that it gives up as it was asked.
  package var yields: [Yield] = []
  /// Of shards that this node leads: that a raised minimum in sync holds.
  package var minima: [MinimumWord] = []
  /// Of shards that this node leads and that are to be split: copies of the child that have everything.
  package var splits: [SplitWord] = []
  /// Of shards that this node leads: those that have no keys of others any more.
  package var pruned: [PruneWord] = []
  /// Of shards that this node leads and that another is to absorb: those that take no write any more.
  package var pauses: [PauseWord] = []
  /// Of shards that this node leads and that absorb others: how far they are.
  package var absorbs: [AbsorbWord] = []

  /// The revision that asked for what is reported, or 0.
  package var cause: Revision {
    (yields.map(\.since) + splits.map(\.since) + pauses.map(\.since) + absorbs.map(\.since)).max() ?? 0
  }

  package init() {}
  package init(
    node: NodeID, incarnation: UInt64, opened: [ShardID], followers: [FollowerWord], fellBehind: [ShardID],
    yields: [Yield] = [], minima: [MinimumWord] = []
  ) {
    self.node = node
    self.incarnation = incarnation
    self.opened = opened
    self.followers = followers
    self.fellBehind = fellBehind
    self.yields = yields
    self.minima = minima
  }

  package mutating func visit<V: FieldVisitor & ~Copyable>(_ fields: inout V) throws(WireError) {
    try fields.uint32(1, &node)
    try fields.uint64(2, &incarnation)
    try fields.packed(3, &opened, count: Limits.shardsPerReport)
    try fields.messages(4, &followers, count: Limits.shardsPerReport)
    try fields.packed(5, &fellBehind, count: Limits.shardsPerReport)
    try fields.messages(6, &yields, count: Limits.shardsPerReport)
    try fields.messages(7, &minima, count: Limits.shardsPerReport)
    try fields.packed(8, &gone, count: Limits.shardsPerReport)
    try fields.messages(20, &splits, count: Limits.shardsPerReport)
    try fields.messages(21, &pruned, count: Limits.shardsPerReport)
    try fields.messages(22, &pauses, count: Limits.shardsPerReport)
    try fields.messages(23, &absorbs, count: Limits.shardsPerReport)
  }
}

package struct SetMaintenance: FieldMessage, Hashable {
  package var isOn = false

  package init() {}
  package init(isOn: Bool) {
    self.isOn = isOn
  }

  package mutating func visit<V: FieldVisitor & ~Copyable>(_ fields: inout V) throws(WireError) {
    try fields.bool(1, &isOn)
  }
}
