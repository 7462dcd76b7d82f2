internal import HashTreeCollections

// What events about collections do to the state.

extension State {
  mutating func apply(_ event: CollectionCreated, _ revision: Revision) throws(ApplyError) {
    try requireNext(event.collection, in: collections)
    try requireNext(event.firstShard, in: shards)
    guard (1...Limits.shardsPerCollection).contains(Int(event.shardCount)), event.policy.replicas <= Limits.replicas,
      index.collections[event.name] == nil, event.tenant == 0 || tenants.contains(event.tenant)
    else { throw .conflict(.collections, id: event.collection) }
    write(append: CollectionRow(event, revision), to: \.collections)
    index.collections[event.name] = event.collection
    loads.addCollection(event.policy)
    for index in 0..<event.shardCount {
      write(append: ShardRow(event, index: index, revision), to: \.shards)
    }
  }

  mutating func apply(_ event: CollectionChanged, _ revision: Revision) throws(ApplyError) {
    let old = try requireLiving(event.collection)
    guard event.policy.replicas <= Limits.replicas else { throw .conflict(.collections, id: event.collection) }
    if old.policy.weights != event.policy.weights { reweigh(event.collection, old, to: event.policy) }
    modify(\.collections, event.collection) { $0.take(event, revision) }
  }

  /// The row of a collection that is not deleted.
  func requireLiving(_ id: CollectionID) throws(ApplyError) -> CollectionRow {
    guard let row = collections.row(id) else { throw .unknownCollection(id) }
    guard !row.isDeleted else { throw .conflict(.collections, id: id) }
    return row
  }

  /// Counts every replica out with the old weights and in with the new ones.
  private mutating func reweigh(_ id: CollectionID, _ row: CollectionRow, to policy: Policy) {
    let range = row.livingShards
    for shard in range { loads.remove(shards[shard]) }
    loads.updateCollection(id, policy)
    for shard in range { loads.add(shards[shard]) }
  }

  mutating func apply(_ event: CollectionDeleted, _ revision: Revision) throws(ApplyError) {
    let row = try requireLiving(event.collection)
    for id in row.everyShard {
      loads.remove(shards[id])
      // Two shards have the move of a split or of a merge.
      if moves.holds(shards[id].move) { vacate(\.moves, shards[id].move) }
      modify(\.shards, id) { $0.take(event, revision) }
    }
    modify(\.collections, event.collection) { $0.take(event, revision) }
    if index.collections[row.name] == event.collection { index.collections[row.name] = nil }
  }
}
