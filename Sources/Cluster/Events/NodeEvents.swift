// What happened to members.

package import MusterBytes

/// A process joined that was not known before.
package struct NodeJoined: FieldMessage, Hashable {
  package var node: NodeID = 0
  package var name = ""
  package var domain = ""
  package var labels: [Label] = []
  package var capacity: [Amount] = []
  package var address = ""
  package var heartbeatMilliseconds: UInt64 = 0
  package var abilities = Abilities()
  package var identity = ""

  package init() {}
  package init(
    node: NodeID, name: String, domain: String, labels: [Label], capacity: [Amount], address: String,
    heartbeatMilliseconds: UInt64, abilities: Abilities = [], identity: String = ""
  ) {
    self.node = node
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
    try fields.uint32(1, &node)
    try fields.string(2, &name, max: Limits.nameBytes)
    try fields.string(3, &domain, max: Limits.pathBytes)
    try fields.messages(4, &labels, count: Limits.labels)
    try fields.messages(5, &capacity, count: Limits.dimensions)
    try fields.string(6, &address, max: Limits.addressBytes)
    try fields.uint64(7, &heartbeatMilliseconds)
    try fields.abilities(20, &abilities)
    try fields.string(21, &identity, max: Limits.nameBytes)
  }
}

/// A known node came back as a new process; what the old one says is refused from now on.
package struct NodeRestarted: FieldMessage, Hashable {
  package var node: NodeID = 0
  package var incarnation: UInt64 = 0
  package var domain = ""
  package var labels: [Label] = []
  package var capacity: [Amount] = []
  package var address = ""
  package var heartbeatMilliseconds: UInt64 = 0
  package var abilities = Abilities()
  package var identity = ""

  package init() {}
  package init(
    node: NodeID, incarnation: UInt64, domain: String, labels: [Label], capacity: [Amount], address: String,
    heartbeatMilliseconds: UInt64, abilities: Abilities = [], identity: String = ""
  ) {
    self.node = node
    self.incarnation = incarnation
    self.domain = domain
    self.labels = labels
    self.capacity = capacity
    self.address = address
    self.heartbeatMilliseconds = heartbeatMilliseconds
    self.abilities = abilities
    self.identity = identity
  }

  package mutating func visit<V: FieldVisitor & ~Copyable>(_ fields: inout V) throws(WireError) {
    try fields.uint32(1, &node)
    try fields.uint64(2, &incarnation)
    try fields.string(3, &domain, max: Limits.pathBytes)
    try fields.messages(4, &labels, count: Limits.labels)
    try fields.messages(5, &capacity, count: Limits.dimensions)
    try fields.string(6, &address, max: Limits.addressBytes)
    try fields.uint64(7, &heartbeatMilliseconds)
    try fields.abilities(20, &abilities)
    try fields.string(21, &identity, max: Limits.nameBytes)
  }
}

/// Nothing was heard of a node for longer than it promised.
package struct NodeSuspected: FieldMessage, Hashable {
  package var node: NodeID = 0
  package var silentMilliseconds: UInt64 = 0

  package init() {}
  package init(node: NodeID, silentMilliseconds: UInt64) {
    self.node = node
    self.silentMilliseconds = silentMilliseconds
  }

  package mutating func visit<V: FieldVisitor & ~Copyable>(_ fields: inout V) throws(WireError) {
    try fields.uint32(1, &node)
    try fields.uint64(2, &silentMilliseconds)
  }
}

/// A suspected or joining node was heard again.
package struct NodeRecovered: FieldMessage, Hashable {
  package var node: NodeID = 0

  package init() {}
  package init(node: NodeID) {
    self.node = node
  }

  package mutating func visit<V: FieldVisitor & ~Copyable>(_ fields: inout V) throws(WireError) {
    try fields.uint32(1, &node)
  }
}

/// A suspected node stayed silent.
package struct NodeDeclaredDown: FieldMessage, Hashable {
  package var node: NodeID = 0
  package var silentMilliseconds: UInt64 = 0

  package init() {}
  package init(node: NodeID, silentMilliseconds: UInt64) {
    self.node = node
    self.silentMilliseconds = silentMilliseconds
  }

  package mutating func visit<V: FieldVisitor & ~Copyable>(_ fields: inout V) throws(WireError) {
    try fields.uint32(1, &node)
    try fields.uint64(2, &silentMilliseconds)
  }
}

/// A node said that it stops.
package struct NodeLeft: FieldMessage, Hashable {
  package var node: NodeID = 0

  package init() {}
  package init(node: NodeID) {
    self.node = node
  }

  package mutating func visit<V: FieldVisitor & ~Copyable>(_ fields: inout V) throws(WireError) {
    try fields.uint32(1, &node)
  }
}

package struct NodeCordoned: FieldMessage, Hashable {
  package var node: NodeID = 0

  package init() {}
  package init(node: NodeID) {
    self.node = node
  }

  package mutating func visit<V: FieldVisitor & ~Copyable>(_ fields: inout V) throws(WireError) {
    try fields.uint32(1, &node)
  }
}

package struct NodeUncordoned: FieldMessage, Hashable {
  package var node: NodeID = 0

  package init() {}
  package init(node: NodeID) {
    self.node = node
  }

  package mutating func visit<V: FieldVisitor & ~Copyable>(_ fields: inout V) throws(WireError) {
    try fields.uint32(1, &node)
  }
}

package struct NodeDrainRequested: FieldMessage, Hashable {
  package var node: NodeID = 0

  package init() {}
  package init(node: NodeID) {
    self.node = node
  }

  package mutating func visit<V: FieldVisitor & ~Copyable>(_ fields: inout V) throws(WireError) {
    try fields.uint32(1, &node)
  }
}

package struct NodeDrainCancelled: FieldMessage, Hashable {
  package var node: NodeID = 0

  package init() {}
  package init(node: NodeID) {
    self.node = node
  }

  package mutating func visit<V: FieldVisitor & ~Copyable>(_ fields: inout V) throws(WireError) {
    try fields.uint32(1, &node)
  }
}

/// A draining node has no replicas left.
package struct NodeDrained: FieldMessage, Hashable {
  package var node: NodeID = 0

  package init() {}
  package init(node: NodeID) {
    self.node = node
  }

  package mutating func visit<V: FieldVisitor & ~Copyable>(_ fields: inout V) throws(WireError) {
    try fields.uint32(1, &node)
  }
}

/// A node is no member any more; its name may join again under a new number.
package struct NodeRemoved: FieldMessage, Hashable {
  package var node: NodeID = 0

  package init() {}
  package init(node: NodeID) {
    self.node = node
  }

  package mutating func visit<V: FieldVisitor & ~Copyable>(_ fields: inout V) throws(WireError) {
    try fields.uint32(1, &node)
  }
}

package struct MaintenanceChanged: FieldMessage, Hashable {
  package var isOn = false

  package init() {}
  package init(isOn: Bool) {
    self.isOn = isOn
  }

  package mutating func visit<V: FieldVisitor & ~Copyable>(_ fields: inout V) throws(WireError) {
    try fields.bool(1, &isOn)
  }
}
