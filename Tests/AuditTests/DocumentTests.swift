import Foundation
import MusterAudit
import MusterBytes
import Testing

/// What the document of the formats shows is what this program reads and writes.
@Suite struct DocumentTests {
  private let seed = [UInt8](repeating: 7, count: SigningKey.seedBytes)
  private let leaves = ["a", "b", "c"].map { Array($0.utf8) }

  private func example(_ name: String) throws -> String {
    let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent()
    let text = try String(contentsOf: root.appending(path: "Sources/Audit/Formats.md"), encoding: .utf8)
    let start = try #require(text.range(of: "```example \(name)\n"))
    let end = try #require(text[start.upperBound...].range(of: "```"))
    return String(text[start.upperBound..<end.lowerBound])
  }

  private func key() throws -> SigningKey {
    try SigningKey(name: Checkpoint.origin(clusterID: "00112233445566778899aabbccddeeff", timeline: 1), seed: seed)
  }

  private func note(_ size: UInt64) throws -> SignedNote {
    let tree = NaiveTree(leaves: leaves.map { MerkleHash.leaf($0) })
    return try Checkpoint(origin: try key().verifierKey.name, size: size, root: tree.root(size)).signed(with: try key())
  }

  @Test func theKeyAndTheCheckpointAreOurs() throws {
    #expect(try example("verifier-key") == key().verifierKey.text + "\n")
    #expect(try Array(example("checkpoint").utf8) == note(3).bytes)
    try SignedNote(Array(example("checkpoint").utf8)).verify([try VerifierKey(key().verifierKey.text)])
  }

  @Test func theProofsHoldAndAreOurs() throws {
    let tree = NaiveTree(leaves: leaves.map { MerkleHash.leaf($0) })
    let commit = try LogProof(Array(example("commit-proof").utf8))
    try commit.check()
    #expect(commit == LogProof(commit: leaves[1], proof: InclusionProof(of: 1, in: 3, tree), note: try note(3)))
    #expect(try commit.text == example("commit-proof"))
    let growth = try GrowthProof(Array(example("growth-proof").utf8))
    try growth.check()
    let path = ConsistencyProof(from: 2, to: 3, tree).path
    #expect(growth == GrowthProof(old: try note(2), path: path, new: try note(3)))
    #expect(try growth.text == example("growth-proof"))
  }
}
