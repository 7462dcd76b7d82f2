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

  package init(heldSize: UInt64? = nil) { self.heldSize = heldSize }

  package var size: UInt64 { range.size }
  package var root: SHA256Value { range.root }

  /// - Parameter each: called with every commit of the part; its names are known by then.
  package mutating func take(_ part: ProofPart, _ each: (Commit, NameBook) throws -> Void) throws {
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
      try each(commit, names)
    }
  }

  /// Passes over commits that hashes stand for.
  private mutating func pass(_ part: ProofPart) throws {
    let (end, isTooFar) = range.size.addingReportingOverflow(part.count)
    guard part.commits.isEmpty, !isTooFar, end < 1 << 62, part.count > 0 else {
      throw ProvenCommits.malformed("a gap of it is too wide")
    }
    let subtrees = Subtree.covering(range.size, end)
    guard part.hashes.count == subtrees.count * SHA256Value.byteCount else {
      throw ProvenCommits.malformed("a gap of it has more or fewer hashes than it needs")
    }
    for (place, subtree) in subtrees.enumerated() {
      let bytes = part.hashes[(place * SHA256Value.byteCount)..<((place + 1) * SHA256Value.byteCount)]
      guard let hash = SHA256Value(exactly: bytes), range.append(hash, level: subtree.level) else {
        throw ProvenCommits.malformed("a hash of it cannot stand where it does")
      }
      noteHeld()
    }
  }

  private mutating func noteHeld() {
    if range.size == heldSize { heldRoot = range.root }
  }

  private static func malformed(_ problem: String) -> AuditError { .malformed("proof of an export", problem) }
}
