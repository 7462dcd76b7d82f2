internal import Crypto
internal import MusterBytes

/// What signatures are checked with: an Ed25519 public key and the name of who has the private one. As text it is
/// `NAME+ID+BASE64`, as in Go's note package.
package struct VerifierKey: Equatable, Sendable {
  static let algorithm: UInt8 = 1
  private static let textMax = 4096

  package let name: String
  package let publicKey: [UInt8]

  init(name: String, publicKey: [UInt8]) {
    self.name = name
    self.publicKey = publicKey
  }

  package init(_ text: String) throws(AuditError) {
    let parts = text.split(separator: "+", maxSplits: 2, omittingEmptySubsequences: false)
    guard text.utf8.count <= VerifierKey.textMax, parts.count == 3, SignedNote.isName(parts[0]),
      let content = Base64.decode(parts[2]), content.count == 33, content[0] == VerifierKey.algorithm
    else { throw .malformed("verifier key", "it is not NAME+ID+BASE64 of an Ed25519 key") }
    self.init(name: String(parts[0]), publicKey: Array(content[1...]))
    guard parts[1].utf8.elementsEqual(KeyID.text(keyID).utf8) else {
      throw .malformed("verifier key", "its id is not that of its name and key")
    }
  }

  /// The first four bytes of SHA-256(name, newline, algorithm, public key).
  package var keyID: UInt32 { KeyID.make(name, publicKey) }

  package var text: String {
    "\(name)+\(KeyID.text(keyID))+\(Base64.encode([VerifierKey.algorithm] + publicKey))"
  }

  func verifies(_ signature: [UInt8], of text: [UInt8]) -> Bool {
    guard let key = try? Curve25519.Signing.PublicKey(rawRepresentation: publicKey) else { return false }
    return key.isValidSignature(signature, for: text)
  }
}

enum KeyID {
  static func make(_ name: String, _ publicKey: [UInt8]) -> UInt32 {
    let hash = SHA256Value.hash(Array(name.utf8) + [UInt8(ascii: "\n"), VerifierKey.algorithm] + publicKey)
    return hash.array[..<4].reduce(0) { $0 << 8 | UInt32($1) }
  }

  /// Eight hexadecimal digits.
  static func text(_ id: UInt32) -> String {
    let digits = String(id, radix: 16)
    return String(repeating: "0", count: 8 - digits.count) + digits
  }
}

/// What notes are signed with. As text it is `PRIVATE+KEY+NAME+ID+BASE64`, as in Go's note package.
package struct SigningKey: Sendable {
  package static let seedBytes = 32
  private static let prefix = "PRIVATE+KEY+"

  private let seed: [UInt8]
  package let verifierKey: VerifierKey

  /// - Parameter seed: 32 random bytes.
  package init(name: String, seed: [UInt8]) throws(AuditError) {
    guard SignedNote.isName(name), let key = try? Curve25519.Signing.PrivateKey(rawRepresentation: seed) else {
      throw .malformed("signing key", "it needs a name without spaces and +, and 32 bytes")
    }
    self.seed = seed
    verifierKey = VerifierKey(name: name, publicKey: Array(key.publicKey.rawRepresentation))
  }

  package init(_ text: String) throws(AuditError) {
    guard text.hasPrefix(SigningKey.prefix) else { throw SigningKey.malformed }
    let parts = text.dropFirst(SigningKey.prefix.count)
      .split(separator: "+", maxSplits: 2, omittingEmptySubsequences: false)
    guard parts.count == 3, let content = Base64.decode(parts[2]), content.count == 1 + SigningKey.seedBytes,
      content[0] == VerifierKey.algorithm
    else { throw SigningKey.malformed }
    try self.init(name: String(parts[0]), seed: Array(content[1...]))
    guard parts[1].utf8.elementsEqual(KeyID.text(verifierKey.keyID).utf8) else { throw SigningKey.malformed }
  }

  private static var malformed: AuditError {
    .malformed("signing key", "it is not PRIVATE+KEY+NAME+ID+BASE64 with an id that fits")
  }

  /// The same key for notes of another name.
  package func renamed(_ name: String) throws(AuditError) -> SigningKey { try SigningKey(name: name, seed: seed) }

  package var text: String {
    SigningKey.prefix
      + "\(verifierKey.name)+\(KeyID.text(verifierKey.keyID))+\(Base64.encode([VerifierKey.algorithm] + seed))"
  }

  func signature(of text: [UInt8]) throws(AuditError) -> [UInt8] {
    guard let key = try? Curve25519.Signing.PrivateKey(rawRepresentation: seed),
      let signature = try? key.signature(for: text)
    else { throw .wrong("the note cannot be signed") }
    return Array(signature)
  }
}
