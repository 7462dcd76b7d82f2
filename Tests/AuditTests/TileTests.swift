import MusterAudit
import MusterBytes
import Testing

@Suite struct TileTests {
  @Test(
    arguments: [
      (Tile(level: 0, index: 0), "tile/0/000"),
      (Tile(level: 0, index: 1_234_067), "tile/0/x001/x234/067"),
      (Tile(level: 1, index: 5, width: 17), "tile/1/005.p/17"),
      (Tile(level: 3, index: 1000), "tile/3/x001/000"),
    ]) func pathsAreThoseOfTheSpecification(tile: Tile, path: String)
  {
    #expect(tile.path == path)
  }

  @Test func theTilesOfATreeAreThoseOfTheSpecification() {
    #expect(
      Tile.partial(of: 70_000) == [
        Tile(level: 0, index: 273, width: 112), Tile(level: 1, index: 1, width: 17), Tile(level: 2, index: 0, width: 1),
      ])
    #expect(Tile.partial(of: 256) == [Tile(level: 1, index: 0, width: 1)])
    #expect(Tile.partial(of: 0).isEmpty)
    #expect(Tile(level: 0, index: 1_234_067).folders == ["tile", "tile/0", "tile/0/x001", "tile/0/x001/x234"])
  }

  @Test func proofsFromTilesAreThoseFromLeaves() throws {
    let count = 70_000
    let tree = NaiveTree.numbered(count)
    var tiles: [Tile: [SHA256Value]] = [:]
    var frontier = TileFrontier()
    var checked = CompactRange()
    for leaf in tree.leaves {
      frontier.append(leaf: leaf) { tile, hashes in tiles[tile] = hashes }
      checked.append(leaf: leaf)
    }
    #expect(tiles.count == 274)
    #expect(frontier.root == checked.root)
    for (tile, hashes) in frontier.partialTiles { tiles[tile] = hashes }
    let size = UInt64(count)
    let source = TiledHashes(size: size) { (tile) throws(MissingTile) in
      guard let hashes = tiles[tile] else { throw MissingTile() }
      return hashes
    }
    for index in [0, 1, 255, 256, 65_535, 65_536, 69_999] as [UInt64] {
      let proof = try InclusionProof(of: index, in: size, source)
      #expect(proof.holds(leaf: tree.leaves[Int(index)], root: checked.root))
    }
    for from in [1, 255, 256, 257, 65_536, 65_537, 69_999] as [UInt64] {
      let proof = try ConsistencyProof(from: from, to: size, source)
      #expect(proof.holds(oldRoot: try source.root(from), newRoot: checked.root))
    }
    let resumed = try TileFrontier(size: size) { (tile) throws(MissingTile) in
      guard let hashes = tiles[tile] else { throw MissingTile() }
      return hashes
    }
    #expect(resumed == frontier)
  }

  private struct MissingTile: Error {}

  @Test func tilesAreTheirHashes() {
    let hashes = NaiveTree.numbered(3).leaves
    let tile = Tile(level: 0, index: 0, width: 3)
    #expect(tile.decode(Tile.encode(hashes)) == hashes)
    #expect(tile.decode(Array(Tile.encode(hashes).dropLast())) == nil)
    #expect(Tile(level: 0, index: 0).decode([]) == nil)
  }
}
