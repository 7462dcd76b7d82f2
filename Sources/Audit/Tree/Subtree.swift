package import MusterBytes

/// A full subtree: the leaves `index << level ..< (index + 1) << level`. Its hash never changes once they are there.
package struct Subtree: Hashable, Sendable {
  package var level: Int
  package var index: UInt64

  package init(level: Int, index: UInt64) {
    self.level = level
    self.index = index
  }

  /// The fewest full subtrees that hold exactly the leaves `from..<to`, from left to right.
  package static func covering(_ from: UInt64, _ to: UInt64) -> [Subtree] {
    var found: [Subtree] = []
    var from = from
    while from < to {
      let largest = 63 - (to - from).leadingZeroBitCount
      let level = from == 0 ? largest : min(largest, from.trailingZeroBitCount)
      found.append(Subtree(level: level, index: from >> UInt64(level)))
      from += 1 << UInt64(level)
    }
    return found
  }
}

/// Where the hashes of full subtrees come from.
package protocol HashSource {
  associatedtype Failure: Error
  func hash(of subtree: Subtree) throws(Failure) -> SHA256Value
}

extension HashSource {
  /// The hash of the leaves `from..<to` as a node of a tree: `from` is a multiple of the next power of two.
  func hash(_ from: UInt64, _ to: UInt64) throws(Failure) -> SHA256Value {
    var parts = Subtree.covering(from, to)[...]
    guard let last = parts.popLast() else { return MerkleHash.empty }
    var hash = try hash(of: last)
    while let left = parts.popLast() { hash = MerkleHash.node(try self.hash(of: left), hash) }
    return hash
  }

  /// The root of the tree of the first `size` leaves.
  package func root(_ size: UInt64) throws(Failure) -> SHA256Value { try hash(0, size) }
}
