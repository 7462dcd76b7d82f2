// Decisions about configuration, tenants and alarms.

extension Draft {
  mutating func decide(_ command: SetConfig) throws(Refusal) {
    try requireKey(command.key)
    let scope = try requireScope(command.scope)
    try SystemSetting.check(command.key, scope, command.value)
    try requireSchema(command.key, command.value)
    try requireSealing(command.key, scope, command.value)
    let known = state.configID(command.key, in: scope)
    let row = known.map { state.configs[$0] }
    let version = row?.version ?? 0
    if let expected = command.expectedVersion, expected != version {
      throw Refusal(.revisionMismatch, "\(command.key) is at version \(version), not \(expected); read again and retry")
    }
    if let row, row.value == command.value { return }
    let id = known ?? addKey(command.key, scope)
    emit(.configSet(ConfigSet(config: id, value: command.value)))
  }

  private mutating func addKey(_ key: String, _ scope: Scope) -> ConfigID {
    let id = state.configs.nextID
    emit(.configKeyAdded(ConfigKeyAdded(config: id, key: key, scope: scope)))
    return id
  }

  mutating func decide(_ command: DeleteConfig) throws(Refusal) {
    let scope = try requireScope(command.scope)
    guard let id = state.configID(command.key, in: scope) else {
      throw Refusal(.notFound, "\(quoted(command.key)) is not set in scope \(state.scopeName(scope))")
    }
    guard state.configs[id].value != nil else { return }
    emit(.configDeleted(ConfigDeleted(config: id)))
  }

  mutating func decide(_ command: SetSchema) throws(Refusal) {
    try requireKey(command.key)
    guard !command.key.utf8.starts(with: SystemSetting.prefix.utf8) else {
      throw Refusal(.invalid, "what \(command.key) may be is fixed: keys below \(SystemSetting.prefix) take no schema")
    }
    let schema = command.schema
    guard schema.minimum ?? .min <= schema.maximum ?? .max else {
      throw Refusal(.invalid, "the minimum of \(command.key) is above its maximum")
    }
    guard schema.type == .integer || (schema.minimum == nil && schema.maximum == nil) else {
      throw Refusal(.invalid, "only integers have a minimum and a maximum")
    }
    guard schema.type == .text || schema.allowed.isEmpty else {
      throw Refusal(.invalid, "only texts have a list of allowed values")
    }
    guard Names.isPrintable(schema.description, bytes: Limits.configDescriptionBytes) else {
      throw Refusal(.invalid, "the description of \(command.key) has control characters or is too long")
    }
    if state.schema(of: command.key)?.schema == schema { return }
    try requireSettledSensitivity(command.key, schema)
    try requirePresentValuesFit(command.key, schema)
    emit(.schemaSet(SchemaSet(key: command.key, schema: schema)))
  }

  /// A schema that its own key's values break would be a lie from the start.
  private func requirePresentValuesFit(_ key: String, _ schema: ConfigSchema) throws(Refusal) {
    guard let id = state.configID(key, in: .cluster), let value = state.configs[id].value else { return }
    if let problem = schema.problem(with: value) {
      throw Refusal(.conflict, "the present value of \(key) \(problem); change it first")
    }
  }

  private func requireKey(_ key: String) throws(Refusal) {
    guard Names.isValidPath(key, components: 1...16) else {
      throw Refusal(
        .invalid, "\(quoted(key)) is no configuration key: names of lower-case letters, digits, - _ . joined by /")
    }
  }

  private func requireSchema(_ key: String, _ value: ConfigValue) throws(Refusal) {
    var limit = Limits.configValueBytes
    if case .sealed = value { limit += SealedValue.overheadBytes }
    guard value.byteCount <= limit else {
      throw Refusal(.tooLarge, "a value has at most \(Limits.configValueBytes) bytes")
    }
    guard let schema = state.schema(of: key)?.schema, let problem = schema.problem(with: value) else { return }
    throw Refusal(.invalid, "the value for \(key) \(problem)")
  }

  private func requireScope(_ scope: ScopeName) throws(Refusal) -> Scope {
    switch scope.kind {
    case .cluster:
      guard scope.name.isEmpty else { throw Refusal(.invalid, "the scope of the cluster has no name") }
      return .cluster
    case .tenant:
      guard let id = state.tenantID(named: scope.name), id != 0 else {
        throw Refusal(.notFound, "there is no tenant \(quoted(scope.name))")
      }
      return Scope(.tenant, id)
    case .collection: return Scope(.collection, try requireCollection(scope.name))
    case .node: return Scope(.node, try requireNode(scope.name))
    }
  }

  mutating func decide(_ command: CreateTenant) throws(Refusal) {
    try requireName(command.name, "tenant")
    guard state.tenantID(named: command.name) == nil else {
      throw Refusal(.alreadyExists, "there is a tenant \(quoted(command.name)) already")
    }
    emit(.tenantCreated(TenantCreated(tenant: state.tenants.nextID, name: command.name)))
  }

  mutating func decide(_ command: RaiseAlarm) throws(Refusal) {
    guard Names.isValidPath(command.name, components: 1...4),
      Names.isPrintable(command.message, bytes: Limits.reasonBytes)
    else { throw Refusal(.invalid, "an alarm has a name and a printable message") }
    if state.isRaised(alarm: command.name) { return }
    emit(.alarmRaised(AlarmRaised(name: command.name, message: command.message)))
  }

  mutating func decide(_ command: ClearAlarm) throws(Refusal) {
    guard let id = state.alarmID(named: command.name) else {
      throw Refusal(.notFound, "there is no alarm \(quoted(command.name)); `muster alarm list` shows those there are")
    }
    if state.alarms[id].isRaised { emit(.alarmCleared(AlarmCleared(name: command.name))) }
  }
}

extension ConfigSchema {
  /// What is wrong with a value, as the end of a sentence; nil when it fits.
  func problem(with value: ConfigValue) -> String? {
    guard value.type == type else { return "is \(value.type.name), and the schema says \(type.name)" }
    if case .integer(let number) = value {
      if let minimum, number < minimum { return "is \(number), below the minimum of \(minimum)" }
      if let maximum, number > maximum { return "is \(number), above the maximum of \(maximum)" }
    }
    if case .text(let text) = value, !allowed.isEmpty, !allowed.contains(text) {
      return "is not one of \(allowed.joined(separator: ", "))"
    }
    return nil
  }
}
