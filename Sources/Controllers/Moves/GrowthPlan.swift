internal import MusterCluster

/// The splits and merges that bring a collection to the number of shards it shall have, in the order in which
/// ``GrowthController`` begins them, as if nothing came in between. Those under way count as done.
struct GrowthPlan {
  struct Step: Equatable {
    var index: UInt32
    /// The shard that is made, or that is absorbed.
    var partner: UInt32
    var isMerge: Bool
    /// The shards that there are now whose data it is about.
    var shards: [ShardID]
  }

  /// A shard as it stands when all steps before are done.
  private struct Piece {
    var index: UInt32
    var range: KeyRange
    var shards: [ShardID]
  }

  private(set) var steps: [Step] = []
  private var pieces: [Piece]
  private var nextIndex: UInt32

  init(_ row: CollectionRow, _ state: State) {
    pieces = row.owners.map { shard in
      let index = state.shards[shard].index
      return Piece(index: index, range: row.range(of: index), shards: [shard])
    }
    nextIndex = row.indexCount
    takeThoseUnderWay(row, state)
    let wanted = Int(row.wantedShards)
    guard wanted > 0 else { return }
    if row.wantsFewer { merge(to: wanted) } else { split(to: wanted) }
  }

  private mutating func takeThoseUnderWay(_ row: CollectionRow, _ state: State) {
    for (place, child) in row.children.enumerated() where child.state == .making {
      guard let parent = pieces.firstIndex(where: { $0.shards == [child.parent] }),
        let halves = pieces[parent].range.halves
      else { continue }
      pieces[parent].range = halves.stays
      pieces.append(
        Piece(index: row.shardCount + UInt32(place), range: child.range, shards: pieces[parent].shards))
    }
    for survivor in row.owners {
      guard let move = state.moves.row(state.shards[survivor].move), move.isMerge, move.shard == survivor,
        let kept = pieces.firstIndex(where: { $0.shards == [survivor] }), let whole = pieces[kept].range.whole
      else { continue }
      pieces[kept].range = whole
      pieces.removeAll { $0.shards == [move.absorbed] }
    }
  }

  /// - Complexity: O(shards) for each doubling.
  private mutating func split(to wanted: Int) {
    while pieces.count < wanted {
      pieces.sort { KeyRange.isWider($0.range, $1.range) }
      guard let widest = pieces.first?.range.modulus else { return }
      var made: [Piece] = []
      for place in pieces.indices where pieces[place].range.modulus == widest && pieces.count + made.count < wanted {
        guard let halves = pieces[place].range.halves else { return }
        pieces[place].range = halves.stays
        made.append(Piece(index: nextIndex, range: halves.goes, shards: pieces[place].shards))
        steps.append(
          Step(index: pieces[place].index, partner: nextIndex, isMerge: false, shards: pieces[place].shards))
        nextIndex += 1
      }
      pieces += made
    }
  }

  /// - Complexity: O(shards × log shards) for each halving.
  private mutating func merge(to wanted: Int) {
    while pieces.count > wanted {
      let pairs = narrowestPairs()
      guard !pairs.isEmpty else { return }
      var absorbed: Set<Int> = []
      for pair in pairs where pieces.count - absorbed.count > wanted {
        let (kept, gone) = (pieces[pair.kept], pieces[pair.gone])
        pieces[pair.kept].range = pair.whole
        pieces[pair.kept].shards += gone.shards
        absorbed.insert(pair.gone)
        steps.append(Step(index: kept.index, partner: gone.index, isMerge: true, shards: kept.shards + gone.shards))
      }
      pieces = pieces.indices.filter { !absorbed.contains($0) }.map { pieces[$0] }
    }
  }

  /// Halves of one range, by their places, the one with the lower rest first; of all pairs the narrowest, the highest first.
  private func narrowestPairs() -> [(kept: Int, gone: Int, whole: KeyRange)] {
    var places: [KeyRange: Int] = [:]
    for place in pieces.indices { places[pieces[place].range] = place }
    var pairs: [(kept: Int, gone: Int, whole: KeyRange)] = []
    for place in pieces.indices {
      guard let whole = pieces[place].range.whole, whole.residue == pieces[place].range.residue,
        let halves = whole.halves, let other = places[halves.goes]
      else { continue }
      pairs.append((place, other, whole))
    }
    let narrowest = pairs.map(\.whole.modulus).max() ?? 0
    return pairs.filter { $0.whole.modulus == narrowest }.sorted { $0.whole.residue > $1.whole.residue }
  }
}
