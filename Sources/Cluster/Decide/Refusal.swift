package import MusterBytes

/// Why a command was refused.
package enum RefusalCode: UInt32, Sendable, CaseIterable {
  /// The command makes no sense in any state: a bad name, a value out of range.
  case invalid = 0
  case notFound = 1
  case alreadyExists = 2
  /// The state does not allow it now.
  case conflict = 3
  /// No placement satisfies the policy; the witness says what is short.
  case unsatisfiable = 4
  /// An older incarnation of a node spoke.
  case fenced = 5
  /// The state moved on from what the caller expected.
  case revisionMismatch = 6
  /// The request id is older than what is remembered: whether it was executed is not known any more.
  case requestForgotten = 7
  /// The command would make a commit larger than a commit may be.
  case tooLarge = 8
  /// A limit of the cluster is reached.
  case limitReached = 9
  case maintenance = 10

  package var name: String {
    switch self {
    case .invalid: "invalid"
    case .notFound: "not-found"
    case .alreadyExists: "already-exists"
    case .conflict: "conflict"
    case .unsatisfiable: "unsatisfiable"
    case .fenced: "fenced"
    case .revisionMismatch: "revision-mismatch"
    case .requestForgotten: "request-forgotten"
    case .tooLarge: "too-large"
    case .limitReached: "limit-reached"
    case .maintenance: "maintenance"
    }
  }
}

/// One rule that stands in the way, and by how much.
package struct Witness: FieldMessage, Hashable {
  /// The rule as it was written: `spread zone`, `require disk=ssd`, `capacity memory`, `replicas 3`.
  package var rule = ""
  package var needed: UInt64 = 0
  package var available: UInt64 = 0
  package var detail = ""

  package init() {}
  package init(rule: String, needed: UInt64, available: UInt64, detail: String = "") {
    self.rule = rule
    self.needed = needed
    self.available = available
    self.detail = detail
  }

  package mutating func visit<V: FieldVisitor & ~Copyable>(_ fields: inout V) throws(WireError) {
    try fields.string(1, &rule, max: Limits.pathBytes)
    try fields.uint64(2, &needed)
    try fields.uint64(3, &available)
    try fields.string(4, &detail, max: Limits.reasonBytes)
  }
}

/// A command that was not accepted. It changed nothing.
package struct Refusal: FieldMessage, Hashable, Error {
  package var code = RefusalCode.invalid
  /// What is wrong and what to do about it.
  package var message = ""
  package var witness: [Witness] = []

  package static let witnessMax = 16

  package init() {}
  package init(_ code: RefusalCode, _ message: String, witness: [Witness] = []) {
    self.code = code
    self.message = message
    self.witness = witness
  }

  package mutating func visit<V: FieldVisitor & ~Copyable>(_ fields: inout V) throws(WireError) {
    try fields.enumeration(1, &code)
    try fields.string(2, &message, max: 4096)
    try fields.messages(3, &witness, count: Refusal.witnessMax)
  }
}
