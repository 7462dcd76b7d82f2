// What happened to collections.

package import MusterBytes

package struct CollectionCreated: FieldMessage, Hashable {
  package var collection: CollectionID = 0
  package var name = ""
  package var tenant: TenantID = 0
  package var policy = Policy()
  package var labels: [Label] = []
  package var firstShard: ShardID = 0
  package var shardCount: UInt32 = 0

  package init() {}
  package init(
    collection: CollectionID, name: String, tenant: TenantID, policy: Policy, labels: [Label], firstShard: ShardID,
    shardCount: UInt32
  ) {
    self.collection = collection
    self.name = name
    self.tenant = tenant
    self.policy = policy
    self.labels = labels
    self.firstShard = firstShard
    self.shardCount = shardCount
  }

  package mutating func visit<V: FieldVisitor & ~Copyable>(_ fields: inout V) throws(WireError) {
    try fields.uint32(1, &collection)
    try fields.string(2, &name, max: Limits.nameBytes)
    try fields.uint32(3, &tenant)
    try fields.message(4, &policy)
    try fields.messages(5, &labels, count: Limits.labels)
    try fields.uint32(6, &firstShard)
    try fields.uint32(7, &shardCount)
  }
}

/// The policy or the labels are new; shards stay where they are until they are moved.
package struct CollectionChanged: FieldMessage, Hashable {
  package var collection: CollectionID = 0
  package var policy = Policy()
  package var labels: [Label] = []
  /// The minimum in sync is raised by this: the smallest that some shard may have gone by until now; 0 otherwise.
  package var minimumFloor: UInt32 = 0

  package init() {}
  package init(collection: CollectionID, policy: Policy, labels: [Label], minimumFloor: UInt32 = 0) {
    self.collection = collection
    self.policy = policy
    self.labels = labels
    self.minimumFloor = minimumFloor
  }

  package mutating func visit<V: FieldVisitor & ~Copyable>(_ fields: inout V) throws(WireError) {
    try fields.uint32(1, &collection)
    try fields.message(2, &policy)
    try fields.messages(3, &labels, count: Limits.labels)
    try fields.uint32(4, &minimumFloor)
  }
}

/// The collection and all its replicas are gone.
package struct CollectionDeleted: FieldMessage, Hashable {
  package var collection: CollectionID = 0

  package init() {}
  package init(collection: CollectionID) {
    self.collection = collection
  }

  package mutating func visit<V: FieldVisitor & ~Copyable>(_ fields: inout V) throws(WireError) {
    try fields.uint32(1, &collection)
  }
}
