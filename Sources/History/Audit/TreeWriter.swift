package import MusterAudit
package import MusterBytes
package import MusterLog

/// Lets the stored tree follow the log: hashes what is new and writes every tile that is full.
///
/// Tiles are made from the log and can be made again; nothing that is acknowledged waits for them.
package final class TreeWriter {
  private let files: AuditFiles
  private var frontier: TileFrontier
  /// The folder that a tile was written to last.
  private var folder = ""

  /// Goes on from a checkpoint that the stored tiles lead to; else from the beginning.
  ///
  /// - Parameter log: has what the checkpoint speaks of.
  package init(_ files: AuditFiles, _ log: LogReader, after checkpoint: Checkpoint?) throws(HistoryError) {
    self.files = files
    frontier = TileFrontier()
    guard let checkpoint, checkpoint.size <= log.lastRevision else { return }
    let tree = StoredTree(log, files, size: checkpoint.size)
    let edge = try TileFrontier(size: checkpoint.size) { (tile) throws(HistoryError) in try tree.hashes(of: tile) }
    // Tiles that are missing are written when the log is hashed from the beginning; so are those that are damaged.
    if edge.root == checkpoint.root, try isComplete(checkpoint.size) { frontier = edge }
  }

  package var size: UInt64 { frontier.size }
  package var root: SHA256Value { frontier.root }

  /// True when every full tile of a tree has its file.
  private func isComplete(_ size: UInt64) throws(HistoryError) -> Bool {
    do throws(StorageError) {
      var count = size / UInt64(Tile.fullWidth)
      var level = 0
      while count > 0 {
        for index in 0..<count {
          let bytes = try files.storage.size(AuditFiles.path(Tile(level: level, index: index)))
          guard bytes == Tile.fullWidth * SHA256Value.byteCount else { return false }
        }
        count /= UInt64(Tile.fullWidth)
        level += 1
      }
      return true
    } catch {
      throw .log(.storage(error))
    }
  }

  /// Adds the commits up to a revision.
  ///
  /// - Parameter pause: called after each tile, so that others have the disk.
  package func follow(_ log: LogReader, through last: UInt64, pause: () -> Void = {}) throws(HistoryError) {
    guard last > size else { return }
    try log.forEachStoredCommit(from: size + 1, through: last) { bytes, _ in
      try frontier.append(leaf: MerkleHash.leaf(bytes)) { (tile, hashes) throws(StorageError) in
        try write(tile, hashes)
        pause()
      }
    }
    guard size == last else { throw .divergence(size + 1, "the log has no such commit") }
  }

  /// Writes a tile unless it is there already and says the same.
  private func write(_ tile: Tile, _ hashes: [SHA256Value]) throws(StorageError) {
    guard try files.tile(tile) != hashes else { return }
    if folder != tile.folders.last { try files.makeFolders(for: tile) }
    folder = tile.folders.last ?? ""
    try files.write(tile, hashes)
  }
}
