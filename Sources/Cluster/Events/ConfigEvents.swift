// What happened to configuration.

package import MusterBytes

package struct ConfigSet: FieldMessage, Hashable {
  package var config: ConfigID = 0
  package var value = ConfigValue.text("")

  package init() {}
  package init(config: ConfigID, value: ConfigValue) {
    self.config = config
    self.value = value
  }

  package mutating func visit<V: FieldVisitor & ~Copyable>(_ fields: inout V) throws(WireError) {
    try fields.uint32(1, &config)
    try fields.message(2, &value)
  }
}

/// A key was written in a scope for the first time and got a number.
package struct ConfigKeyAdded: FieldMessage, Hashable {
  package var config: ConfigID = 0
  package var key = ""
  package var scope = Scope()

  package init() {}
  package init(config: ConfigID, key: String, scope: Scope) {
    self.config = config
    self.key = key
    self.scope = scope
  }

  package mutating func visit<V: FieldVisitor & ~Copyable>(_ fields: inout V) throws(WireError) {
    try fields.uint32(1, &config)
    try fields.string(2, &key, max: Limits.configKeyBytes)
    try fields.message(3, &scope)
  }
}

package struct ConfigDeleted: FieldMessage, Hashable {
  package var config: ConfigID = 0

  package init() {}
  package init(config: ConfigID) {
    self.config = config
  }

  package mutating func visit<V: FieldVisitor & ~Copyable>(_ fields: inout V) throws(WireError) {
    try fields.uint32(1, &config)
  }
}

package struct SchemaSet: FieldMessage, Hashable {
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

/// A key of sealed values is to be destroyed: from this moment on nobody reads what it sealed.
package struct TenantKeyErased: FieldMessage, Hashable {
  package var tenant: TenantID = 0
  package var key: UInt32 = 0

  package init() {}
  package init(tenant: TenantID, key: UInt32) {
    self.tenant = tenant
    self.key = key
  }

  package mutating func visit<V: FieldVisitor & ~Copyable>(_ fields: inout V) throws(WireError) {
    try fields.uint32(1, &tenant)
    try fields.uint32(2, &key)
  }
}
