package import MusterBytes

/// What a log was at one size: the text of a note as in C2SP tlog-checkpoint.
package struct Checkpoint: Equatable, Sendable {
  /// `muster/CLUSTER/TIMELINE`
  package var origin: String
  package var size: UInt64
  package var root: SHA256Value
  /// Of the first note of a timeline: the timeline that it went on from.
  package var parent: Parent?

  /// The moment of another timeline from which this one went on.
  package struct Parent: Equatable, Sendable {
    package var origin: String
    package var size: UInt64
    package var root: SHA256Value

    package init(origin: String, size: UInt64, root: SHA256Value) {
      self.origin = origin
      self.size = size
      self.root = root
    }
  }

  package init(origin: String, size: UInt64, root: SHA256Value, parent: Parent? = nil) {
    self.origin = origin
    self.size = size
    self.root = root
    self.parent = parent
  }

  package static func origin(clusterID: String, timeline: UInt64) -> String { "muster/\(clusterID)/\(timeline)" }

  /// The origin's cluster and timeline; nil when it is not one of ours.
  package static func timeline(ofOrigin origin: String) -> (clusterID: String, timeline: UInt64)? {
    let parts = origin.split(separator: "/", omittingEmptySubsequences: false)
    guard parts.count == 3, parts[0] == "muster", let timeline = number(parts[2]) else { return nil }
    return (String(parts[1]), timeline)
  }

  /// Reads a note's text. Lines of extension that are not ours are passed over, as the specification wants.
  package init(text: [UInt8]) throws(AuditError) {
    guard
      let lines = String(validating: text, as: UTF8.self)?
        .split(separator: "\n", omittingEmptySubsequences: false), lines.count >= 4, lines.last == "",
      lines.dropLast().allSatisfy({ !$0.isEmpty })
    else { throw Checkpoint.malformed("it has fewer than three lines, or empty ones") }
    guard let size = Checkpoint.number(lines[1]), let root = Checkpoint.hash(lines[2]) else {
      throw Checkpoint.malformed("its second line is no size, or its third no root")
    }
    self.init(origin: String(lines[0]), size: size, root: root)
    guard size > 0 || root == MerkleHash.empty else { throw Checkpoint.malformed("an empty tree has another root") }
    for line in lines[3...].dropLast() where line.hasPrefix("parent ") { parent = try Checkpoint.parent(line) }
  }

  package init(_ note: SignedNote) throws(AuditError) { try self.init(text: note.text) }

  private static func parent(_ line: Substring) throws(AuditError) -> Parent {
    let parts = line.split(separator: " ", omittingEmptySubsequences: false)
    guard parts.count == 4, let size = number(parts[2]), let root = hash(parts[3]) else {
      throw malformed("what it says of its parent is not origin, size and root")
    }
    return Parent(origin: String(parts[1]), size: size, root: root)
  }

  /// Decimal digits without a leading zero.
  static func number(_ text: Substring) -> UInt64? {
    guard let number = UInt64(text), String(number).utf8.elementsEqual(text.utf8) else { return nil }
    return number
  }

  static func hash(_ text: Substring) -> SHA256Value? { Base64.decode(text).flatMap { SHA256Value(exactly: $0) } }

  private static func malformed(_ problem: String) -> AuditError { .malformed("checkpoint", problem) }

  package var text: String {
    var text = "\(origin)\n\(size)\n\(root.base64)\n"
    if let parent { text += "parent \(parent.origin) \(parent.size) \(parent.root.base64)\n" }
    return text
  }

  package func signed(with key: SigningKey) throws(AuditError) -> SignedNote {
    var note = SignedNote(unsigned: text)
    try note.sign(with: key)
    return note
  }
}

extension SHA256Value {
  package var base64: String { Base64.encode(array) }
}
