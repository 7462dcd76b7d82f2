package import MusterAudit
package import MusterBytes
internal import MusterCluster
package import MusterLog

/// The tree over the first commits of a log. Its hashes come from the tiles that are stored, and where none is, from
/// the commits.
///
/// It never writes. One caller at a time.
package final class StoredTree: HashSource {
  /// Tiles that are kept in memory: two proofs' worth.
  private static let tilesKept = 64

  package let size: UInt64
  private let log: LogReader
  private let files: AuditFiles?
  private var known: [Tile: [SHA256Value]] = [:]
  /// Tiles that were made from commits because none was stored.
  package private(set) var tilesMade: UInt64 = 0

  /// - Parameters:
  ///   - size: how many commits; the log has at least as many.
  ///   - files: where tiles are; nil to trust none and hash every commit.
  package init(_ log: LogReader, _ files: AuditFiles?, size: UInt64) {
    self.log = log
    self.files = files
    self.size = size
  }

  package func hash(of subtree: Subtree) throws(HistoryError) -> SHA256Value {
    try TiledHashes(size: size) { [self] (tile) throws(HistoryError) in try hashes(of: tile) }.hash(of: subtree)
  }

  /// The hashes of a tile, full or at the right edge.
  func hashes(of tile: Tile) throws(HistoryError) -> [SHA256Value] {
    if let hashes = known[tile] { return hashes }
    let found = try stored(tile)
    let hashes = if let found { found } else { try made(tile) }
    if known.count >= StoredTree.tilesKept { known.removeAll() }
    known[tile] = hashes
    return hashes
  }

  /// A tile as it is stored, unless the full tile above it says that it is damaged. Where none is above, the root says.
  private func stored(_ tile: Tile) throws(HistoryError) -> [SHA256Value]? {
    guard let hashes = try unchecked(tile) else { return nil }
    let above = Tile(level: tile.level + 1, index: tile.index / UInt64(Tile.fullWidth))
    guard size >> UInt64(Tile.height * (above.level + 1)) > above.index else { return hashes }
    let place = Int(tile.index % UInt64(Tile.fullWidth))
    return TileFrontier.hash(hashes) == (try self.hashes(of: above))[place] ? hashes : nil
  }

  private func unchecked(_ tile: Tile) throws(HistoryError) -> [SHA256Value]? {
    guard let files, tile.isFull else { return nil }
    do throws(StorageError) { return try files.tile(tile) } catch { throw .log(.storage(error)) }
  }

  private func made(_ tile: Tile) throws(HistoryError) -> [SHA256Value] {
    tilesMade += 1
    let first = tile.index * UInt64(Tile.fullWidth)
    guard tile.level > 0 else { return try log.leafHashes(first..<(first + UInt64(tile.width))) }
    var hashes: [SHA256Value] = []
    for place in 0..<UInt64(tile.width) {
      let below = Tile(level: tile.level - 1, index: first + place)
      let stored = try unchecked(below)
      let found = if let stored { stored } else { try made(below) }
      hashes.append(TileFrontier.hash(found))
    }
    return hashes
  }
}

extension LogReader {
  /// The hashes of commits as leaves; index 0 is revision 1.
  func leafHashes(_ range: Range<UInt64>) throws(HistoryError) -> [SHA256Value] {
    var hashes: [SHA256Value] = []
    try forEachStoredCommit(from: range.lowerBound + 1, through: range.upperBound) { bytes, _ in
      hashes.append(MerkleHash.leaf(bytes))
    }
    guard hashes.count == Int(range.upperBound - range.lowerBound) else {
      throw .divergence(range.lowerBound + 1 + UInt64(hashes.count), "the log has no such commit")
    }
    return hashes
  }

  /// Calls `body` with the stored bytes of every commit of the range, in order. Their memory is good until it returns.
  func forEachStoredCommit(
    from: Revision, through: Revision, _ body: (UnsafeRawBufferPointer, Revision) throws -> Void
  ) throws(HistoryError) {
    try named(from) { [self] in
      try forEachBlock(from: from, through: through) { block in
        try block.forEachCommit { bytes, revision in
          if revision >= from && revision <= through { try body(bytes, revision) }
          return revision < through
        }
      }
    }
  }

  /// The same for the commits of one unit, up to a revision.
  func forEachStoredCommit(
    in unit: LogUnit, through: Revision, _ body: (UnsafeRawBufferPointer, Revision) throws -> Void
  ) throws(HistoryError) {
    try named(unit.firstRevision) { [self] in
      _ = try forEachBlock(in: unit) { block in
        try block.forEachCommit { bytes, revision in
          if revision <= through { try body(bytes, revision) }
          return revision < through
        }
      }
    }
  }

  /// Names the errors of what is below.
  private func named(_ revision: Revision, _ body: () throws -> Void) throws(HistoryError) {
    do {
      try body()
    } catch let error as HistoryError {
      throw error
    } catch let error as LogError {
      throw .log(error)
    } catch let error as StorageError {
      throw .log(.storage(error))
    } catch {
      throw .divergence(revision, "\(error)")
    }
  }
}
