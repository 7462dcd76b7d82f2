package import MusterBytes

package enum DifferenceKind: UInt32, Sendable {
  case changed = 0
  case added = 1
  case removed = 2

  package var name: String {
    switch self {
    case .changed: "changed"
    case .added: "added"
    case .removed: "removed"
    }
  }
}

/// A field that differs between two states.
package struct FieldDifference: FieldMessage, Hashable {
  package var name = ""
  package var before = FieldValue.nothing
  package var after = FieldValue.nothing

  package init() {}

  package mutating func visit<V: FieldVisitor & ~Copyable>(_ fields: inout V) throws(WireError) {
    try fields.string(1, &name, max: Limits.nameBytes)
    try fields.message(2, &before)
    try fields.message(3, &after)
  }
}

/// A thing that differs between two states.
package struct Difference: FieldMessage, Hashable {
  package var kind = DifferenceKind.changed
  /// `node/n3`, `collection/orders`, `shard/orders/17`, `config/a/b@cluster`.
  package var entity = ""
  /// The revision that last changed it, up to the later state.
  package var revision: Revision = 0
  package var fields: [FieldDifference] = []

  package init() {}

  package mutating func visit<V: FieldVisitor & ~Copyable>(_ visitor: inout V) throws(WireError) {
    try visitor.enumeration(1, &kind)
    try visitor.string(2, &entity, max: Limits.configKeyBytes + Limits.pathBytes)
    try visitor.uint64(3, &revision)
    try visitor.messages(4, &fields, count: 64)
  }
}
