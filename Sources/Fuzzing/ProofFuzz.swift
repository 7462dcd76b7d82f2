internal import MusterAudit

enum ProofFuzz {
  static func run(_ bytes: [UInt8]) {
    guard let first = bytes.first else { return }
    let rest = Array(bytes.dropFirst())
    switch first % 5 {
    case 0: try? LogProof(rest).check()
    case 1: try? GrowthProof(rest).check()
    case 2: note(rest)
    case 3: _ = try? VerifierKey(String(decoding: rest, as: UTF8.self))
    default: _ = TileFrontier(size: UInt64(rest.count), rest)
    }
  }

  private static func note(_ bytes: [UInt8]) {
    guard let note = try? SignedNote(bytes) else { return }
    _ = try? Checkpoint(note)
    try? note.verify([])
    precondition((try? SignedNote(note.bytes)) == note, "a note reads as it was written")
  }
}
