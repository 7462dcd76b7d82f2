package import MusterBytes

/// That one leaf is in a tree (RFC 6962, section 2.1.1).
package struct InclusionProof: Equatable, Sendable {
  package var index: UInt64
  package var size: UInt64
  /// From the leaf's sibling up to the root's child.
  package var path: [SHA256Value]

  package init(index: UInt64, size: UInt64, path: [SHA256Value]) {
    self.index = index
    self.size = size
    self.path = path
  }

  /// - Precondition: the leaf is in the tree.
  package init<Source: HashSource>(of index: UInt64, in size: UInt64, _ source: Source) throws(Source.Failure) {
    precondition(index < size, "only what is in the tree can be proved to be there")
    var path: [SHA256Value] = []
    var (low, high) = (UInt64(0), size)
    while high - low > 1 {
      let middle = low + split(high - low)
      if index < middle {
        path.append(try source.hash(middle, high))
        high = middle
      } else {
        path.append(try source.hash(low, middle))
        low = middle
      }
    }
    self.init(index: index, size: size, path: path.reversed())
  }

  /// True when a tree with this root has the leaf at the index (RFC 9162, section 2.1.3.2).
  package func holds(leaf: SHA256Value, root: SHA256Value) -> Bool {
    guard index < size else { return false }
    var (node, last) = (index, size - 1)
    var hash = leaf
    for sibling in path {
      guard last > 0 else { return false }
      if node & 1 == 1 || node == last {
        hash = MerkleHash.node(sibling, hash)
        while node & 1 == 0 && node > 0 {
          node >>= 1
          last >>= 1
        }
      } else {
        hash = MerkleHash.node(hash, sibling)
      }
      node >>= 1
      last >>= 1
    }
    return last == 0 && hash == root
  }
}

/// The largest power of two below a number of leaves above 1: how many stand left in a tree of so many.
func split(_ count: UInt64) -> UInt64 { 1 << UInt64(63 - (count - 1).leadingZeroBitCount) }
