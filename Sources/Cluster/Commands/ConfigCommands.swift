// What may be asked about configuration, tenants and alarms.

package import MusterBytes

package struct SetConfig: FieldMessage, Hashable {
  package var key = ""
  package var scope = ScopeName()
  package var value = ConfigValue.text("")
  package var expectedVersion: UInt64?

  package init() {}
  package init(key: String, scope: ScopeName, value: ConfigValue, expectedVersion: UInt64? = nil) {
    self.key = key
    self.scope = scope
    self.value = value
    self.expectedVersion = expectedVersion
  }

  package mutating func visit<V: FieldVisitor & ~Copyable>(_ fields: inout V) throws(WireError) {
    try fields.string(1, &key, max: Limits.configKeyBytes)
    try fields.message(2, &scope)
    try fields.message(3, &value)
    try fields.optional(4, &expectedVersion)
  }
}

package struct DeleteConfig: FieldMessage, Hashable {
  package var key = ""
  package var scope = ScopeName()

  package init() {}
  package init(key: String, scope: ScopeName) {
    self.key = key
    self.scope = scope
  }

  package mutating func visit<V: FieldVisitor & ~Copyable>(_ fields: inout V) throws(WireError) {
    try fields.string(1, &key, max: Limits.configKeyBytes)
    try fields.message(2, &scope)
  }
}

package struct SetSchema: FieldMessage, Hashable {
  package var key = ""
  package var schema = ConfigSchema()

  package init() {}
  package init(key: String, schema: ConfigSchema) {
    self.key = key
    self.schema = schema
  }

  package mutating func visit<V: FieldVisitor & ~Copyable>(_ fields: inout V) throws(WireError) {
    try fields.string(1, &key, max: Limits.configKeyBytes)
    try fields.message(2, &schema)
  }
}

package struct RaiseAlarm: FieldMessage, Hashable {
  package var name = ""
  package var message = ""

  package init() {}
  package init(name: String, message: String) {
    self.name = name
    self.message = message
  }

  package mutating func visit<V: FieldVisitor & ~Copyable>(_ fields: inout V) throws(WireError) {
    try fields.string(1, &name, max: Limits.pathBytes)
    try fields.string(2, &message, max: Limits.reasonBytes)
  }
}

package struct ClearAlarm: FieldMessage, Hashable {
  package var name = ""

  package init() {}
  package init(name: String) {
    self.name = name
  }

  package mutating func visit<V: FieldVisitor & ~Copyable>(_ fields: inout V) throws(WireError) {
    try fields.string(1, &name, max: Limits.pathBytes)
  }
}

package struct CreateTenant: FieldMessage, Hashable {
  package var name = ""

  package init() {}
  package init(name: String) {
    self.name = name
  }

  package mutating func visit<V: FieldVisitor & ~Copyable>(_ fields: inout V) throws(WireError) {
    try fields.string(1, &name, max: Limits.nameBytes)
  }
}

/// Destroys the key of a tenant's sealed values.
package struct EraseTenant: FieldMessage, Hashable {
  /// Empty for the system.
  package var tenant = ""

  package init() {}
  package init(tenant: String) {
    self.tenant = tenant
  }

  package mutating func visit<V: FieldVisitor & ~Copyable>(_ fields: inout V) throws(WireError) {
    try fields.string(1, &tenant, max: Limits.nameBytes)
  }
}
