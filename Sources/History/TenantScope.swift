internal import MusterCluster

/// What belongs to a tenant: what it did, its collections with their shards, and configuration in its scopes.
struct TenantScope: Sendable {
  private let tenant: TenantID
  private var collections: Set<CollectionID> = []
  private var shardRanges: [ClosedRange<ShardID>] = []
  private var children: Set<ShardID> = []
  private var configs: Set<ConfigID> = []

  /// - Parameter state: a state that knows all of it, as a rule the newest.
  init(_ tenant: TenantID, _ state: State) {
    self.tenant = tenant
    state.collections.forEach { id, row in
      guard row.tenant == tenant else { return }
      collections.insert(id)
      // Numbers of shards ascend with those of collections.
      shardRanges.append(row.shardRange)
      children.formUnion(row.children.map(\.shard))
    }
    state.configs.forEach { id, row in
      switch row.scope.kind {
      case .tenant: if row.scope.id == tenant { configs.insert(id) }
      case .collection: if collections.contains(row.scope.id) { configs.insert(id) }
      case .cluster, .node: break
      }
    }
  }

  func owns(_ commit: Commit) -> Bool {
    if commit.tenant == tenant { return true }
    var touched = Touched()
    for event in commit.events {
      switch event {
      case .tenantCreated(let event) where event.tenant == tenant: return true
      case .tenantKeyErased(let event) where event.tenant == tenant: return true
      default: break
      }
      event.touch(&touched)
    }
    return touched.collections.contains(where: collections.contains)
      || touched.configs.contains(where: configs.contains)
      || touched.shards.contains(where: owns)
  }

  private func owns(_ shard: ShardID) -> Bool {
    if children.contains(shard) { return true }
    var low = 0
    var high = shardRanges.count
    while low < high {
      let middle = (low + high) / 2
      if shardRanges[middle].upperBound < shard { low = middle + 1 } else { high = middle }
    }
    return low < shardRanges.count && shardRanges[low].contains(shard)
  }
}
