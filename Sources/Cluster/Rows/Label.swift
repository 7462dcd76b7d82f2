package import MusterBytes

/// A name and a text, attached to nodes and collections for people and label rules.
package struct Label: FieldMessage, Hashable {
  package var name = ""
  package var value = ""

  package init() {}
  package init(_ name: String, _ value: String) {
    self.name = name
    self.value = value
  }

  package mutating func visit<V: FieldVisitor & ~Copyable>(_ fields: inout V) throws(WireError) {
    try fields.string(1, &name, max: Limits.nameBytes)
    try fields.string(2, &value, max: Limits.labelValueBytes)
  }
}

/// So much of a named dimension, in the unit that whoever names it counts in: bytes of `disk` and `memory`, cores of `cpu`.
package struct Amount: FieldMessage, Hashable {
  package var dimension = ""
  package var value: UInt64 = 0

  package init() {}
  package init(_ dimension: String, _ value: UInt64) {
    self.dimension = dimension
    self.value = value
  }

  package mutating func visit<V: FieldVisitor & ~Copyable>(_ fields: inout V) throws(WireError) {
    try fields.string(1, &dimension, max: Limits.nameBytes)
    try fields.uint64(2, &value)
  }
}

extension [Label] {
  package subscript(name: String) -> String? { first { $0.name == name }?.value }
}
