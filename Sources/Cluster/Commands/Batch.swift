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

  package var text: String { kind == .cluster ? kind.name : "\(kind.name):\(name)" }

  /// `cluster`, `tenant:t`, `collection:c` or `node:n`; nil when it is none of them.
  package init?(text: String) {
    self.init()
    if text == "cluster" { return }
    let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
    let kinds: [ScopeKind] = [.tenant, .collection, .node]
    guard parts.count == 2, Names.isValid(parts[1]), let kind = kinds.first(where: { $0.name == parts[0] }) else {
      return nil
    }
    self.init(kind, parts[1])
  }

  package mutating func visit<V: FieldVisitor & ~Copyable>(_ fields: inout V) throws(WireError) {
    try fields.enumeration(1, &kind)
    try fields.string(2, &name, max: Limits.nameBytes)
  }
}
