internal import MusterBytes

/// Which shard of a collection owns a key. Clients in other languages compute the same: frozen.
package enum KeyHash {
  /// The low 64 bits of MurmurHash3 x64 128 with seed 0, modulo the number of shards.
  ///
  /// - Precondition: there is at least one shard.
  package static func shard(of key: [UInt8], count: UInt32) -> UInt32 {
    precondition(count > 0, "a collection has shards")
    let hash = key.withUnsafeBytes { SetDigest(row: $0, seed: 0) }
    return UInt32(truncatingIfNeeded: hash.low % UInt64(count))
  }
}
