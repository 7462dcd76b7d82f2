// Decisions about sealed values and the keys that open them.

extension Draft {
  /// A sensitive key takes sealed values alone, and no other key takes one.
  func requireSealing(_ key: String, _ scope: Scope, _ value: ConfigValue) throws(Refusal) {
    let isSensitive = state.schema(of: key)?.schema.isSensitive ?? false
    guard case .sealed(let sealed) = value else {
      guard !isSensitive else {
        throw Refusal(.invalid, "\(key) is sensitive, and this server has no keys to seal its value with")
      }
      return
    }
    guard isSensitive else { throw Refusal(.invalid, "\(key) is not sensitive: it takes no sealed value") }
    let tenant = state.owner(of: scope)
    guard sealed.tenant == tenant, sealed.key == state.sealingKey(of: tenant) else {
      throw Refusal(.invalid, "the value for \(key) was sealed with a key that is not in force; send it again")
    }
  }

  /// What is in the log in the open stays there, and what was sealed was meant to be: that is settled before the first
  /// value.
  func requireSettledSensitivity(_ key: String, _ schema: ConfigSchema) throws(Refusal) {
    guard schema.isSensitive != state.schema(of: key)?.schema.isSensitive ?? false else { return }
    var isUsed = false
    state.configs.forEach { _, row in isUsed = isUsed || row.key == key }
    guard !isUsed else {
      throw Refusal(
        .conflict,
        "\(key) has had values already, and the log keeps them as they were written; say of a new key that it is "
          + (schema.isSensitive ? "sensitive" : "not sensitive"))
    }
  }

  mutating func decide(_ command: EraseTenant) throws(Refusal) {
    guard let tenant = state.tenantID(named: command.tenant) else {
      throw Refusal(
        .notFound, "there is no tenant \(quoted(command.tenant)); `muster tenant list` shows those there are")
    }
    let key = state.sealingKey(of: tenant)
    guard key < .max else { throw Refusal(.limitReached, "the keys of \(state.ownerName(tenant)) are used up") }
    emit(.tenantKeyErased(TenantKeyErased(tenant: tenant, key: key)))
  }
}

extension State {
  /// The tenant whose key seals the values of a scope.
  package func owner(of scope: Scope) -> TenantID {
    switch scope.kind {
    case .cluster, .node: 0
    case .tenant: scope.id
    case .collection: collections.row(scope.id)?.tenant ?? 0
    }
  }

  /// Keys of a tenant up to this number are destroyed.
  package func erasedKeys(of tenant: TenantID) -> UInt32 {
    tenant == 0 ? cluster.row(1)?.erasedKeys ?? 0 : tenants.row(tenant)?.erasedKeys ?? 0
  }

  /// The number of the key that a tenant's values are sealed with now.
  package func sealingKey(of tenant: TenantID) -> UInt32 { erasedKeys(of: tenant) &+ 1 }

  /// True when nobody can open the value any more.
  package func isErased(_ value: SealedValue) -> Bool { value.key <= erasedKeys(of: value.tenant) }

  /// What is wrong with the value that a command wants to set, before it is sealed; nil when it fits its schema.
  package func problem(with command: SetConfig) -> String? {
    schema(of: command.key).flatMap { $0.schema.problem(with: command.value) }
  }
}
