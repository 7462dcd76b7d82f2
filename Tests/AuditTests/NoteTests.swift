import MusterAudit
import MusterBytes
import MusterWorkload
import Testing

/// The example of Go's note package, whose keys are public.
enum PublishedNote {
  static let key = "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz"
  static let verifier = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
  static let otherVerifier = "EnochRoot+af0cfe78+ATtqJ7zOtqQtYqOo0CpvDXNlMhV3HeJDpjrASKGLWdop"
  static let text =
    "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"
  static let signature =
    "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
  static let otherSignature =
    "— EnochRoot rwz+eBzmZa0SO3NbfRGzPCpDckykFXSdeX+MNtCOXm2/5n2tiOHp+vAF1aGrQ5ovTG01oOTGwnWLox33WWd1RvMc+QQ=\n"

  static var note: [UInt8] { Array("\(text)\n\(signature)".utf8) }
}

@Suite struct NoteTests {
  @Test func thePublishedNoteIsWhatOurKeySigns() throws {
    let key = try SigningKey(PublishedNote.key)
    #expect(key.text == PublishedNote.key)
    #expect(key.verifierKey.text == PublishedNote.verifier)
    var note = SignedNote(unsigned: PublishedNote.text)
    try note.sign(with: key)
    #expect(note.bytes == PublishedNote.note)
  }

  @Test func signaturesOfOthersArePassedOver() throws {
    let note = try SignedNote(PublishedNote.note + Array(PublishedNote.otherSignature.utf8))
    #expect(note.signatures.map(\.name) == ["PeterNeumann", "EnochRoot"])
    let peter = try VerifierKey(PublishedNote.verifier)
    let enoch = try VerifierKey(PublishedNote.otherVerifier)
    try note.verify([peter])
    try note.verify([enoch])
    try note.verify([peter, enoch])
    #expect(throws: AuditError.self) { try note.verify([]) }
    #expect(note.bytes == PublishedNote.note + Array(PublishedNote.otherSignature.utf8))
  }

  @Test func oneSignatureThatDoesNotHoldSpoilsTheNote() throws {
    let bad = PublishedNote.otherSignature.replacing("n2ti", with: "n3ti")
    let note = try SignedNote(PublishedNote.note + Array(bad.utf8))
    let keys = [try VerifierKey(PublishedNote.verifier), try VerifierKey(PublishedNote.otherVerifier)]
    #expect(throws: AuditError.self) { try note.verify(keys) }
  }

  @Test(
    arguments: [
      PublishedNote.text, PublishedNote.text + "\n",
      String("\(PublishedNote.text)\n\(PublishedNote.signature)".dropLast()),
      "\u{1}\(PublishedNote.text)\n\(PublishedNote.signature)",
      PublishedNote.text + "\n— Bad Name x08go/ZJkuBS9UG/SffcvIAQxVBtiFup\n",
      PublishedNote.text + "\n" + PublishedNote.signature + "Unexpected line.\n",
      PublishedNote.text + "\n" + String(repeating: PublishedNote.signature, count: 101), "", "\n", "\n\n", "\n\n\n",
    ]) func whatIsNoNoteIsRefused(text: String)
  {
    #expect(throws: AuditError.self) { try SignedNote(Array(text.utf8)) }
  }

  @Test func aNoteWithAnyByteAlteredIsRefused() throws {
    let keys = [try VerifierKey(PublishedNote.verifier)]
    for place in PublishedNote.note.indices {
      for flip in [1, 0x20, 0x80] as [UInt8] {
        var bytes = PublishedNote.note
        bytes[place] ^= flip
        #expect(throws: AuditError.self, "byte \(place)") { try SignedNote(bytes).verify(keys) }
      }
      #expect(throws: AuditError.self) { try SignedNote(Array(PublishedNote.note.prefix(place))).verify(keys) }
    }
  }

  @Test func noPartOfAKeyIsAKey() {
    for text in [PublishedNote.verifier, PublishedNote.key] {
      for start in text.indices {
        for end in text[start...].indices where start != text.startIndex || end != text.endIndex {
          let part = String(text[start..<end])
          #expect(throws: AuditError.self) { try VerifierKey(part) }
          #expect(throws: AuditError.self) { try SigningKey(part) }
        }
      }
    }
    for bad in [
      "PeterNeumann+cc469956+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TWBADKEY==",
      "PeterNeumann+173116ae+ZRpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
    ] {
      #expect(throws: AuditError.self) { try VerifierKey(bad) }
    }
  }

  @Test func aCheckpointIsWhatItsNoteSays() throws {
    let key = try SigningKey(name: "muster/c/2", seed: [UInt8](repeating: 3, count: 32))
    let parent = Checkpoint.Parent(origin: "muster/c/1", size: 4, root: MerkleHash.leaf([4]))
    for checkpoint in [
      Checkpoint(origin: "muster/c/2", size: 7, root: MerkleHash.leaf([7])),
      Checkpoint(origin: "muster/c/2", size: 7, root: MerkleHash.leaf([7]), parent: parent),
      Checkpoint(origin: "muster/c/2", size: 0, root: MerkleHash.empty),
    ] {
      let note = try SignedNote(try checkpoint.signed(with: key).bytes)
      try note.verify([key.verifierKey])
      #expect(try Checkpoint(note) == checkpoint)
    }
    #expect(Checkpoint.timeline(ofOrigin: "muster/c/2")?.timeline == 2)
    #expect(Checkpoint.timeline(ofOrigin: "muster/c/02") == nil)
  }

  @Test(
    arguments: [
      "", "o\n", "o\n1\n", "o\n01\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n",
      "o\n-1\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n", "o\n1\nAAAA\n",
      "o\n+1\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n",
      "o\n0\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n", "o\n18446744073709551616\nAAAA\n",
      "o\n1\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n\nx\n",
      "o\n1\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\nparent p 1\n",
    ]) func whatIsNoCheckpointIsRefused(text: String)
  {
    #expect(throws: AuditError.self) { try Checkpoint(text: Array(text.utf8)) }
  }

  @Test func theExamplesOfTheSpecificationAreRead() throws {
    let text = "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"
    let signature =
      "— example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n"
    let note = try SignedNote(Array("\(text)\n\(signature)".utf8))
    let checkpoint = try Checkpoint(note)
    #expect(checkpoint.size == 20_852_163)
    #expect(checkpoint.text == text)
    #expect(note.signatures[0].keyID == 0x033d_e0ae)
  }

  @Test func randomBytesAreNeverANoteAndNeverATrap() throws {
    var random = SeededGenerator(seed: 77)
    let alphabet = Array("\n — AB+/=019é".utf8)
    for _ in 0..<20_000 {
      let bytes = (0..<random.below(80)).map { _ in alphabet[random.below(alphabet.count)] }
      if let note = try? SignedNote(bytes) {
        #expect(note.bytes == bytes)
        _ = try? Checkpoint(note)
      }
      _ = try? LogProof(Array("\(LogProof.heading)\n".utf8) + bytes)
      _ = try? GrowthProof(Array("\(GrowthProof.heading)\n".utf8) + bytes)
    }
  }
}
