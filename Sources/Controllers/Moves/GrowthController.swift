internal import MusterCluster

/// Splits shards of collections that shall have more, the widest range first and of equals the lowest; puts shards together
/// where there shall be fewer, the narrowest first and of equals the highest. Whatever is interrupted, and however often, the
/// same shards come of it.
struct GrowthController: Sendable {
  static let name = "growth"
  /// Splits or merges of one collection at a time.
  private static let stepsMax = 4

  /// What was refused, and at which revision: it is not tried again until the state is another.
  private var refusals: [String: (revision: Revision, words: String)] = [:]

  mutating func tick(_ state: State) -> [Proposal] {
    var proposals: [Proposal] = []
    state.collections.forEach { id, row in
      guard !row.isDeleted, row.wantedShards > 0 else {
        if !row.isDeleted { refusals[row.name] = nil }
        return
      }
      proposals += bring(id, row, state)
    }
    return proposals + alarms(state)
  }

  private mutating func bring(_ id: CollectionID, _ row: CollectionRow, _ state: State) -> [Proposal] {
    guard row.wantsFewer ? row.owningCount > row.wantedShards : row.owningCount < row.wantedShards else {
      return [proposal(.setShardCount(SetShardCount(name: row.name, shards: row.owningCount)), row, id)]
    }
    if let refusal = refusals[row.name] {
      if isUnderWay(row, state) { refusals[row.name] = nil }
      guard refusal.revision != state.revision else { return [] }
    }
    if row.wantsFewer {
      return nextMerges(row, state).map { halves in
        let command = MergeShards(collection: row.name, index: halves.survivor)
        return proposal(.mergeShards(command), row, id, ["range=\(halves.range.words)"])
      }
    }
    return next(row, state).map { shard, range in
      let command = SplitShard(collection: row.name, index: state.shards[shard].index)
      return proposal(.splitShard(command), row, id, ["range=\(range.words)"])
    }
  }

  /// The shards to split next, as if those under way were done.
  private func next(_ row: CollectionRow, _ state: State) -> [(shard: ShardID, range: KeyRange)] {
    let making = row.children.filter { $0.state == .making }
    var left = min(
      Int(row.wantedShards) - Int(row.owningCount) - making.count, GrowthController.stepsMax - making.count)
    guard left > 0 else { return [] }
    var ranges = row.owners.map { (shard: $0, range: row.range(of: state.shards[$0].index)) }
    ranges.removeAll { entry in making.contains { $0.parent == entry.shard } }
    ranges.sort { KeyRange.isWider($0.range, $1.range) }
    // Halves that are being made are not split before what is as wide as they were.
    var narrowest = making.map { $0.range.modulus }.min() ?? .max
    var found: [(shard: ShardID, range: KeyRange)] = []
    for entry in ranges where left > 0 && entry.range.modulus < narrowest {
      left -= 1
      narrowest = min(narrowest, entry.range.modulus * 2)
      // One that moves is waited for: what follows it must not overtake it.
      if state.shards[entry.shard].move == 0, state.shards[entry.shard].leader != 0 { found.append(entry) }
    }
    return found
  }

  /// The shards to put together next, as if those under way were done.
  private func nextMerges(_ row: CollectionRow, _ state: State) -> [CollectionRow.Halves] {
    var pairs: [(halves: CollectionRow.Halves, isUnderWay: Bool, isFree: Bool)] = []
    for shard in row.owners {
      let index = state.shards[shard].index
      guard let halves = row.halves(with: index), halves.survivor == index, let other = row.shard(at: halves.absorbed)
      else { continue }
      let rows = [state.shards[shard], state.shards[other]]
      let move = state.moves.row(rows[0].move)
      pairs.append(
        (
          halves, move.map { $0.isMerge && $0.shard == shard } ?? false,
          rows.allSatisfy { $0.move == 0 && $0.leader != 0 }
        ))
    }
    let underWay = pairs.filter(\.isUnderWay)
    var left = min(
      Int(row.owningCount) - Int(row.wantedShards) - underWay.count, GrowthController.stepsMax - underWay.count)
    pairs.sort { a, b in
      a.halves.range.modulus != b.halves.range.modulus
        ? a.halves.range.modulus > b.halves.range.modulus : a.halves.range.residue > b.halves.range.residue
    }
    // What comes of those under way is put together with nothing before what was as narrow as its halves.
    let narrowest = pairs.first?.halves.range.modulus ?? 0
    var found: [CollectionRow.Halves] = []
    for pair in pairs where left > 0 && !pair.isUnderWay {
      guard pair.halves.range.modulus == narrowest else { break }
      left -= 1
      // One that moves is waited for: what follows it must not overtake it.
      if pair.isFree { found.append(pair.halves) }
    }
    return found
  }

  mutating func refused(_ proposal: Proposal, _ refusal: Refusal, at revision: Revision) {
    guard proposal.controller == GrowthController.name else { return }
    let words: (collection: String, text: String)
    switch proposal.command {
    case .splitShard(let command): words = (command.collection, "does not grow")
    case .mergeShards(let command): words = (command.collection, "does not shrink")
    default: return
    }
    let text = "\(words.collection) \(words.text): \(refusal.message)"
    refusals[words.collection] = (revision, text.clipped(to: Limits.reasonBytes))
  }

  // MARK: Alarms

  private static let prefix = "growth/"

  private func alarms(_ state: State) -> [Proposal] {
    var proposals: [Proposal] = []
    for collection in refusals.keys.sorted() {
      guard let id = state.collectionID(named: collection), let words = refusals[collection]?.words else { continue }
      let name = GrowthController.prefix + collection
      let isRaised = state.isRaised(alarm: name)
      guard !isRaised else { continue }
      proposals.append(proposal(.raiseAlarm(RaiseAlarm(name: name, message: words)), state.collections[id], id))
    }
    state.alarms.forEach { _, alarm in
      guard alarm.isRaised, alarm.name.hasPrefix(GrowthController.prefix) else { return }
      let collection = String(alarm.name.dropFirst(GrowthController.prefix.count))
      let id = state.collectionID(named: collection)
      if id != nil, refusals[collection] != nil { return }
      // After a start nothing was refused yet.
      if let id, state.collections[id].wantedShards > 0, !isUnderWay(state.collections[id], state) { return }
      let row = id.map { state.collections[$0] } ?? CollectionRow()
      proposals.append(proposal(.clearAlarm(ClearAlarm(name: alarm.name)), row, id ?? 0))
    }
    return proposals
  }

  private func isUnderWay(_ row: CollectionRow, _ state: State) -> Bool {
    row.wantsFewer
      ? row.owners.contains { state.moves.row(state.shards[$0].move)?.isMerge ?? false }
      : row.children.contains { $0.state == .making }
  }

  private func proposal(
    _ command: Command, _ row: CollectionRow, _ id: CollectionID, _ arguments: [String] = []
  ) -> Proposal {
    Proposal(
      controller: GrowthController.name, command: command,
      reason: Reason(.growth, arguments: ["collection=\(row.name)", "wanted=\(row.wantedShards)"] + arguments),
      cause: id == 0 ? 0 : row.changed)
  }
}
