package import MusterBytes

/// A value that only its tenant's key opens. Keys are outside the log: once one is destroyed, what it sealed is
/// unreadable in every copy, and every digest, chain value and proof stays what it is.
package struct SealedValue: FieldMessage, Hashable {
  package var tenant: TenantID = 0
  /// Which of the tenant's keys: 1, 2, 3 …; a new one after each erasure.
  package var key: UInt32 = 0
  /// Of the value that was sealed.
  package var type = ConfigType.text
  /// AES-256-GCM: 12 bytes of nonce, the encrypted `ConfigValue` message, 16 bytes of tag.
  package var content: [UInt8] = []

  /// What sealing adds to a value.
  package static let overheadBytes = 12 + 16 + 8

  package init() {}

  package mutating func visit<V: FieldVisitor & ~Copyable>(_ fields: inout V) throws(WireError) {
    try fields.uint32(1, &tenant)
    try fields.uint32(2, &key)
    try fields.enumeration(3, &type)
    try fields.bytes(4, &content, max: Limits.configValueBytes + SealedValue.overheadBytes)
  }

  /// For people: which key it takes, and enough to tell two of them apart.
  package var words: String {
    let mark = content.prefix(4).map { byte in
      let digits = String(byte, radix: 16)
      return byte < 16 ? "0" + digits : digits
    }
    return "sealed (key \(key), \(mark.joined()))"
  }
}
