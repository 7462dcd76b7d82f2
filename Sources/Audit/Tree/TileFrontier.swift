package import MusterBytes

/// The right edge of a tree in tiles: what the next leaves are added to.
///
/// Invariants: `edges[l]` has the hashes of the incomplete tile of level l; the last one is not empty.
package struct TileFrontier: Equatable, Sendable {
  package private(set) var size: UInt64 = 0
  private var edges: [[SHA256Value]] = []

  package init() {}

  /// The edge of a tree of `size` leaves.
  ///
  /// - Parameter read: the hashes of a partial tile.
  package init<E: Error>(size: UInt64, _ read: (Tile) throws(E) -> [SHA256Value]) throws(E) {
    self.size = size
    for tile in Tile.partial(of: size) {
      while edges.count <= tile.level { edges.append([]) }
      edges[tile.level] = try read(tile)
    }
  }

  /// Adds a leaf.
  ///
  /// - Parameter write: called with each tile that is full now, the lowest first.
  package mutating func append<E: Error>(
    leaf: SHA256Value, _ write: (Tile, [SHA256Value]) throws(E) -> Void
  ) throws(E) {
    size += 1
    var hash = leaf
    var level = 0
    while true {
      if edges.count == level { edges.append([]) }
      edges[level].append(hash)
      guard edges[level].count == Tile.fullWidth else { return }
      let index = (size >> UInt64(Tile.height * (level + 1))) - 1
      try write(Tile(level: level, index: index), edges[level])
      hash = TileFrontier.hash(edges[level])
      edges[level].removeAll(keepingCapacity: true)
      level += 1
    }
  }

  /// The hash of a full tile as a subtree.
  package static func hash(_ hashes: [SHA256Value]) -> SHA256Value {
    var range = CompactRange()
    for hash in hashes { range.append(leaf: hash) }
    return range.root
  }

  package var root: SHA256Value {
    var range = CompactRange()
    for (level, hashes) in edges.enumerated().reversed() {
      for hash in hashes { _ = range.append(hash, level: level * Tile.height) }
    }
    return range.root
  }

  /// The incomplete tiles with their hashes.
  package var partialTiles: [(tile: Tile, hashes: [SHA256Value])] {
    Tile.partial(of: size).map { ($0, edges[$0.level]) }
  }
}
