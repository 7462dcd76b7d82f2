internal import MusterAudit
package import MusterBytes
package import MusterCluster
package import MusterProtocol

/// Takes the parts of the proof of an export in the order of the log. What it hands on is true once the root that comes
/// out at the end is the signed one; it needs no more memory than a tree's right edge and the names.
package struct ProvenCommits {
  private var range = CompactRange()
  /// What the commits so far named.
  package private(set) var names = NameBook()
  /// A size at which the root is wanted besides the end, and what it was there.
  private let heldSize: UInt64?
  package private(set) var heldRoot: SHA256Value?

  /// The tree of names that were given before a cut, as far as the parts have them.
  private var cutNames = CompactRange()
  /// A proved commit says that this is the tree of all names at its horizon.
  private var isNamesRootProved = false

  package init(heldSize: UInt64? = nil) { self.heldSize = heldSize }

  package var size: UInt64 { range.size }
  package var root: SHA256Value { range.root }
  /// True when what the parts name is named by a proved commit. To be asked at the end.
  package var areNamesProved: Bool { cutNames.size == 0 || isNamesRootProved }

  /// - Parameter each: called with every commit of the part; its names are known by then.
  package mutating func take(_ part: ProofPart, _ each: (Commit, NameBook) throws -> Void) throws {
    if part.isOfNames { return try takeNames(part) }
    noteHeld()
    if part.hashes.isEmpty { try takeCommits(part, each) } else { try pass(part) }
  }

  private mutating func takeCommits(_ part: ProofPart, _ each: (Commit, NameBook) throws -> Void) throws {
    let leaves = try part.commits.withUnsafeBytes { raw in
      var reader = ByteReader(raw)
      var found: [(SHA256Value, Commit)] = []
      while !reader.isAtEnd {
        guard let bytes = try? reader.delimited() else { throw ProvenCommits.malformed("a commit of it is cut off") }
        do throws(WireError) {
          found.append((MerkleHash.leaf(bytes), try Commit(bytes: bytes, refusingUnknownFields: true)))
        } catch {
          throw ProvenCommits.malformed("commit \(range.size + UInt64(found.count) + 1) cannot be read: \(error)")
        }
      }
      return found
    }
    guard UInt64(leaves.count) == part.count, !leaves.isEmpty else {
      throw ProvenCommits.malformed("a part of it has more or fewer commits than it says")
    }
    for (leaf, commit) in leaves {
      guard commit.revision == range.size + 1 else {
        throw AuditError.wrong(
          "where commit \(range.size + 1) belongs, the proof has one that says it is \(commit.revision)")
      }
      range.append(leaf: leaf)
      noteHeld()
      names.learn(commit)
      for case .historyCut(let cut) in commit.events where cut.names == cutNames.root.array { isNamesRootProved = true }
      try each(commit, names)
    }
  }

  /// Names come before every commit: whatever is shown may need them.
  private mutating func takeNames(_ part: ProofPart) throws {
    guard range.size == 0 else { throw ProvenCommits.malformed("names stand behind commits") }
    guard part.hashes.isEmpty else { return try ProvenCommits.pass(part, &cutNames) { _ in } }
    var count: UInt64 = 0
    try part.commits.withUnsafeBytes { raw in
      var reader = ByteReader(raw)
      while !reader.isAtEnd {
        guard let bytes = try? reader.delimited(), let event = try? Event(bytes: bytes, refusingUnknownFields: true)
        else { throw ProvenCommits.malformed("a name of it cannot be read") }
        cutNames.append(leaf: MerkleHash.leaf(bytes))
        names.learn(event)
        count += 1
      }
    }
    guard count == part.count, count > 0 else {
      throw ProvenCommits.malformed("a part of it has more or fewer names than it says")
    }
  }

  /// Passes over commits that hashes stand for.
  private mutating func pass(_ part: ProofPart) throws {
    var tree = range
    var held = heldRoot
    try ProvenCommits.pass(part, &tree) { [heldSize] tree in if tree.size == heldSize { held = tree.root } }
    (range, heldRoot) = (tree, held)
  }

  /// - Parameter each: called after every hash.
  private static func pass(
    _ part: ProofPart, _ tree: inout CompactRange, _ each: (CompactRange) -> Void
  ) throws {
    let (end, isTooFar) = tree.size.addingReportingOverflow(part.count)
    guard part.commits.isEmpty, !isTooFar, end < 1 << 62, part.count > 0 else {
      throw malformed("a gap of it is too wide")
    }
    let subtrees = Subtree.covering(tree.size, end)
    guard part.hashes.count == subtrees.count * SHA256Value.byteCount else {
      throw malformed("a gap of it has more or fewer hashes than it needs")
    }
    for (place, subtree) in subtrees.enumerated() {
      let bytes = part.hashes[(place * SHA256Value.byteCount)..<((place + 1) * SHA256Value.byteCount)]
      guard let hash = SHA256Value(exactly: bytes), tree.append(hash, level: subtree.level) else {
        throw malformed("a hash of it cannot stand where it does")
      }
      each(tree)
    }
  }

  private mutating func noteHeld() {
    if range.size == heldSize { heldRoot = range.root }
  }

  private static func malformed(_ problem: String) -> AuditError { .malformed("proof of an export", problem) }
}
