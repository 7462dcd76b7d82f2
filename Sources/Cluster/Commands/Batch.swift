package import MusterBytes

/// Commands that become one commit together, or none.
package struct Batch: FieldMessage, Hashable {
  package var commands: [Command] = []

  package init() {}
  package init(_ commands: [Command]) { self.commands = commands }

  package mutating func visit<V: FieldVisitor & ~Copyable>(_ fields: inout V) throws(WireError) {
    try fields.messages(1, &commands, count: Limits.commandsPerBatch)
  }
}

/// A scope by name, as people and commands have it.
package struct ScopeName: FieldMessage, Hashable {
  package var kind = ScopeKind.cluster
  package var name = ""

  package init() {}
  package init(_ kind: ScopeKind, _ name: String = "") {
    self.kind = kind
    self.name = name
  }

  package mutating func visit<V: FieldVisitor & ~Copyable>(_ fields: inout V) throws(WireError) {
    try fields.enumeration(1, &kind)
    try fields.string(2, &name, max: Limits.nameBytes)
  }
}
