/// Something that is made of bytes from outside, and must refuse or take any of them without a trap.
package enum FuzzTarget: String, CaseIterable, Sendable {
  /// What comes on a connection of a server, from the first byte.
  case frames
  /// A message: the first byte says which.
  case messages
  /// A logical block with its commits.
  case block
  /// A commit that a state applies.
  case commit
  /// A live segment: it is opened, recovered, read.
  case segment
  /// A packed segment with its index and keys.
  case index
  /// A snapshot, its pages and the state they make.
  case snapshot
  /// Proofs, notes, keys: the first byte says which.
  case proof
  /// An expression, evaluated on a small cluster.
  case expression

  /// Stored files are behind checksums that random bytes never meet: these are put right first.
  package func run(_ bytes: [UInt8]) {
    switch self {
    case .frames: ConnectionFuzz.run(bytes)
    case .messages: MessageFuzz.run(bytes)
    case .block: BlockFuzz.run(bytes)
    case .commit: CommitFuzz.run(bytes)
    case .segment: StoredFuzz.runLive(bytes)
    case .index: StoredFuzz.runPacked(bytes)
    case .snapshot: StoredFuzz.runSnapshot(bytes)
    case .proof: ProofFuzz.run(bytes)
    case .expression: ExpressionFuzz.run(bytes)
    }
  }
}
