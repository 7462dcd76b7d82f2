package import MusterBytes
package import MusterCluster

// What auditors ask: signed checkpoints, and proofs that commits are in the log that they speak of.

package struct CheckpointRequest: FieldMessage, Hashable {
  package init() {}
  package mutating func visit<V: FieldVisitor & ~Copyable>(_ fields: inout V) throws(WireError) {}
}

package struct CheckpointReply: FieldMessage, Hashable {
  package var timeline: UInt64 = 0
  /// What the checkpoint is of: the size of the tree.
  package var revision: Revision = 0
  /// A signed note.
  package var note: [UInt8] = []
  /// What the note can be checked with, to be compared with what was published.
  package var verifierKey = ""

  package init() {}

  package mutating func visit<V: FieldVisitor & ~Copyable>(_ fields: inout V) throws(WireError) {
    try fields.uint64(1, &timeline)
    try fields.uint64(2, &revision)
    try fields.bytes(3, &note, max: 1 << 20)
    try fields.string(4, &verifierKey, max: 4096)
  }
}

/// Asks for a proof that a commit is in the tree of a size, or that this tree goes on from an earlier one.
package struct ProveRequest: FieldMessage, Hashable {
  /// The commit that is to be proved; 0 for none.
  package var revision: Revision = 0
  /// The size of the tree, and the root that it has as the caller knows it.
  package var size: UInt64 = 0
  package var root: [UInt8] = []
  /// The size of the earlier tree; 0 for none.
  package var from: UInt64 = 0

  package init() {}

  package mutating func visit<V: FieldVisitor & ~Copyable>(_ fields: inout V) throws(WireError) {
    try fields.uint64(1, &revision)
    try fields.uint64(2, &size)
    try fields.bytes(3, &root, max: SHA256Value.byteCount)
    try fields.uint64(4, &from)
  }
}

package struct ProveReply: FieldMessage, Hashable {
  package var timeline: UInt64 = 0
  package var revision: Revision = 0
  /// The stored bytes of the commit.
  package var commit: [UInt8] = []
  /// Hashes of 32 bytes, one after the other.
  package var path: [UInt8] = []

  package init() {}

  package mutating func visit<V: FieldVisitor & ~Copyable>(_ fields: inout V) throws(WireError) {
    try fields.uint64(1, &timeline)
    try fields.uint64(2, &revision)
    try fields.bytes(3, &commit, max: Limits.commitBytes)
    try fields.bytes(4, &path, max: 128 * SHA256Value.byteCount)
  }
}

/// Asks for the parts of the proof of an export.
package struct ProveExportRequest: FieldMessage, Hashable {
  /// Runs of revisions that one request may name.
  package static let runsMax = 100_000

  package var size: UInt64 = 0
  package var root: [UInt8] = []
  /// The revisions that the export shows: how many are passed over, how many follow that are shown, and so on.
  package var runs: [UInt64] = []

  package init() {}

  package mutating func visit<V: FieldVisitor & ~Copyable>(_ fields: inout V) throws(WireError) {
    try fields.uint64(1, &size)
    try fields.bytes(2, &root, max: SHA256Value.byteCount)
    try fields.packed(3, &runs, count: 2 * ProveExportRequest.runsMax)
  }
}

/// A part of the proof of an export: the next commits of the log, or the hashes that stand for those passed over.
package struct ProofPart: FieldMessage, Hashable {
  /// What the commits of one part come to at most, and the longest one on top.
  package static let bytesMax = 256 * 1024 + Limits.commitBytes

  /// How many commits of the log this part stands for.
  package var count: UInt64 = 0
  /// The stored bytes of each commit, behind its length.
  package var commits: [UInt8] = []
  /// In place of commits: the hashes of the fewest full subtrees that hold them, one after the other.
  package var hashes: [UInt8] = []
  /// It is a part of the tree of names that a cut left: in place of each commit stands the event that gives a name.
  package var isOfNames = false

  package init() {}

  package mutating func visit<V: FieldVisitor & ~Copyable>(_ fields: inout V) throws(WireError) {
    try fields.uint64(1, &count)
    try fields.bytes(2, &commits, max: ProofPart.bytesMax)
    try fields.bytes(3, &hashes, max: 128 * SHA256Value.byteCount)
    try fields.bool(4, &isOfNames)
  }
}
