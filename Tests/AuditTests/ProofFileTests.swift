import MusterAudit
import MusterBytes
import Testing

@Suite struct ProofFileTests {
  private let commits = (0..<40).map { Array("commit \($0)".utf8) }
  private let key: SigningKey

  init() throws { key = try SigningKey(name: "muster/c/1", seed: Array(0..<32)) }

  private var tree: NaiveTree { NaiveTree(leaves: commits.map { MerkleHash.leaf($0) }) }

  private func note(_ size: UInt64, origin: String = "muster/c/1", parent: Checkpoint.Parent? = nil) throws
    -> SignedNote
  {
    try Checkpoint(origin: origin, size: size, root: tree.root(size), parent: parent).signed(with: key)
  }

  @Test func aProofOfACommitIsAFileThatChecksItself() throws {
    let proof = LogProof(commit: commits[11], proof: InclusionProof(of: 11, in: 40, tree), note: try note(40))
    let read = try LogProof(Array(proof.text.utf8))
    #expect(read == proof)
    try read.check()
    #expect(proof.text.hasPrefix("c2sp.org/tlog-proof@v1\nextra "))
  }

  @Test func noByteOfAProofCanBeAltered() throws {
    let proof = LogProof(commit: commits[11], proof: InclusionProof(of: 11, in: 40, tree), note: try note(40))
    let bytes = Array(proof.text.utf8)
    for place in bytes.indices {
      var altered = bytes
      altered[place] ^= 1
      #expect(throws: AuditError.self, "byte \(place)") {
        let read = try LogProof(altered)
        try read.note.verify([key.verifierKey])
        try read.check()
      }
      #expect(throws: AuditError.self) {
        let read = try LogProof(Array(bytes.prefix(place)))
        try read.note.verify([key.verifierKey])
        try read.check()
      }
    }
  }

  @Test func aLaterCheckpointIsProvedToGoOn() throws {
    let path = ConsistencyProof(from: 13, to: 40, tree).path
    let proof = GrowthProof(old: try note(13), path: path, new: try note(40))
    let read = try GrowthProof(Array(proof.text.utf8))
    #expect(read == proof)
    try read.check()
    #expect(throws: AuditError.self) {
      try GrowthProof(old: try note(13), path: Array(path.dropLast()), new: try note(40)).check()
    }
    #expect(throws: AuditError.self) { try GrowthProof(old: try note(12), path: path, new: try note(40)).check() }
  }

  @Test func anotherTimelineGoesOnOnlyFromItsParent() throws {
    let path = ConsistencyProof(from: 13, to: 40, tree).path
    let parent = Checkpoint.Parent(origin: "muster/c/1", size: 13, root: tree.root(13))
    let child = try note(40, origin: "muster/d/2", parent: parent)
    try GrowthProof(old: try note(13), path: path, new: child).check()
    let stranger = try note(40, origin: "muster/d/2")
    #expect(throws: AuditError.self) { try GrowthProof(old: try note(13), path: path, new: stranger).check() }
  }
}
