extension State {
  /// The nodes that a policy keeps away from, each with the collection that stands there; names that nobody has are
  /// passed over: such a collection may come later.
  ///
  /// - Complexity: O(shards of those collections).
  package func nodesKeptAway(by policy: Policy) -> [NodeID: CollectionID] {
    var found: [NodeID: CollectionID] = [:]
    for name in policy.apart {
      guard let id = collectionID(named: name) else { continue }
      let row = collections[id]
      for shard in row.livingShards {
        for replica in shards[shard].replicas where found[replica.node] == nil { found[replica.node] = id }
      }
    }
    return found
  }
}
