// What events about splits do to the state.

extension State {
  mutating func apply(_ event: SplitStarted, _ revision: Revision) throws(ApplyError) {
    try requireNext(event.move, in: moves)
    try requireNext(event.child, in: shards)
    let collection = try requireLiving(event.collection)
    guard let parent = shards.row(event.shard) else { throw .unknownShard(event.shard) }
    guard parent.collection == event.collection, parent.move == 0, event.index == collection.indexCount,
      collection.children.count < Limits.childrenPerCollection, event.range.modulus > event.range.residue,
      (1...Limits.replicas).contains(event.nodes.count)
    else { throw .conflict(.shards, id: event.shard) }
    let weights = loads.weights(of: event.collection)
    for (place, node) in event.nodes.enumerated() {
      guard nodes.contains(node) else { throw .unknownNode(node) }
      guard !event.nodes[..<place].contains(node) else { throw .replica(event.child, node) }
      loads.addReplica(node, weights)
    }
    let nodes = nodes
    write(append: MoveRow(event, revision), to: \.moves)
    write(append: ShardRow(event, revision) { nodes[$0].isMonitored }, to: \.shards)
    modify(\.shards, event.shard) { $0.take(event, revision) }
    modify(\.collections, event.collection) { $0.take(event, revision) }
  }

  mutating func apply(_ event: SplitAdvanced, _ revision: Revision) throws(ApplyError) {
    try requireSplit(event.move, event.shard, event.child, event.collection)
    if event.step == .cancelled {
      guard shards[event.child].isMaking else { throw .conflict(.shards, id: event.child) }
      loads.remove(shards[event.child])
    }
    if event.step.isOver {
      vacate(\.moves, event.move)
    } else {
      modify(\.moves, event.move) { $0.take(event, revision) }
    }
    modify(\.shards, event.shard) { $0.take(event, revision, isChild: false) }
    modify(\.shards, event.child) { $0.take(event, revision, isChild: true) }
    modify(\.collections, event.collection) { $0.take(event, revision) }
  }

  mutating func apply(_ event: ShardSplit, _ revision: Revision) throws(ApplyError) {
    try requireSplit(event.move, event.shard, event.child, event.collection)
    guard shards[event.child].isMaking, event.raise <= collections[event.collection].minimumRaises else {
      throw .conflict(.shards, id: event.child)
    }
    modify(\.moves, event.move) { $0.take(event, revision) }
    modify(\.shards, event.shard) { $0.take(event, revision, isChild: false) }
    modify(\.shards, event.child) { $0.take(event, revision, isChild: true) }
    modify(\.collections, event.collection) { $0.take(event, revision) }
  }

  mutating func apply(_ event: ShardPruned, _ revision: Revision) throws(ApplyError) {
    _ = try requireLiving(event.collection)
    guard shards.row(event.shard)?.collection == event.collection else { throw .unknownShard(event.shard) }
    modify(\.collections, event.collection) { $0.take(event, revision) }
  }

  mutating func apply(_ event: ShardCountWanted, _ revision: Revision) throws(ApplyError) {
    _ = try requireLiving(event.collection)
    modify(\.collections, event.collection) { $0.take(event, revision) }
  }

  /// The move must be the split of this shard into this child.
  private func requireSplit(
    _ move: MoveID, _ shard: ShardID, _ child: ShardID, _ collection: CollectionID
  ) throws(ApplyError) {
    guard moves.holds(move) else { throw .unknownMove(move) }
    guard child != 0, moves[move].shard == shard, moves[move].child == child,
      shards.row(shard)?.collection == collection, shards.row(child)?.collection == collection
    else { throw .conflict(.moves, id: move) }
    _ = try requireLiving(collection)
  }
}
