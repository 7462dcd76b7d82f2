package import MusterBytes

/// The hashes of the Merkle tree of RFC 6962, section 2.1. The first byte keeps leaves and inner nodes apart, so that
/// neither can be passed off as the other.
package enum MerkleHash {
  /// The root of the tree without leaves.
  package static let empty = SHA256Value.hash([])

  private static let leafPrefix: [UInt8] = [0]
  private static let nodePrefix: [UInt8] = [1]

  package static func leaf(_ bytes: UnsafeRawBufferPointer) -> SHA256Value {
    leafPrefix.withUnsafeBytes { SHA256Value.hash($0, bytes) }
  }

  package static func leaf(_ bytes: [UInt8]) -> SHA256Value { bytes.withUnsafeBytes { leaf($0) } }

  package static func node(_ left: SHA256Value, _ right: SHA256Value) -> SHA256Value {
    nodePrefix.withUnsafeBytes { prefix in
      left.withUnsafeBytes { left in right.withUnsafeBytes { right in SHA256Value.hash(prefix, left, right) } }
    }
  }
}

extension SHA256Value {
  package var array: [UInt8] { withUnsafeBytes { Array($0) } }

  /// Nil unless there are exactly 32 bytes.
  package init?(exactly bytes: some Collection<UInt8>) {
    guard bytes.count == SHA256Value.byteCount else { return nil }
    self = Array(bytes).withUnsafeBytes { SHA256Value($0) }
  }
}
