package import MusterBytes

package enum CollectionState: UInt32, Sendable {
  /// Some shards are not placed yet: a later commit of the same cause places them.
  case creating = 0
  case active = 1
  case deleted = 2

  package var name: String {
    switch self {
    case .creating: "creating"
    case .active: "active"
    case .deleted: "deleted"
    }
  }
}

/// Shards that share one policy.
package struct CollectionRow: TableRow {
  package static let table = TableID.collections
  @inlinable package static var rowsPerPageShift: Int { 4 }

  package var name = ""
  package var state = CollectionState.creating
  package var tenant: TenantID = 0
  package var policy = Policy()
  package var labels: [Label] = []
  /// The number of the first shard; the others that it was made with follow without a gap.
  package var firstShard: ShardID = 0
  package var shardCount: UInt32 = 0
  /// How many shards have replicas, counted from the first.
  package var placedCount: UInt32 = 0
  /// Shards that came of splits, in the order of their numbers.
  package var children: [ChildShard] = []
  /// How many shards it shall come to have, or 0.
  package var wantedShards: UInt32 = 0
  /// It had more when that was said.
  package var wantsFewer = false
  /// Shards that it was made with and that own more than at first, by their numbers within it.
  package var widened: [SplitRange] = []
  /// Shards that have keys of others because a merge was called off.
  package var unpruned: [ShardID] = []
  package var created: Revision = 0
  package var changed: Revision = 0
  /// How often the minimum in sync was raised. A leader hears of it later than the policy says so: what it acknowledges
  /// until then has fewer copies, and elections count on no more than that before it says that all of it has enough.
  package var minimumRaises: UInt32 = 0
  /// The smallest minimum that a shard may still go by whose leader has not said so; 0 when it was never raised.
  package var minimumFloor: UInt32 = 0

  package init() {}

  package var isDeleted: Bool { state == .deleted }

  /// How many replicas at least have whatever was acknowledged in a shard of this collection, of those in sync; 0 when
  /// all have it.
  package func minimum(of shard: ShardRow) -> UInt32 {
    let minimum = minimumInUse(shard)
    // Where everyone has each write all the others have it still.
    return minimum == 0 ? 0 : max(1, minimum - min(minimum, shard.lostCopies))
  }

  /// As many copies were lost as acknowledge a write: some write may have been on these alone, and no election can tell.
  package func mayMissWrites(_ shard: ShardRow) -> Bool {
    let minimum = minimumInUse(shard)
    return minimum > 0 && shard.lostCopies >= minimum && !Mutant.isOn(.lostCopiesSpared)
  }

  private func minimumInUse(_ shard: ShardRow) -> UInt32 {
    isHeld(shard) ? policy.minInSync : Policy.smallerMinimum(policy.minInSync, minimumFloor)
  }

  private func isHeld(_ shard: ShardRow) -> Bool { shard.minimumRaise == minimumRaises || Mutant.isOn(.minimumAtOnce) }

  /// The leader has not said yet that as many have everything as the policy asks for.
  package func mustHoldMinimum(_ shard: ShardRow) -> Bool {
    shard.minimumRaise != minimumRaises || shard.lostCopies > 0
  }

  package mutating func visit<V: FieldVisitor & ~Copyable>(_ fields: inout V) throws(WireError) {
    try fields.string(1, &name, max: Limits.nameBytes)
    try fields.enumeration(2, &state)
    try fields.uint32(3, &tenant)
    try fields.message(4, &policy)
    try fields.messages(5, &labels, count: Limits.labels)
    try fields.uint32(6, &firstShard)
    try fields.uint32(7, &shardCount)
    try fields.uint32(8, &placedCount)
    try fields.uint64(9, &created)
    try fields.uint64(10, &changed)
    try fields.uint32(11, &minimumRaises)
    try fields.uint32(12, &minimumFloor)
    try fields.messages(20, &children, count: Limits.childrenPerCollection)
    try fields.uint32(21, &wantedShards)
    try fields.bool(22, &wantsFewer)
    try fields.messages(23, &widened, count: Limits.widenedPerCollection)
    try fields.packed(24, &unpruned, count: Limits.unprunedPerCollection)
  }
}
