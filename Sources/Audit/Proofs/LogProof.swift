package import MusterBytes

/// A file that proves that one commit is in the log: C2SP tlog-proof, with the commit's stored bytes as its extra data.
package struct LogProof: Equatable, Sendable {
  package static let heading = "c2sp.org/tlog-proof@v1"

  /// What is proved: the stored bytes of the commit.
  package var commit: [UInt8]
  package var proof: InclusionProof
  package var note: SignedNote

  package init(commit: [UInt8], proof: InclusionProof, note: SignedNote) {
    self.commit = commit
    self.proof = proof
    self.note = note
  }

  package init(_ bytes: [UInt8]) throws(AuditError) {
    var lines = ProofLines(bytes)
    guard lines.next() == Substring(LogProof.heading) else { throw LogProof.malformed("its first line is another") }
    guard let extra = lines.next(after: "extra "), let commit = Base64.decode(extra) else {
      throw LogProof.malformed("it does not bring the commit along")
    }
    guard let line = lines.next(after: "index "), let index = Checkpoint.number(line) else {
      throw LogProof.malformed("it names no index")
    }
    guard let path = lines.hashes() else { throw LogProof.malformed("its hashes cannot be read") }
    let note = try SignedNote(lines.rest)
    self.commit = commit
    self.note = note
    proof = InclusionProof(index: index, size: try Checkpoint(note).size, path: path)
  }

  package var text: String {
    "\(LogProof.heading)\nextra \(Base64.encode(commit))\nindex \(proof.index)\n"
      + proof.path.map { "\($0.base64)\n" }.joined() + "\n" + String(decoding: note.bytes, as: UTF8.self)
  }

  /// Checks the proof against the note that it brings along, whose signature is checked elsewhere.
  package func check() throws(AuditError) {
    guard proof.holds(leaf: MerkleHash.leaf(commit), root: try Checkpoint(note).root) else {
      throw .wrong("the commit is not in the log that the checkpoint speaks of, or it was altered")
    }
  }

  private static func malformed(_ problem: String) -> AuditError { .malformed("proof of a commit", problem) }
}

/// A file that proves that one checkpoint goes on from an earlier one, laid out like a proof of a commit.
package struct GrowthProof: Equatable, Sendable {
  package static let heading = "muster/growth-proof@v1"

  package var old: SignedNote
  package var path: [SHA256Value]
  package var new: SignedNote

  package init(old: SignedNote, path: [SHA256Value], new: SignedNote) {
    self.old = old
    self.path = path
    self.new = new
  }

  package init(_ bytes: [UInt8]) throws(AuditError) {
    var lines = ProofLines(bytes)
    guard lines.next() == Substring(GrowthProof.heading) else {
      throw GrowthProof.malformed("its first line is another")
    }
    guard let text = lines.next(after: "old "), let old = Base64.decode(text) else {
      throw GrowthProof.malformed("it does not bring the earlier checkpoint along")
    }
    guard let path = lines.hashes() else { throw GrowthProof.malformed("its hashes cannot be read") }
    self.init(old: try SignedNote(old), path: path, new: try SignedNote(lines.rest))
  }

  package var text: String {
    "\(GrowthProof.heading)\nold \(Base64.encode(old.bytes))\n" + path.map { "\($0.base64)\n" }.joined() + "\n"
      + String(decoding: new.bytes, as: UTF8.self)
  }

  /// Checks that the later note goes on from the earlier one; their signatures are checked elsewhere.
  package func check() throws(AuditError) {
    let (old, new) = (try Checkpoint(old), try Checkpoint(new))
    guard old.origin == new.origin || old.origin == new.parent?.origin else {
      throw .wrong("the checkpoints are of different logs: \(old.origin) and \(new.origin)")
    }
    let proof = ConsistencyProof(from: old.size, to: new.size, path: path)
    guard proof.holds(oldRoot: old.root, newRoot: new.root) else {
      throw .wrong("the later checkpoint does not go on from the earlier one: the log was altered between them")
    }
  }

  private static func malformed(_ problem: String) -> AuditError { .malformed("proof of growth", problem) }
}

/// Walks through the lines of a proof that ends with a note.
struct ProofLines {
  private static let bytesMax = 4 << 20
  private static let hashesMax = 128
  private var left: ArraySlice<UInt8>

  init(_ bytes: [UInt8]) { left = bytes.prefix(ProofLines.bytesMax) }

  /// The next line, without its newline; nil when there is none.
  mutating func next() -> Substring? {
    guard let end = left.firstIndex(of: UInt8(ascii: "\n")) else { return nil }
    defer { left = left[(end + 1)...] }
    return String(validating: left[..<end], as: UTF8.self).map { Substring($0) }
  }

  /// The next line behind a word that it begins with.
  mutating func next(after word: String) -> Substring? {
    guard let line = next(), line.hasPrefix(word) else { return nil }
    return line.dropFirst(word.count)
  }

  /// The hashes up to an empty line.
  mutating func hashes() -> [SHA256Value]? {
    var found: [SHA256Value] = []
    while let line = next() {
      if line.isEmpty { return found }
      guard found.count < ProofLines.hashesMax, let hash = Checkpoint.hash(line) else { return nil }
      found.append(hash)
    }
    return nil
  }

  var rest: [UInt8] { Array(left) }
}
