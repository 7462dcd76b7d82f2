// What events about merges do to the state.

extension State {
  mutating func apply(_ event: MergeStarted, _ revision: Revision) throws(ApplyError) {
    try requireNext(event.move, in: moves)
    let collection = try requireLiving(event.collection)
    guard let survivor = shards.row(event.shard) else { throw .unknownShard(event.shard) }
    guard let absorbed = shards.row(event.absorbed) else { throw .unknownShard(event.absorbed) }
    guard survivor.collection == event.collection, absorbed.collection == event.collection, survivor.move == 0,
      absorbed.move == 0, survivor.replicas.count > 0, absorbed.replicas.count > 0,
      let halves = collection.halves(with: survivor.index), halves.survivor == survivor.index,
      halves.absorbed == absorbed.index
    else { throw .conflict(.shards, id: event.shard) }
    write(append: MoveRow(event, revision), to: \.moves)
    modify(\.shards, event.shard) { $0.take(event, revision) }
    modify(\.shards, event.absorbed) { $0.take(event, revision) }
    modify(\.collections, event.collection) { $0.take(event, revision) }
  }

  mutating func apply(_ event: MergeAdvanced, _ revision: Revision) throws(ApplyError) {
    _ = try requireMerge(event.move, event.shard, event.absorbed, event.collection)
    guard event.step != .finished else { throw .conflict(.moves, id: event.move) }
    if event.step.isOver {
      guard collections[event.collection].unpruned.count < Limits.unprunedPerCollection else {
        throw .conflict(.collections, id: event.collection)
      }
      vacate(\.moves, event.move)
    } else {
      modify(\.moves, event.move) { $0.take(event, revision) }
    }
    modify(\.shards, event.shard) { $0.take(event, revision) }
    modify(\.shards, event.absorbed) { $0.take(event, revision) }
    modify(\.collections, event.collection) { $0.take(event, revision) }
  }

  mutating func apply(_ event: ShardsMerged, _ revision: Revision) throws(ApplyError) {
    let halves = try requireMerge(event.move, event.shard, event.absorbed, event.collection)
    guard halves.range == event.range, hasRoom(for: halves, collections[event.collection]) else {
      throw .conflict(.collections, id: event.collection)
    }
    loads.remove(shards[event.absorbed])
    vacate(\.moves, event.move)
    modify(\.shards, event.shard) { $0.take(event, revision, isAbsorbed: false) }
    modify(\.shards, event.absorbed) { $0.take(event, revision, isAbsorbed: true) }
    modify(\.collections, event.collection) { $0.take(event, revision) }
  }

  /// Its routes can say it.
  private func hasRoom(for halves: CollectionRow.Halves, _ row: CollectionRow) -> Bool {
    halves.absorbed >= row.shardCount || row.widened.count < Limits.widenedPerCollection
      || row.widened.contains { $0.index == halves.survivor || $0.index == halves.absorbed }
  }

  /// The move must be the merge of these two, which must own the halves of one range still.
  private func requireMerge(
    _ move: MoveID, _ shard: ShardID, _ absorbed: ShardID, _ collection: CollectionID
  ) throws(ApplyError) -> CollectionRow.Halves {
    guard moves.holds(move) else { throw .unknownMove(move) }
    let row = try requireLiving(collection)
    guard absorbed != 0, moves[move].shard == shard, moves[move].absorbed == absorbed,
      let survivor = shards.row(shard), survivor.collection == collection,
      let halves = row.halves(with: survivor.index),
      row.shard(at: halves.absorbed) == absorbed
    else { throw .conflict(.moves, id: move) }
    return halves
  }
}
