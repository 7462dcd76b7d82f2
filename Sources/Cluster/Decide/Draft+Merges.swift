internal import MusterBytes

// Decisions about shards that are put together.

extension Draft {
  mutating func decide(_ command: MergeShards) throws(Refusal) {
    let named = try requireShard(command.collection, command.index)
    let id = state.shards[named].collection
    let collection = state.collections[id]
    guard collection.state == .active else {
      throw Refusal(.conflict, "collection \(collection.name) is \(collection.state.name)")
    }
    let halves = try requireHalves(command.index, collection)
    guard let shard = collection.shard(at: halves.survivor), let absorbed = collection.shard(at: halves.absorbed) else {
      throw Refusal(.conflict, "there is no such shard any more")
    }
    try requireRoomForMerge(halves, collection)
    for each in [shard, absorbed] { try requireMergeable(each) }
    guard !state.shards[shard].hasTooFewVoters(collection.policy) else {
      throw Refusal(
        .conflict,
        "\(state.shardName(shard)) takes no writes with \(state.shards[shard].voterCount) of the "
          + "\(collection.policy.minInSync) replicas that must acknowledge them")
    }
    guard state.shards[shard].epoch < .max - 1 else {
      throw Refusal(.limitReached, "\(state.shardName(shard)) has no epochs left")
    }
    var event = MergeStarted()
    event.move = state.moves.nextID
    event.shard = shard
    event.absorbed = absorbed
    event.collection = id
    emit(.mergeStarted(event))
  }

  private func requireHalves(_ index: UInt32, _ row: CollectionRow) throws(Refusal) -> CollectionRow.Halves {
    let name = "\(row.name)/\(index)"
    guard row.isOwner(index) else { throw Refusal(.conflict, "\(name) owns no keys") }
    let range = row.range(of: index)
    guard range.whole != nil else {
      throw Refusal(.limitReached, "\(name) owns \(range.words), which is no half of another range")
    }
    guard let halves = row.halves(with: index) else {
      throw Refusal(
        .conflict,
        "\(name) owns \(range.words), and the other half belongs to several shards: put those together first")
    }
    return halves
  }

  /// Among those that it was made with a merge needs an entry in the routes, if neither of the two has one.
  private func requireRoomForMerge(_ halves: CollectionRow.Halves, _ row: CollectionRow) throws(Refusal) {
    let isChild = halves.absorbed >= row.shardCount
    let isKnown = row.widened.contains { $0.index == halves.survivor || $0.index == halves.absorbed }
    // Those under way need theirs as well.
    guard isChild || isKnown || row.widened.count + mergesMax <= Limits.widenedPerCollection else {
      throw Refusal(
        .limitReached,
        "\(row.name) has \(row.widened.count) shards that are wider than at first, and no more are possible")
    }
    guard row.unpruned.count + mergesMax <= Limits.unprunedPerCollection else {
      throw Refusal(.limitReached, "\(row.unpruned.count) shards of \(row.name) must forget keys of others first")
    }
  }

  /// More merges of one collection are never under way.
  private var mergesMax: Int { Limits.mergesPerCollection }

  private func requireMergeable(_ shard: ShardID) throws(Refusal) {
    let (row, name) = (state.shards[shard], state.shardName(shard))
    guard !row.isMaking, row.replicas.count > 0 else { throw Refusal(.conflict, "\(name) owns no keys") }
    guard row.move == 0 else { throw Refusal(.conflict, "a move of \(name) is under way already (move \(row.move))") }
    guard row.leader != 0 else {
      throw Refusal(.conflict, "an election of epoch \(row.epoch) of \(name) is under way")
    }
    let underWay = state.collections[row.collection].owners.count { shard in
      state.moves.row(state.shards[shard].move).map { $0.isMerge && $0.shard == shard } ?? false
    }
    guard underWay < mergesMax else {
      throw Refusal(.limitReached, "\(underWay) merges of the collection are under way: wait for some of them")
    }
    for replica in row.replicas {
      let node = state.nodes[replica.node]
      guard node.state.isAlive, node.state != .draining else {
        throw Refusal(.conflict, "node \(node.name), which has a replica of \(name), is \(node.state.name)")
      }
      try requireMergeAbility(replica.node)
    }
  }

  func requireMergeAbility(_ node: NodeID) throws(Refusal) {
    let row = state.nodes[node]
    guard row.abilities.contains(.merges) || !row.isMonitored else {
      throw Refusal(
        .unsatisfiable, "the host of node \(row.name), or an agent of an older version there, cannot merge shards",
        witness: [Witness(rule: "host merges shards", needed: 1, available: 0, detail: row.name)])
    }
  }

  // MARK: Steps

  mutating func advanceMerge(_ id: MoveID, _ move: MoveRow, to step: MoveStep) throws(Refusal) {
    switch (move.step, step) {
    case (let now, let next) where now == next: return
    case (.copying, .pausing):
      // Where nobody beats there is nobody to ask, and nothing to copy.
      try requireUnwatched(move.shard, "has not said that little is left to copy")
    case (.pausing, .absorbing): try requireUnwatched(move.absorbed, "has not said that it takes no writes")
    case (.absorbing, .finished):
      try requireUnwatched(move.shard, "has not said that it has everything")
      try requireUnwatched(move.absorbed, "must be asked")
      guard state.shards[move.absorbed].epoch == move.absorbedEpoch else {
        throw Refusal(.conflict, "\(state.shardName(move.absorbed)) has another leader than the one that paused")
      }
      return try merge(id, move)
    case (.pausing, .copying), (.absorbing, .copying): break
    case (.copying, .cancelled), (.pausing, .cancelled), (.absorbing, .cancelled): break
    default:
      throw Refusal(.conflict, "move \(id) is \(move.step.name): its next step is not \(step.name)")
    }
    emit(mergeAdvanced(id, move, step, epoch: step == .absorbing ? state.shards[move.absorbed].epoch : 0))
  }

  private func requireUnwatched(_ shard: ShardID, _ what: String) throws(Refusal) {
    let row = state.shards[shard]
    guard row.leader != 0, !state.nodes[row.leader].isMonitored else {
      throw Refusal(.conflict, "the leader of \(state.shardName(shard)) \(what)")
    }
  }

  private func mergeAdvanced(_ id: MoveID, _ move: MoveRow, _ step: MoveStep, epoch: UInt32 = 0) -> Event {
    .mergeAdvanced(
      MergeAdvanced(
        move: id, step: step, shard: move.shard, absorbed: move.absorbed,
        collection: state.shards[move.shard].collection, epoch: epoch))
  }

  /// The leader of a shard that is absorbed takes no write any more, in this epoch and until it is answered.
  mutating func take(_ word: PauseWord, from leader: NodeID) {
    guard let row = state.shards.row(word.shard), row.leader == leader, row.epoch == word.epoch,
      let move = state.moves.row(row.move), move.isMerge, move.absorbed == word.shard, move.step == .pausing,
      move.changed == word.since
    else { return }
    emit(mergeAdvanced(row.move, move, .absorbing, epoch: row.epoch))
  }

  /// The shard that a leader's word would have absorbed; 0 when the word is void.
  func absorbed(by word: AbsorbWord, from leader: NodeID) -> ShardID {
    guard let row = state.shards.row(word.shard), row.leader == leader,
      row.epoch == word.epoch || Mutant.isOn(.staleAbsorption), let move = state.moves.row(row.move), move.isMerge,
      move.shard == word.shard, move.changed == word.since
    else { return 0 }
    guard word.hasEverything else { return move.step == .copying ? move.absorbed : 0 }
    let other = state.shards[move.absorbed]
    guard move.step == .absorbing, word.absorbedEpoch == move.absorbedEpoch,
      (other.leader != 0 && other.epoch == move.absorbedEpoch) || Mutant.isOn(.pauseOutlivesLeader)
    else { return 0 }
    return move.absorbed
  }

  /// - Precondition: `absorbed(by:from:)` says that the word counts.
  mutating func take(_ word: AbsorbWord) throws(Refusal) {
    let id = state.shards[word.shard].move
    let move = state.moves[id]
    guard word.hasEverything || Mutant.isOn(.unpausedMerge) else { return emit(mergeAdvanced(id, move, .pausing)) }
    try merge(id, move)
  }

  /// The cut: one commit in which the survivor owns both ranges and begins a new epoch, and the other has no replicas more.
  private mutating func merge(_ id: MoveID, _ move: MoveRow) throws(Refusal) {
    let row = state.shards[move.shard]
    let collection = state.collections[row.collection]
    let (epoch, isPastLast) = row.epoch.addingReportingOverflow(1)
    guard !isPastLast else { throw Refusal(.limitReached, "\(state.shardName(move.shard)) has no epochs left") }
    guard let halves = collection.halves(with: row.index), row.leader != 0 else {
      throw Refusal(.conflict, "\(state.shardName(move.shard)) cannot be put together with another now")
    }
    var event = ShardsMerged()
    event.move = id
    event.shard = move.shard
    event.absorbed = move.absorbed
    event.collection = row.collection
    event.range = halves.range
    event.shards = owningCount(row.collection) - 1
    emit(.shardsMerged(event))
    emit(.leaderElected(LeaderElected(shard: move.shard, node: row.leader, epoch: epoch)))
  }
}
