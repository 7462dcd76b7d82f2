internal import HashTreeCollections

// What events about configuration do to the state.

extension State {
  mutating func apply(_ event: ConfigKeyAdded, _ revision: Revision) throws(ApplyError) {
    try requireNext(event.config, in: configs)
    let address = ConfigAddress(key: event.key, scope: event.scope)
    guard index.configs[address] == nil else { throw .conflict(.configs, id: event.config) }
    write(append: ConfigRow(event, revision), to: \.configs)
    index.configs[address] = event.config
  }

  mutating func apply(_ event: ConfigSet, _ revision: Revision) throws(ApplyError) {
    guard configs.contains(event.config) else { throw .unknownConfig(event.config) }
    modify(\.configs, event.config) { $0.write(event.value, revision) }
  }

  mutating func apply(_ event: ConfigDeleted, _ revision: Revision) throws(ApplyError) {
    guard configs.contains(event.config) else { throw .unknownConfig(event.config) }
    modify(\.configs, event.config) { $0.write(nil, revision) }
  }

  mutating func apply(_ event: SchemaSet, _ revision: Revision) {
    if let id = index.schemas[event.key] {
      index.sensitiveKeys += (event.schema.isSensitive ? 1 : 0) - (schemas[id].schema.isSensitive ? 1 : 0)
      return modify(\.schemas, id) { $0.take(event, revision) }
    }
    var row = SchemaRow()
    row.take(event, revision)
    index.schemas[event.key] = schemas.nextID
    index.sensitiveKeys += event.schema.isSensitive ? 1 : 0
    write(append: row, to: \.schemas)
  }

  mutating func apply(_ event: TenantKeyErased, _ revision: Revision) throws(ApplyError) {
    guard event.key == sealingKey(of: event.tenant), event.key < .max else {
      throw .conflict(.tenants, id: event.tenant)
    }
    guard event.tenant != 0 else {
      return modify(\.cluster, 1) { $0.take(event, revision) }
    }
    guard tenants.contains(event.tenant) else { throw .conflict(.tenants, id: event.tenant) }
    modify(\.tenants, event.tenant) { $0.take(event, revision) }
  }
}

extension ConfigRow {
  init(_ event: ConfigKeyAdded, _ revision: Revision) {
    key = event.key
    scope = event.scope
    changed = revision
  }

  /// - Parameter value: nil for none.
  mutating func write(_ value: ConfigValue?, _ revision: Revision) {
    self.value = value
    version &+= 1
    changed = revision
  }
}

extension SchemaRow {
  mutating func take(_ event: SchemaSet, _ revision: Revision) {
    key = event.key
    schema = event.schema
    changed = revision
  }
}

extension ClusterRow {
  mutating func take(_ event: TenantKeyErased, _ revision: Revision) {
    erasedKeys = event.key
    changed = revision
  }
}

extension TenantRow {
  mutating func take(_ event: TenantKeyErased, _ revision: Revision) {
    erasedKeys = event.key
    changed = revision
  }
}
