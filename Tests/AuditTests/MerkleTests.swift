import MusterAudit
import MusterBytes
import MusterWorkload
import Testing

/// A tree of leaf hashes in memory, computed from the definition in RFC 6962: the oracle for everything that is not.
struct NaiveTree: HashSource {
  var leaves: [SHA256Value]

  func hash(of subtree: Subtree) -> SHA256Value {
    let first = Int(subtree.index << UInt64(subtree.level))
    return NaiveTree.root(leaves[first..<(first + 1 << subtree.level)])
  }

  static func root(_ leaves: ArraySlice<SHA256Value>) -> SHA256Value {
    if leaves.isEmpty { return SHA256Value.hash([]) }
    if leaves.count == 1 { return leaves[leaves.startIndex] }
    var left = 1
    while left * 2 < leaves.count { left *= 2 }
    return MerkleHash.node(root(leaves.prefix(left)), root(leaves.dropFirst(left)))
  }

  static func numbered(_ count: Int) -> NaiveTree {
    NaiveTree(leaves: (0..<count).map { MerkleHash.leaf(Array("leaf \($0)".utf8)) })
  }
}

func bytes(hex: String) -> [UInt8] {
  var bytes: [UInt8] = []
  var digits = hex[...]
  while digits.count >= 2 {
    bytes.append(UInt8(digits.prefix(2), radix: 16) ?? 0)
    digits = digits.dropFirst(2)
  }
  return bytes
}

/// The vectors that the implementations of certificate transparency share.
enum PublishedTree {
  static let leaves = [
    "", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f",
  ].map { bytes(hex: $0) }

  static let roots = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
  ]

  /// The index of a leaf, the size of a tree, the path.
  static let inclusions: [(UInt64, UInt64, [String])] = [
    (0, 1, []),
    (
      0, 8,
      [
        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
      ]
    ),
    (
      5, 8,
      [
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
      ]
    ),
    (2, 3, ["fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"]),
    (
      1, 5,
      [
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
      ]
    ),
  ]

  /// The sizes of two trees, the path.
  static let consistencies: [(UInt64, UInt64, [String])] = [
    (1, 1, []),
    (
      1, 8,
      [
        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
      ]
    ),
    (
      6, 8,
      [
        "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
      ]
    ),
    (
      2, 5,
      [
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
      ]
    ),
    (
      6, 7,
      [
        "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
        "b08693ec2e721597130641e8211e7eedccb4c26413963eee6c1e2ed16ffb1a5f",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
      ]
    ),
  ]

  static let tree = NaiveTree(leaves: leaves.map { MerkleHash.leaf($0) })
}

@Suite struct MerkleTests {
  @Test func publishedRootsAreOurs() {
    #expect(MerkleHash.empty.hex == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
    var range = CompactRange()
    #expect(range.root == MerkleHash.empty)
    var frontier = TileFrontier()
    for (place, root) in PublishedTree.roots.enumerated() {
      range.append(leaf: PublishedTree.tree.leaves[place])
      frontier.append(leaf: PublishedTree.tree.leaves[place]) { _, _ in }
      #expect(range.root.hex == root)
      #expect(frontier.root.hex == root)
      #expect(PublishedTree.tree.root(UInt64(place + 1)).hex == root)
    }
  }

  @Test func publishedProofsOfInclusionAreOurs() {
    for (index, size, path) in PublishedTree.inclusions {
      let proof = InclusionProof(of: index, in: size, PublishedTree.tree)
      #expect(proof.path.map(\.hex) == path)
      let (leaf, root) = (PublishedTree.tree.leaves[Int(index)], PublishedTree.tree.root(size))
      #expect(proof.holds(leaf: leaf, root: root))
    }
  }

  @Test func publishedProofsOfConsistencyAreOurs() {
    for (from, to, path) in PublishedTree.consistencies {
      let proof = ConsistencyProof(from: from, to: to, PublishedTree.tree)
      #expect(proof.path.map(\.hex) == path)
      #expect(proof.holds(oldRoot: PublishedTree.tree.root(from), newRoot: PublishedTree.tree.root(to)))
    }
  }

  @Test func everyProofOfSmallTreesHoldsAndNoAlteredOneDoes() {
    let tree = NaiveTree.numbered(33)
    let other = MerkleHash.leaf([9])
    for size in UInt64(1)...33 {
      let root = tree.root(size)
      for index in 0..<size {
        let proof = InclusionProof(of: index, in: size, tree)
        let leaf = tree.leaves[Int(index)]
        #expect(proof.holds(leaf: leaf, root: root))
        #expect(!proof.holds(leaf: other, root: root))
        #expect(!proof.holds(leaf: leaf, root: other))
        for altered in alterations(of: proof.path) {
          #expect(!InclusionProof(index: index, size: size, path: altered).holds(leaf: leaf, root: root))
        }
        for wrong in [index + 1, index ^ 2, index &- 1] where wrong != index {
          let altered = InclusionProof(index: wrong, size: size, path: proof.path)
          #expect(!altered.holds(leaf: leaf, root: root))
        }
      }
    }
  }

  @Test func everyProofThatATreeGrewHoldsAndNoAlteredOneDoes() {
    let tree = NaiveTree.numbered(33)
    let other = MerkleHash.leaf([9])
    for to in UInt64(0)...33 {
      for from in 0...to {
        let (old, new) = (tree.root(from), tree.root(to))
        let proof = ConsistencyProof(from: from, to: to, tree)
        #expect(proof.holds(oldRoot: old, newRoot: new), "\(from) to \(to)")
        guard from > 0, from < to else { continue }
        #expect(!proof.holds(oldRoot: other, newRoot: new))
        #expect(!proof.holds(oldRoot: old, newRoot: other))
        for altered in alterations(of: proof.path) {
          #expect(!ConsistencyProof(from: from, to: to, path: altered).holds(oldRoot: old, newRoot: new))
        }
        #expect(!ConsistencyProof(from: from + 1, to: to, path: proof.path).holds(oldRoot: old, newRoot: new))
      }
    }
  }

  /// One hash altered, one left out, one too many at either end.
  private func alterations(of path: [SHA256Value]) -> [[SHA256Value]] {
    let other = MerkleHash.leaf([7])
    var found = [path + [other], [other] + path]
    for place in path.indices {
      var altered = path
      altered[place] = other
      found.append(altered)
      altered.remove(at: place)
      found.append(altered)
    }
    return found
  }

  @Test func hostileSizesAndPathsAreRefusedWithoutATrap() {
    let hash = MerkleHash.leaf([])
    let long = [SHA256Value](repeating: hash, count: 100)
    for size in [0, 1, 2, UInt64.max - 1, UInt64.max] {
      for index in [0, 1, UInt64.max - 1, UInt64.max] {
        for path in [[], [hash], long] {
          let holds = InclusionProof(index: index, size: size, path: path).holds(leaf: hash, root: hash)
          #expect(holds == (index == 0 && size == 1 && path.isEmpty))
          let grew = ConsistencyProof(from: index, to: size, path: path)
          #expect(grew.holds(oldRoot: hash, newRoot: hash) == (index == size && path.isEmpty))
        }
      }
    }
  }

  @Test func subtreesCoverARangeInOrder() {
    var random = SeededGenerator(seed: 5)
    for _ in 0..<500 {
      let from = UInt64(random.below(5000))
      let to = from + UInt64(random.below(5000))
      var next = from
      for subtree in Subtree.covering(from, to) {
        #expect(subtree.index << UInt64(subtree.level) == next)
        next += 1 << UInt64(subtree.level)
      }
      #expect(next == to)
      #expect(Subtree.covering(from, to).count <= 26)
    }
  }

  @Test func aRangeOfSubtreesHasTheRootOfItsLeaves() {
    let tree = NaiveTree.numbered(300)
    var random = SeededGenerator(seed: 6)
    for _ in 0..<50 {
      var range = CompactRange()
      while range.size < 300 {
        let next = min(300, range.size + UInt64(random.below(60)))
        for subtree in Subtree.covering(range.size, next) {
          let isAppended = range.append(tree.hash(of: subtree), level: subtree.level)
          #expect(isAppended)
        }
        #expect(range.root == tree.root(range.size))
      }
    }
  }

  @Test func aSubtreeThatCannotStandThereIsRefused() {
    var range = CompactRange()
    range.append(leaf: MerkleHash.leaf([]))
    for level in [1, 8, 61, 62, 63, 1000, -1] {
      let appended = range.append(MerkleHash.leaf([]), level: level)
      #expect(!appended)
    }
    #expect(range.size == 1)
  }
}
