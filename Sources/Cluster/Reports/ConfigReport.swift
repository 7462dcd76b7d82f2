package import MusterBytes

/// A configuration value as people and clients see it.
package struct ConfigReport: FieldMessage, Hashable {
  package var key = ""
  /// `cluster`, `tenant:t`, `collection:c` or `node:n`: the scope that the value is set in.
  package var scope = ""
  package var value: ConfigValue?
  package var version: UInt64 = 0
  package var changed: Revision = 0
  /// The key of a sealed value is destroyed: nobody reads it any more.
  package var isErased = false
  /// The value was sealed, and is shown because it was asked for.
  package var isRevealed = false

  package init() {}

  package mutating func visit<V: FieldVisitor & ~Copyable>(_ fields: inout V) throws(WireError) {
    try fields.string(1, &key, max: Limits.configKeyBytes)
    try fields.string(2, &scope, max: Limits.pathBytes)
    try fields.message(3, &value)
    try fields.uint64(4, &version)
    try fields.uint64(5, &changed)
    try fields.bool(6, &isErased)
    try fields.bool(7, &isRevealed)
  }
}

/// The schema of a key as people and clients see it.
package struct SchemaReport: FieldMessage, Hashable {
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

extension State {
  package func report(config id: ConfigID) -> ConfigReport {
    let row = configs[id]
    var report = ConfigReport()
    report.key = row.key
    report.scope = scopeName(row.scope)
    report.value = row.value
    report.version = row.version
    report.changed = row.changed
    if case .sealed(let value) = row.value { report.isErased = isErased(value) }
    return report
  }

  package func report(schema id: UInt32) -> SchemaReport {
    let row = schemas[id]
    var report = SchemaReport()
    report.key = row.key
    report.schema = row.schema
    report.changed = row.changed
    return report
  }
}
