package import MusterBytes

package enum PrincipalKind: UInt32, Sendable {
  case person = 0
  case service = 1
  case node = 2
  /// One of Muster's own controllers.
  case controller = 3

  package var name: String {
    switch self {
    case .person: "person"
    case .service: "service"
    case .node: "node"
    case .controller: "controller"
    }
  }
}

/// How surely we know who it was.
package enum Assurance: UInt32, Sendable {
  /// The client said so.
  case asserted = 0
  /// The kernel of the machine vouches for the local user.
  case localUser = 1
  case certificate = 2
  /// Muster itself.
  case own = 3

  package var name: String {
    switch self {
    case .asserted: "asserted"
    case .localUser: "local-user"
    case .certificate: "certificate"
    case .own: "own"
    }
  }
}

/// Somebody who did something.
package struct PrincipalRow: TableRow {
  package static let table = TableID.principals

  package var name = ""
  package var kind = PrincipalKind.person
  package var changed: Revision = 0

  package init() {}
  package init(name: String, kind: PrincipalKind, changed: Revision) {
    self.name = name
    self.kind = kind
    self.changed = changed
  }

  package mutating func visit<V: FieldVisitor & ~Copyable>(_ fields: inout V) throws(WireError) {
    try fields.string(1, &name, max: Limits.pathBytes)
    try fields.enumeration(2, &kind)
    try fields.uint64(3, &changed)
  }
}
