internal import HashTreeCollections

// What events about configuration do to the state.

extension State {
  mutating func apply(_ event: ConfigKeyAdded, _ revision: Revision) throws(ApplyError) {
    try requireNext(event.config, in: configs)
    let address = ConfigAddress(key: event.key, scope: event.scope)
    guard index.configs[address] == nil else { throw .conflict(.configs, id: event.config) }
    var row = ConfigRow()
    row.key = event.key
    row.scope = event.scope
    row.changed = revision
    write(append: row, to: \.configs)
    index.configs[address] = event.config
  }

  mutating func apply(_ event: ConfigSet, _ revision: Revision) throws(ApplyError) {
    guard configs.contains(event.config) else { throw .unknownConfig(event.config) }
    modify(\.configs, event.config) {
      $0.value = event.value
      $0.version &+= 1
      $0.changed = revision
    }
  }

  mutating func apply(_ event: ConfigDeleted, _ revision: Revision) throws(ApplyError) {
    guard configs.contains(event.config) else { throw .unknownConfig(event.config) }
    modify(\.configs, event.config) {
      $0.value = nil
      $0.version &+= 1
      $0.changed = revision
    }
  }

  mutating func apply(_ event: SchemaSet, _ revision: Revision) {
    if let id = index.schemas[event.key] {
      index.sensitiveKeys += (event.schema.isSensitive ? 1 : 0) - (schemas[id].schema.isSensitive ? 1 : 0)
      modify(\.schemas, id) {
        $0.schema = event.schema
        $0.changed = revision
      }
      return
    }
    var row = SchemaRow()
    row.key = event.key
    row.schema = event.schema
    row.changed = revision
    index.schemas[event.key] = schemas.nextID
    index.sensitiveKeys += event.schema.isSensitive ? 1 : 0
    write(append: row, to: \.schemas)
  }

  mutating func apply(_ event: TenantKeyErased, _ revision: Revision) throws(ApplyError) {
    guard event.key == sealingKey(of: event.tenant), event.key < .max else {
      throw .conflict(.tenants, id: event.tenant)
    }
    guard event.tenant != 0 else {
      modify(\.cluster, 1) {
        $0.erasedKeys = event.key
        $0.changed = revision
      }
      return
    }
    guard tenants.contains(event.tenant) else { throw .conflict(.tenants, id: event.tenant) }
    modify(\.tenants, event.tenant) {
      $0.erasedKeys = event.key
      $0.changed = revision
    }
  }
}
