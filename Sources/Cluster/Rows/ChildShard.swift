package import MusterBytes

package enum ChildState: UInt32, Sendable {
  /// Its replicas copy its parent's data, and it owns no key yet.
  case making = 0
  case owning = 1
  /// Its split was called off. Its numbers are not given again.
  case gone = 2
  /// It was put together with another, and is gone too.
  case merged = 3

  package var name: String {
    switch self {
    case .making: "making"
    case .owning: "owning"
    case .gone: "gone"
    case .merged: "merged"
    }
  }

  package var isGone: Bool { self == .gone || self == .merged }
}

/// A shard that came of the split of another. The first has the number `shardCount` within its collection.
package struct ChildShard: FieldMessage, Hashable {
  package var shard: ShardID = 0
  package var parent: ShardID = 0
  /// What it got at its birth. Later splits of its own narrow it.
  package var range = KeyRange()
  package var state = ChildState.making
  /// Keys that went with the split are gone from the parent, and the others from the child.
  package var isParentPruned = false
  package var isPruned = false

  package init() {}

  package mutating func visit<V: FieldVisitor & ~Copyable>(_ fields: inout V) throws(WireError) {
    try fields.uint32(1, &shard)
    try fields.uint32(2, &parent)
    try fields.message(3, &range)
    try fields.enumeration(4, &state)
    try fields.bool(5, &isParentPruned)
    try fields.bool(6, &isPruned)
  }

}

// MARK: - The shards of a collection

extension CollectionRow {
  /// How many shards own keys.
  package var owningCount: UInt32 {
    shardCount + UInt32(children.count { $0.state == .owning }) - UInt32(retiredFounders.count)
  }

  /// How many numbers within the collection were given, also to shards that are gone.
  package var indexCount: UInt32 { shardCount + UInt32(children.count) }

  /// The number of a shard within the cluster, also of one that is gone; nil when there was none.
  package func shard(at index: UInt32) -> ShardID? {
    if index < shardCount { return firstShard + index }
    let place = Int(index - shardCount)
    return place < children.count ? children[place].shard : nil
  }

  /// Shards that own keys, in ascending order.
  package var owners: [ShardID] { shards { $0.state == .owning } }

  /// The same with those that are being made.
  package var livingShards: [ShardID] { shards { !$0.state.isGone } }

  /// All that it ever had.
  package var everyShard: [ShardID] { (0..<shardCount).map { firstShard + $0 } + children.map(\.shard) }

  private func shards(_ isMeant: (ChildShard) -> Bool) -> [ShardID] {
    let retired = Set(retiredFounders)
    let founders = retired.isEmpty ? Array(0..<shardCount) : (0..<shardCount).filter { !retired.contains($0) }
    return founders.map { firstShard + $0 } + children.filter(isMeant).map(\.shard)
  }

  /// `12: 17 of 24, owning`
  package var childWords: [String] {
    children.enumerated().map { "\(shardCount + UInt32($0)): \($1.range.words), \($1.state.name)" }
  }

  package func child(_ shard: ShardID) -> ChildShard? { children.first { $0.shard == shard } }

  /// The keys that a shard owns; of one that is being made, those that it will.
  package func range(of index: UInt32) -> KeyRange {
    var range: KeyRange
    if index < shardCount {
      range = widened.first { $0.index == index }?.range ?? KeyRange(residue: index, modulus: max(shardCount, 1))
    } else {
      let place = Int(index - shardCount)
      guard place < children.count else { return KeyRange() }
      range = children[place].range
    }
    while let halves = range.halves, children.contains(where: { $0.state == .owning && $0.range == halves.goes }) {
      range = halves.stays
    }
    return range
  }

  /// Which of its shards owns the keys of a hash: of all ranges that hold it the narrowest one counts, since every split
  /// takes from the range that held the key before.
  package func owner(ofHash hash: UInt64) -> UInt32 {
    KeyHash.owner(ofHash: hash, count: shardCount, split: splitRanges)
  }

  /// Ranges that do not follow from the number that it was made with, with the numbers of their shards within it: those that
  /// were split off and own their keys, and those that got wider by merges.
  package var splitRanges: [SplitRange] {
    widened
      + children.enumerated().compactMap { place, child in
        guard child.state == .owning else { return nil }
        return SplitRange(index: shardCount + UInt32(place), range: child.range)
      }
  }

  /// Keys of others that a shard has still, or nothing.
  package func isPruningDue(_ shard: ShardID) -> Bool {
    unpruned.contains(shard)
      || children.contains {
        $0.state == .owning && (($0.shard == shard && !$0.isPruned) || ($0.parent == shard && !$0.isParentPruned))
      }
  }
}

/// A range that a split or a merge gave to a shard.
package struct SplitRange: FieldMessage, Hashable {
  package var index: UInt32 = 0
  package var range = KeyRange()

  package init() {}
  package init(index: UInt32, range: KeyRange) {
    self.index = index
    self.range = range
  }

  package mutating func visit<V: FieldVisitor & ~Copyable>(_ fields: inout V) throws(WireError) {
    try fields.uint32(1, &index)
    try fields.message(2, &range)
  }
}
