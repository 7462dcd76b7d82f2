internal import MusterAudit
internal import MusterBytes
internal import MusterCluster
internal import MusterProtocol

/// The tree of all names that a state has: its leaves are the events that would give them. A cut keeps its root, and so
/// each name can be proved when the commit that gave it is gone.
struct NamesTree {
  let events: [Event]
  private let leaves: [[UInt8]]

  init(_ state: State) {
    events = state.namingEvents
    leaves = events.map { $0.encoded() }
  }

  var root: SHA256Value { hash(0..<leaves.count) }

  private func hash(_ range: Range<Int>) -> SHA256Value {
    var tree = CompactRange()
    for leaf in leaves[range] { tree.append(leaf: leaf.withUnsafeBytes { MerkleHash.leaf($0) }) }
    return tree.root
  }

  /// The parts that prove these names, by their places, and pass over all others.
  func parts(proving places: Set<Int>) -> [ProofPart] {
    var parts: [ProofPart] = []
    var next = 0
    while next < leaves.count {
      let isProved = places.contains(next)
      var part = ProofPart()
      part.isOfNames = true
      let start = next
      while next < leaves.count, places.contains(next) == isProved, part.commits.count < ExportProver.partBytes {
        if isProved { part.append(leaves[next]) }
        next += 1
      }
      part.count = UInt64(next - start)
      if !isProved { part.hashes = hashes(from: start, to: next) }
      parts.append(part)
    }
    return parts
  }

  private func hashes(from start: Int, to end: Int) -> [UInt8] {
    Subtree.covering(UInt64(start), UInt64(end)).flatMap { subtree in
      hash(Int(subtree.index) << subtree.level..<Int(subtree.index + 1) << subtree.level).array
    }
  }
}

extension ProofPart {
  /// Adds the bytes of a leaf behind their length.
  mutating func append(_ leaf: [UInt8]) {
    var writer = ByteWriter(capacity: leaf.count + 8)
    writer.varint(UInt64(leaf.count))
    writer.raw(leaf)
    commits += writer.bytes
  }
}
