package import MusterBytes

/// The keys whose hash leaves a certain rest: those that one shard owns.
///
/// At its creation shard `i` of `n` has the rest `i` of `n`. A split of (r, m) leaves (r, 2m) where it was and gives
/// (r + m, 2m) away: of the other shards' keys none changes hands.
package struct KeyRange: FieldMessage, Hashable {
  package var residue: UInt32 = 0
  package var modulus: UInt32 = 0

  package init() {}
  package init(residue: UInt32, modulus: UInt32) {
    self.residue = residue
    self.modulus = modulus
  }

  package mutating func visit<V: FieldVisitor & ~Copyable>(_ fields: inout V) throws(WireError) {
    try fields.uint32(1, &residue)
    try fields.uint32(2, &modulus)
  }

  package func holds(hash: UInt64) -> Bool { modulus > 0 && hash % UInt64(modulus) == UInt64(residue) }

  /// What stays where it is in a split, and what goes; nil when the range is as narrow as ranges get.
  package var halves: (stays: KeyRange, goes: KeyRange)? {
    guard modulus <= Limits.rangeModulusMax / 2 else { return nil }
    return (
      KeyRange(residue: residue, modulus: modulus * 2), KeyRange(residue: residue + modulus, modulus: modulus * 2)
    )
  }

  /// `5 of 24`
  package var words: String { "\(residue) of \(modulus)" }

  /// The widest first; of equals the lowest rest.
  package static func isWider(_ a: KeyRange, _ b: KeyRange) -> Bool {
    a.modulus != b.modulus ? a.modulus < b.modulus : a.residue < b.residue
  }
}
