package import MusterBytes

/// Whom a configuration value is for. The narrower scope wins.
package enum ScopeKind: UInt32, Sendable {
  case cluster = 0
  case tenant = 1
  case collection = 2
  case node = 3

  package var name: String {
    switch self {
    case .cluster: "cluster"
    case .tenant: "tenant"
    case .collection: "collection"
    case .node: "node"
    }
  }
}

/// A scope by number, as rows and events have it.
package struct Scope: FieldMessage, Hashable {
  package var kind = ScopeKind.cluster
  package var id: UInt32 = 0

  package static let cluster = Scope()

  package init() {}
  package init(_ kind: ScopeKind, _ id: UInt32) {
    self.kind = kind
    self.id = id
  }

  package mutating func visit<V: FieldVisitor & ~Copyable>(_ fields: inout V) throws(WireError) {
    try fields.enumeration(1, &kind)
    try fields.uint32(2, &id)
  }
}

/// The value of one key in one scope.
package struct ConfigRow: TableRow {
  package static let table = TableID.configs
  @inlinable package static var rowsPerPageShift: Int { 2 }

  package var key = ""
  package var scope = Scope.cluster
  /// Nil once deleted: the row stays, so that a version number never means two things.
  package var value: ConfigValue?
  /// How often this key was written in this scope.
  package var version: UInt64 = 0
  package var changed: Revision = 0

  package init() {}

  package mutating func visit<V: FieldVisitor & ~Copyable>(_ fields: inout V) throws(WireError) {
    try fields.string(1, &key, max: Limits.configKeyBytes)
    try fields.message(2, &scope)
    try fields.message(3, &value)
    try fields.uint64(4, &version)
    try fields.uint64(5, &changed)
  }
}
