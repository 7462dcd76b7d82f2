package import MusterAudit
internal import MusterBytes
internal import MusterCluster
internal import MusterLog

extension History {
  /// Checks, commit by commit, that this log has what a checkpoint speaks of, whatever its checksums and chain say.
  ///
  /// - Parameter files: tiles that may say which commit was altered; they are not believed otherwise.
  /// - Throws: `.divergence` with the first revision that is not what was signed, as far as that can be told.
  package func verify(_ checkpoint: Checkpoint, _ files: AuditFiles? = nil) throws(HistoryError) {
    guard isOurs(checkpoint) else {
      throw .refused(
        Refusal(.invalid, "the checkpoint is of the log \(checkpoint.origin), and this is \(origin(log.identity))"))
    }
    guard checkpoint.size <= last else {
      throw .divergence(
        last + 1,
        "the log ends here, and a checkpoint of \(checkpoint.size) commits was signed: the rest was taken away")
    }
    let tree = StoredTree(log, nil, size: checkpoint.size)
    guard try tree.root(checkpoint.size) != checkpoint.root else { return }
    let place = try firstAltered(checkpoint, files)
    throw .divergence(
      place ?? 1,
      "the first \(checkpoint.size) commits are not those that were signed"
        + (place == nil
          ? "; which of them was altered cannot be told without the tiles of that time" : ": this one is another"))
  }

  private func origin(_ identity: LogIdentity) -> String {
    Checkpoint.origin(clusterID: identity.clusterID, timeline: identity.timeline)
  }

  /// Signed by this timeline, or by one that this one goes on from, before it did.
  private func isOurs(_ checkpoint: Checkpoint) -> Bool {
    if checkpoint.origin == origin(log.identity) { return true }
    return log.identity.ancestors.contains {
      Checkpoint.origin(clusterID: $0.clusterID, timeline: $0.timeline) == checkpoint.origin
        && checkpoint.size <= $0.revision
    }
  }

  /// Compares the commits with the stored tiles, when these lead to the signed root.
  private func firstAltered(_ checkpoint: Checkpoint, _ files: AuditFiles?) throws(HistoryError) -> UInt64? {
    guard let files else { return nil }
    let stored = StoredTree(log, files, size: checkpoint.size)
    guard try stored.root(checkpoint.size) == checkpoint.root else { return nil }
    for start in stride(from: 0, to: checkpoint.size, by: Tile.fullWidth) {
      let tile = Tile(level: 0, index: start / UInt64(Tile.fullWidth), width: Int(min(256, checkpoint.size - start)))
      let signed = try stored.hashes(of: tile)
      let found = try log.leafHashes(start..<(start + UInt64(tile.width)))
      if let place = signed.indices.first(where: { signed[$0] != found[$0] }) { return start + UInt64(place) + 1 }
    }
    return nil
  }
}
