// What events do to the row of a collection, whoever keeps it.

extension CollectionRow {
  init(_ event: CollectionCreated, _ revision: Revision) {
    name = event.name
    tenant = event.tenant
    policy = event.policy
    labels = event.labels
    firstShard = event.firstShard
    shardCount = event.shardCount
    created = revision
    changed = revision
  }

  /// The numbers of the shards that it was made with.
  package var shardRange: ClosedRange<ShardID> { firstShard...(firstShard + max(shardCount, 1) - 1) }

  mutating func take(_ event: CollectionChanged, _ revision: Revision) {
    policy = event.policy
    labels = event.labels
    if event.minimumFloor != 0 { (minimumRaises, minimumFloor) = (minimumRaises &+ 1, event.minimumFloor) }
    changed = revision
  }

  /// One of its shards was placed.
  mutating func take(_ event: ShardPlaced, _ revision: Revision) {
    placedCount &+= 1
    changed = revision
    if placedCount == shardCount { state = .active }
  }

  mutating func take(_ event: CollectionDeleted, _ revision: Revision) {
    state = .deleted
    changed = revision
  }
}

extension ShardRow {
  /// A shard that is not placed yet.
  init(_ event: CollectionCreated, index: UInt32, _ revision: Revision) {
    self.init(collection: event.collection, index: index)
    changed = revision
  }
}
