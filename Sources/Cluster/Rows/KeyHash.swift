internal import MusterBytes

/// Which shard of a collection owns a key. Clients in other languages compute the same: frozen.
///
/// 1. `hash` is the low 64 bits of MurmurHash3 x64 128 of the key, with seed 0.
/// 2. A collection that was made with `n` shards, and never split nor merged: shard `hash % n`.
/// 3. Each range that a split or a merge gave (residue r of modulus m, shard s) holds the keys with `hash % m == r`. Of those
///    that hold a key the one with the largest modulus owns it; when none does, rule 2 says who.
package enum KeyHash {
  package static func hash(of key: [UInt8]) -> UInt64 { key.withUnsafeBytes { SetDigest(row: $0, seed: 0) }.low }

  /// - Precondition: there is at least one shard.
  package static func shard(of key: [UInt8], count: UInt32) -> UInt32 {
    owner(ofHash: hash(of: key), count: count, split: [])
  }

  /// - Parameters:
  ///   - count: with how many shards the collection was made.
  ///   - split: what splits and merges gave since.
  /// - Precondition: there is at least one shard.
  package static func owner(ofHash hash: UInt64, count: UInt32, split: [SplitRange]) -> UInt32 {
    precondition(count > 0, "a collection has shards")
    let narrowest = split.filter { $0.range.holds(hash: hash) }.max { $0.range.modulus < $1.range.modulus }
    return narrowest?.index ?? UInt32(truncatingIfNeeded: hash % UInt64(count))
  }
}
