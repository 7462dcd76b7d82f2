internal import MusterBytes

/// A text and who signed it, as in C2SP signed-note.
package struct SignedNote: Equatable, Sendable {
  /// One line of signature: a key's name, its id, and what the key made.
  package struct Signature: Equatable, Sendable {
    package var name: String
    package var keyID: UInt32
    package var bytes: [UInt8]
  }

  package static let bytesMax = 1 << 20
  private static let signaturesMax = 100
  private static let dash = "\u{2014} "

  /// The signed bytes: UTF-8 that ends with a newline.
  package private(set) var text: [UInt8]
  package private(set) var signatures: [Signature] = []

  /// - Parameter text: lines, the last one ended by a newline as well.
  package init(unsigned text: String) { self.text = Array(text.utf8) }

  package init(_ bytes: [UInt8]) throws(AuditError) {
    guard bytes.count <= SignedNote.bytesMax, let whole = String(validating: bytes, as: UTF8.self) else {
      throw SignedNote.malformed("it is too long, or not UTF-8")
    }
    guard bytes.allSatisfy({ $0 >= 0x20 || $0 == newline }) else {
      throw SignedNote.malformed("it has control characters")
    }
    guard bytes.last == newline, let end = SignedNote.endOfText(bytes) else {
      throw SignedNote.malformed("the text, a blank line and the signatures are not all there")
    }
    text = Array(bytes[..<end])
    let lines = String(decoding: whole.utf8.dropFirst(end + 1).dropLast(), as: UTF8.self)
      .split(separator: "\n", omittingEmptySubsequences: false)
    guard lines.count <= SignedNote.signaturesMax else { throw SignedNote.malformed("it has too many signatures") }
    for line in lines { signatures.append(try SignedNote.signature(line)) }
  }

  /// Where the text ends: behind the first newline of the last blank line.
  private static func endOfText(_ bytes: [UInt8]) -> Int? {
    var place = bytes.count - 1
    while place > 0 {
      if bytes[place] == newline, bytes[place - 1] == newline { return place < bytes.count - 1 ? place : nil }
      place -= 1
    }
    return nil
  }

  private static func signature(_ line: Substring) throws(AuditError) -> Signature {
    guard line.hasPrefix(dash) else { throw malformed("a line of signature does not begin with a dash") }
    let parts = line.dropFirst(dash.count).split(separator: " ", omittingEmptySubsequences: false)
    guard parts.count == 2, isName(parts[0]), let content = Base64.decode(parts[1]), content.count > 4 else {
      throw malformed("a line of signature is not a name and base 64")
    }
    return Signature(
      name: String(parts[0]), keyID: content[..<4].reduce(0) { $0 << 8 | UInt32($1) }, bytes: Array(content[4...]))
  }

  /// Whether a key may be called so.
  static func isName(_ name: some StringProtocol) -> Bool {
    !name.isEmpty && name.allSatisfy { !$0.isWhitespace && $0 != "+" }
  }

  private static func malformed(_ problem: String) -> AuditError { .malformed("signed note", problem) }

  package mutating func sign(with key: SigningKey) throws(AuditError) {
    let verifier = key.verifierKey
    signatures.append(Signature(name: verifier.name, keyID: verifier.keyID, bytes: try key.signature(of: text)))
  }

  /// Checks every signature of a key that is trusted.
  ///
  /// - Throws: `.unsigned` when there is none, or one does not hold.
  package func verify(_ keys: [VerifierKey]) throws(AuditError) {
    var isSigned = false
    for signature in signatures {
      for key in keys where key.name == signature.name && key.keyID == signature.keyID {
        guard key.verifies(signature.bytes, of: text) else {
          throw .unsigned("the signature of \(key.name) does not hold: the note was altered")
        }
        isSigned = true
      }
    }
    guard isSigned else { throw .unsigned("no key that is trusted signed this note") }
  }

  package var bytes: [UInt8] {
    var bytes = text + [newline]
    for signature in signatures {
      let id = (0..<4).map { UInt8(truncatingIfNeeded: signature.keyID >> (24 - 8 * UInt32($0))) }
      bytes += Array("\(SignedNote.dash)\(signature.name) \(Base64.encode(id + signature.bytes))\n".utf8)
    }
    return bytes
  }
}

private let newline = UInt8(ascii: "\n")
