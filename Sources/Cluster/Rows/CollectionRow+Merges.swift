// Which shards of a collection are the halves of one range, and what is left of those that were put together.

extension CollectionRow {
  /// Who owns a key does not follow from the number of shards that it was made with alone, or shards have keys of others.
  package var hasOwnRanges: Bool { !children.isEmpty || !widened.isEmpty || !unpruned.isEmpty }

  /// Shards that the collection was made with and that are part of others now.
  package var retiredFounders: [UInt32] {
    widened.flatMap { entry in
      stride(from: entry.index + entry.range.modulus, to: shardCount, by: Int(entry.range.modulus)).map { $0 }
    }
  }

  /// A shard that the collection was made with and that is part of another now.
  package func isRetiredFounder(_ index: UInt32) -> Bool {
    index < shardCount && widened.contains { $0.index != index && $0.range.holds(hash: UInt64(index)) }
  }

  /// The shard owns keys: it is neither being made nor gone.
  package func isOwner(_ index: UInt32) -> Bool {
    if index < shardCount { return !isRetiredFounder(index) }
    let place = Int(index - shardCount)
    return place < children.count && children[place].state == .owning
  }

  /// The shard is no part of the collection any more: its split was called off, or it was put together with another.
  package func isGone(_ index: UInt32) -> Bool {
    if index < shardCount { return isRetiredFounder(index) }
    let place = Int(index - shardCount)
    return place < children.count && children[place].state.isGone
  }

  /// Two shards that own the halves of one range, the lower first.
  package struct Halves: Hashable, Sendable {
    package var survivor: UInt32
    package var absorbed: UInt32
    /// What both own together.
    package var range: KeyRange
  }

  /// The halves that a shard is one of; nil when nobody owns exactly the other one.
  package func halves(with index: UInt32) -> Halves? {
    guard isOwner(index) else { return nil }
    let range = range(of: index)
    guard let whole = range.whole else { return nil }
    let lower = range.residue == whole.residue
    let residue = lower ? range.residue + whole.modulus : whole.residue
    let other = owner(ofHash: UInt64(residue))
    guard self.range(of: other) == KeyRange(residue: residue, modulus: range.modulus) else { return nil }
    return Halves(survivor: lower ? index : other, absorbed: lower ? other : index, range: whole)
  }

  /// The fewest shards that merges can lead to: what is odd of the number that it was made with.
  package var fewestShards: UInt32 { shardCount >> UInt32(shardCount.trailingZeroBitCount) }
}

extension KeyRange {
  /// The range that this one is a half of; nil when there is none.
  package var whole: KeyRange? {
    guard modulus >= 2, modulus % 2 == 0 else { return nil }
    return KeyRange(residue: residue % (modulus / 2), modulus: modulus / 2)
  }
}
