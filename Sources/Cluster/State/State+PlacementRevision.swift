extension State {
  /// The newest revision that changed anything a plan is computed from: nodes, policies, shards, moves, whether balancing
  /// or maintenance is on, and Muster's own settings. A later commit that changed none of them leaves a plan as true as it
  /// was.
  ///
  /// - Complexity: O(shards).
  package var placementRevision: Revision {
    var newest = cluster[1].changed
    nodes.forEach { _, row in newest = max(newest, row.changed) }
    collections.forEach { _, row in newest = max(newest, row.changed) }
    // A move that is over is no row any more; its shard changed with it.
    shards.forEach { _, row in newest = max(newest, row.changed) }
    moves.forEach { _, row in newest = max(newest, row.changed) }
    configs.forEach { _, row in if SystemSetting.owns(row.key) { newest = max(newest, row.changed) } }
    return newest
  }
}
