package import MusterBytes

/// That a tree goes on from an earlier one: nothing that was in it was changed (RFC 6962, section 2.1.2).
package struct ConsistencyProof: Equatable, Sendable {
  package var from: UInt64
  package var to: UInt64
  package var path: [SHA256Value]

  package init(from: UInt64, to: UInt64, path: [SHA256Value]) {
    self.from = from
    self.to = to
    self.path = path
  }

  /// - Precondition: the earlier tree is not larger.
  package init<Source: HashSource>(from: UInt64, to: UInt64, _ source: Source) throws(Source.Failure) {
    precondition(from <= to, "a tree only grows")
    self.init(from: from, to: to, path: [])
    guard from > 0, from < to else { return }
    var (low, high) = (UInt64(0), to)
    var isRootKnown = true
    while from < high {
      let middle = low + split(high - low)
      if from <= middle {
        path.append(try source.hash(middle, high))
        high = middle
      } else {
        path.append(try source.hash(low, middle))
        low = middle
        isRootKnown = false
      }
    }
    if !isRootKnown { path.append(try source.hash(low, high)) }
    path.reverse()
  }

  /// True when a tree of `to` leaves with root `newRoot` goes on from one of `from` leaves with root `oldRoot`
  /// (RFC 9162, section 2.1.4.2).
  package func holds(oldRoot: SHA256Value, newRoot: SHA256Value) -> Bool {
    guard from <= to else { return false }
    if from == to { return path.isEmpty && oldRoot == newRoot }
    if from == 0 { return path.isEmpty && oldRoot == MerkleHash.empty }
    var rest = path[...]
    // The earlier tree is itself a node of the later one: its root need not be sent.
    guard let start = from & (from - 1) == 0 ? oldRoot : rest.popFirst() else { return false }
    var (node, last) = (from - 1, to - 1)
    while node & 1 == 1 {
      node >>= 1
      last >>= 1
    }
    var (old, new) = (start, start)
    for sibling in rest {
      guard last > 0 else { return false }
      if node & 1 == 1 || node == last {
        old = MerkleHash.node(sibling, old)
        new = MerkleHash.node(sibling, new)
        while node & 1 == 0 && node > 0 {
          node >>= 1
          last >>= 1
        }
      } else {
        new = MerkleHash.node(new, sibling)
      }
      node >>= 1
      last >>= 1
    }
    return last == 0 && old == oldRoot && new == newRoot
  }
}
