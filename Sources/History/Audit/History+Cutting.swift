internal import MusterAudit
internal import MusterBytes
package import MusterCluster
package import MusterLog

/// What may be cut, and the tree without it.
package struct PlannedCut: Sendable {
  package var horizon: Horizon
  /// The root of the tree of all commits before the oldest segment that stays.
  package var root: [UInt8]
  /// The root of the tree of the names at the horizon.
  package var names: [UInt8]
}

extension PlannedCut {
  /// What a commit says of it.
  package var event: HistoryCut {
    var cut = HistoryCut()
    cut.horizon = horizon.revision
    cut.time = horizon.time
    cut.digestLow = horizon.digestLow
    cut.digestHigh = horizon.digestHigh
    cut.firstRevision = horizon.firstRevision
    cut.chain = horizon.chain
    cut.root = root
    cut.edge = horizon.edge
    cut.names = names
    return cut
  }
}

extension History {
  /// The newest cut that a policy allows; nil when nothing may go. It changes nothing.
  package func plannedCut(_ bounds: RetentionBounds, _ files: AuditFiles) throws(HistoryError) -> PlannedCut? {
    let found: Horizon?
    do throws(LogError) { found = try RetentionPlanner.horizon(log, snapshots, bounds) } catch { throw .log(error) }
    guard var horizon = found else { return nil }
    let size = horizon.firstRevision - 1
    let tree = try StoredTree(log, files, size: size)
    let edge = try TileFrontier(size: size) { (tile) throws(HistoryError) in try tree.hashes(of: tile) }
    horizon.edge = edge.bytes
    let names = NamesTree(try state(at: horizon.revision))
    return PlannedCut(horizon: horizon, root: edge.root.array, names: names.root.array)
  }

  /// The cut that was made of this log; nil while it is whole.
  func madeCut() throws(HistoryError) -> PlannedCut? {
    guard let horizon = log.horizon else { return nil }
    let names = NamesTree(try state(at: horizon.revision))
    return PlannedCut(horizon: horizon, root: try log.treeAtCut().root.array, names: names.root.array)
  }
}
