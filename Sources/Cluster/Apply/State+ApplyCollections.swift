internal import HashTreeCollections

// What events about collections do to the state.

extension State {
  mutating func apply(_ event: CollectionCreated, _ revision: Revision) throws(ApplyError) {
    try requireNext(event.collection, in: collections)
    try requireNext(event.firstShard, in: shards)
    guard event.shardCount <= Limits.shardsPerCollection else { throw .unknownCollection(event.collection) }
    var row = CollectionRow()
    row.name = event.name
    row.tenant = event.tenant
    row.policy = event.policy
    row.labels = event.labels
    row.firstShard = event.firstShard
    row.shardCount = event.shardCount
    row.created = revision
    row.changed = revision
    write(append: row, to: \.collections)
    index.collections[event.name] = event.collection
    loads.note(event.policy)
    for index in 0..<event.shardCount {
      var shard = ShardRow(collection: event.collection, index: index)
      shard.changed = revision
      write(append: shard, to: \.shards)
    }
  }

  mutating func apply(_ event: CollectionChanged, _ revision: Revision) throws(ApplyError) {
    guard collections.contains(event.collection) else { throw .unknownCollection(event.collection) }
    let old = collections[event.collection]
    loads.note(event.policy)
    if old.policy.weights != event.policy.weights { reweigh(old, to: event.policy) }
    modify(\.collections, event.collection) {
      $0.policy = event.policy
      $0.labels = event.labels
      $0.changed = revision
    }
  }

  private mutating func reweigh(_ collection: CollectionRow, to policy: Policy) {
    let before = loads.vector(collection.policy.weights)
    let after = loads.vector(policy.weights)
    for offset in 0..<collection.shardCount {
      let shard = shards[collection.firstShard + offset]
      loads.remove(shard, weights: before)
      loads.add(shard, weights: after)
    }
  }

  mutating func apply(_ event: CollectionDeleted, _ revision: Revision) throws(ApplyError) {
    guard collections.contains(event.collection) else { throw .unknownCollection(event.collection) }
    let row = collections[event.collection]
    let weights = loads.vector(row.policy.weights)
    for offset in 0..<row.shardCount {
      let id = row.firstShard + offset
      loads.remove(shards[id], weights: weights)
      if shards[id].move != 0 { endMove(shards[id].move, .cancelled, revision) }
      modify(\.shards, id) {
        $0.replicas.removeAll()
        $0.leader = 0
        $0.move = 0
        $0.changed = revision
      }
    }
    modify(\.collections, event.collection) {
      $0.state = .deleted
      $0.changed = revision
    }
    if index.collections[row.name] == event.collection { index.collections[row.name] = nil }
  }
}
