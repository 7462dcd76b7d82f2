package import MusterBytes

/// Which part of a long list is asked for.
package struct Page: FieldMessage, Hashable {
  /// The number of the last row that the asker has.
  package var after: UInt32 = 0
  /// At most so many rows; 0 for as many as fit an answer.
  package var limit: UInt32 = 0

  package init() {}
  package init(after: UInt32, limit: UInt32 = 0) {
    self.after = after
    self.limit = limit
  }

  package mutating func visit<V: FieldVisitor & ~Copyable>(_ fields: inout V) throws(WireError) {
    try fields.uint32(1, &after)
    try fields.uint32(2, &limit)
  }
}

package struct StatusQuestion: FieldMessage, Hashable {
  package init() {}
  package mutating func visit<V: FieldVisitor & ~Copyable>(_ fields: inout V) throws(WireError) {}
}

package struct NodesQuestion: FieldMessage, Hashable {
  /// Empty for all.
  package var name = ""
  package var page = Page()

  package init() {}
  package init(name: String) { self.name = name }

  package mutating func visit<V: FieldVisitor & ~Copyable>(_ fields: inout V) throws(WireError) {
    try fields.string(1, &name, max: Limits.nameBytes)
    try fields.message(2, &page)
  }
}

package struct CollectionsQuestion: FieldMessage, Hashable {
  /// Empty for all.
  package var name = ""
  package var page = Page()

  package init() {}
  package init(name: String) { self.name = name }

  package mutating func visit<V: FieldVisitor & ~Copyable>(_ fields: inout V) throws(WireError) {
    try fields.string(1, &name, max: Limits.nameBytes)
    try fields.message(2, &page)
  }
}

package struct ShardsQuestion: FieldMessage, Hashable {
  /// Empty for all.
  package var collection = ""
  /// Set for one shard of the collection.
  package var index: UInt64?
  /// Only shards with a replica on this node.
  package var node = ""
  package var page = Page()

  package init() {}
  package init(collection: String, index: UInt64? = nil, node: String = "") {
    self.collection = collection
    self.index = index
    self.node = node
  }

  package mutating func visit<V: FieldVisitor & ~Copyable>(_ fields: inout V) throws(WireError) {
    try fields.string(1, &collection, max: Limits.nameBytes)
    try fields.optional(2, &index)
    try fields.string(3, &node, max: Limits.nameBytes)
    try fields.message(4, &page)
  }
}

package struct ConfigsQuestion: FieldMessage, Hashable {
  /// Empty for every key.
  package var key = ""
  package var scope = ScopeName()
  /// The value that applies in the scope, wherever it is set; else only what is set in exactly this scope.
  package var isEffective = false
  /// With no key: every scope.
  package var isEveryScope = false
  package var page = Page()
  /// Sealed values are opened, where their keys still exist.
  package var isRevealed = false

  package init() {}

  package mutating func visit<V: FieldVisitor & ~Copyable>(_ fields: inout V) throws(WireError) {
    try fields.string(1, &key, max: Limits.configKeyBytes)
    try fields.message(2, &scope)
    try fields.bool(3, &isEffective)
    try fields.bool(4, &isEveryScope)
    try fields.message(5, &page)
    try fields.bool(6, &isRevealed)
  }
}

package struct SchemasQuestion: FieldMessage, Hashable {
  /// Empty for all.
  package var key = ""
  package var page = Page()

  package init() {}
  package init(key: String) { self.key = key }

  package mutating func visit<V: FieldVisitor & ~Copyable>(_ fields: inout V) throws(WireError) {
    try fields.string(1, &key, max: Limits.configKeyBytes)
    try fields.message(2, &page)
  }
}

package struct TenantsQuestion: FieldMessage, Hashable {
  package var page = Page()

  package init() {}

  package mutating func visit<V: FieldVisitor & ~Copyable>(_ fields: inout V) throws(WireError) {
    try fields.message(1, &page)
  }
}

/// What is remembered of a client's requests: where a client that lost its memory goes on.
package struct SessionQuestion: FieldMessage, Hashable {
  package var client = ""

  package init() {}
  package init(client: String) { self.client = client }

  package mutating func visit<V: FieldVisitor & ~Copyable>(_ fields: inout V) throws(WireError) {
    try fields.string(1, &client, max: Limits.nameBytes)
  }
}

/// Whether an expression holds.
package struct CheckQuestion: FieldMessage, Hashable {
  package var expression = ""

  package init() {}
  package init(_ expression: String) { self.expression = expression }

  package mutating func visit<V: FieldVisitor & ~Copyable>(_ fields: inout V) throws(WireError) {
    try fields.string(1, &expression, max: Expression.bytesMax)
  }
}

/// Something asked of one state. On the wire: a message with exactly one field, which says what.
package enum Question: Message, Hashable {
  case status(StatusQuestion)
  case nodes(NodesQuestion)
  case collections(CollectionsQuestion)
  case shards(ShardsQuestion)
  case configs(ConfigsQuestion)
  case schemas(SchemasQuestion)
  case session(SessionQuestion)
  case explain(ExplainQuestion)
  case plan(PlanQuestion)
  case recovery(RecoveryQuestion)
  case tenants(TenantsQuestion)
  case check(CheckQuestion)

  /// It may take so long that nothing else should wait for it.
  package var isLong: Bool { if case .check = self { true } else { false } }

  package func encode(into writer: inout ByteWriter) {
    switch self {
    case .status(var question): writer.message(1, &question)
    case .nodes(var question): writer.message(2, &question)
    case .collections(var question): writer.message(3, &question)
    case .shards(var question): writer.message(4, &question)
    case .configs(var question): writer.message(5, &question)
    case .schemas(var question): writer.message(6, &question)
    case .session(var question): writer.message(7, &question)
    case .explain(var question): writer.message(8, &question)
    case .plan(var question): writer.message(9, &question)
    case .recovery(var question): writer.message(10, &question)
    case .tenants(var question): writer.message(17, &question)
    case .check(var question): writer.message(13, &question)
    }
  }

  package init(from reader: inout ByteReader) throws(WireError) {
    guard let next = try reader.peekTag() else { throw .noAlternative }
    guard next.type == WireType.delimited else { throw .wireType(field: next.field) }
    _ = try reader.varint()
    var inner = try reader.nested()
    switch next.field {
    case 1: self = .status(try StatusQuestion(from: &inner))
    case 2: self = .nodes(try NodesQuestion(from: &inner))
    case 3: self = .collections(try CollectionsQuestion(from: &inner))
    case 4: self = .shards(try ShardsQuestion(from: &inner))
    case 5: self = .configs(try ConfigsQuestion(from: &inner))
    case 6: self = .schemas(try SchemasQuestion(from: &inner))
    case 7: self = .session(try SessionQuestion(from: &inner))
    case 8: self = .explain(try ExplainQuestion(from: &inner))
    case 9: self = .plan(try PlanQuestion(from: &inner))
    case 10: self = .recovery(try RecoveryQuestion(from: &inner))
    case 17: self = .tenants(try TenantsQuestion(from: &inner))
    case 13: self = .check(try CheckQuestion(from: &inner))
    default: throw .unknownField(field: next.field)
    }
    guard reader.isAtEnd else { throw .fieldOrder(field: next.field) }
  }
}
