package import MusterBytes

/// A tree that grows to the right and remembers only what its root needs: the hash of one full subtree for each bit
/// that is set in its size.
package struct CompactRange: Equatable, Sendable {
  package private(set) var size: UInt64 = 0
  /// The largest, which stands leftmost, first.
  private var subtrees: [SHA256Value] = []

  /// No tree of ours grows beyond this, so that sizes can be added without overflow.
  private static let sizeMax: UInt64 = 1 << 62

  package init() {}

  package mutating func append(leaf hash: SHA256Value) { _ = append(hash, level: 0) }

  /// Appends a full subtree of `1 << level` leaves.
  ///
  /// - Returns: false, with nothing changed, when none of that size can stand here.
  package mutating func append(_ hash: SHA256Value, level: Int) -> Bool {
    guard level >= 0, level < 62, size & ((1 << UInt64(level)) - 1) == 0,
      size <= CompactRange.sizeMax - (1 << UInt64(level))
    else { return false }
    var hash = hash
    var merged = size >> UInt64(level)
    while merged & 1 == 1, let left = subtrees.popLast() {
      hash = MerkleHash.node(left, hash)
      merged >>= 1
    }
    subtrees.append(hash)
    size += 1 << UInt64(level)
    return true
  }

  package var root: SHA256Value {
    guard var hash = subtrees.last else { return MerkleHash.empty }
    for left in subtrees.dropLast().reversed() { hash = MerkleHash.node(left, hash) }
    return hash
  }
}
