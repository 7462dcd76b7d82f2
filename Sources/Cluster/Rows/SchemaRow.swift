package import MusterBytes

/// What values a configuration key takes.
package struct ConfigSchema: FieldMessage, Hashable {
  package var type = ConfigType.text
  package var minimum: Int64?
  package var maximum: Int64?
  /// When not empty, the only texts allowed.
  package var allowed: [String] = []
  package var description = ""
  /// Values are sealed before they are decided.
  package var isSensitive = false

  package init() {}

  package mutating func visit<V: FieldVisitor & ~Copyable>(_ fields: inout V) throws(WireError) {
    try fields.enumeration(1, &type)
    try visitBound(2, &minimum, &fields)
    try visitBound(3, &maximum, &fields)
    try fields.strings(4, &allowed, max: Limits.configKeyBytes, count: Limits.configAllowedValues)
    try fields.string(5, &description, max: Limits.configDescriptionBytes)
    try fields.bool(6, &isSensitive)
  }

  /// Bounds are stored as their zigzag form, present or absent.
  private func visitBound<V: FieldVisitor & ~Copyable>(
    _ field: Int, _ bound: inout Int64?, _ fields: inout V
  ) throws(WireError) {
    var raw = bound.map { UInt64(bitPattern: $0 << 1 ^ $0 >> 63) }
    try fields.optional(field, &raw)
    bound = raw.map { Int64(bitPattern: $0 >> 1) ^ -Int64(bitPattern: $0 & 1) }
  }
}

/// The schema of one key.
package struct SchemaRow: TableRow {
  package static let table = TableID.schemas
  @inlinable package static var rowsPerPageShift: Int { 4 }

  package var key = ""
  package var schema = ConfigSchema()
  package var changed: Revision = 0

  package init() {}

  package mutating func visit<V: FieldVisitor & ~Copyable>(_ fields: inout V) throws(WireError) {
    try fields.string(1, &key, max: Limits.configKeyBytes)
    try fields.message(2, &schema)
    try fields.uint64(3, &changed)
  }
}
