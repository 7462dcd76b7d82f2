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
  package var source = ""
  package var target = ""

  package init() {}
  package init(collection: String, index: UInt32, source: String, target: String) {
    self.collection = collection
    self.index = index
    self.source = source
    self.target = target
  }

  package mutating func visit<V: FieldVisitor & ~Copyable>(_ fields: inout V) throws(WireError) {
    try fields.string(1, &collection, max: Limits.nameBytes)
    try fields.uint32(2, &index)
    try fields.string(3, &source, max: Limits.nameBytes)
    try fields.string(4, &target, max: Limits.nameBytes)
  }
}

package struct AdvanceMove: FieldMessage, Hashable {
  package var move: MoveID = 0
  package var step = MoveStep.catchingUp

  package init() {}
  package init(move: MoveID, step: MoveStep) {
    self.move = move
    self.step = step
  }

  package mutating func visit<V: FieldVisitor & ~Copyable>(_ fields: inout V) throws(WireError) {
    try fields.uint32(1, &move)
    try fields.enumeration(2, &step)
  }
}
