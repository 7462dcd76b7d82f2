package import MusterBytes

/// Answers for the hash of any full subtree from tiles: at most one tile is read for it, and some hundred hashes made.
package struct TiledHashes<Failure: Error>: HashSource {
  private let size: UInt64
  private let read: (Tile) throws(Failure) -> [SHA256Value]

  /// - Parameters:
  ///   - size: how many leaves the tiles have; none beyond them is asked for.
  ///   - read: the hashes of a tile, as many as its width says.
  package init(size: UInt64, _ read: @escaping (Tile) throws(Failure) -> [SHA256Value]) {
    self.size = size
    self.read = read
  }

  package func hash(of subtree: Subtree) throws(Failure) -> SHA256Value {
    let level = subtree.level / Tile.height
    let height = UInt64(subtree.level % Tile.height)
    let first = subtree.index << height
    let hashes = try read(tile(level, first / UInt64(Tile.fullWidth)))
    let start = Int(first % UInt64(Tile.fullWidth))
    return TileFrontier.hash(Array(hashes[start..<(start + 1 << Int(height))]))
  }

  /// The tile as it is in a tree of this size.
  private func tile(_ level: Int, _ index: UInt64) -> Tile {
    let hashes = size >> UInt64(level * Tile.height)
    return Tile(level: level, index: index, width: Int(min(256, hashes - index * UInt64(Tile.fullWidth))))
  }
}
