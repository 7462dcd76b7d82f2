/// Evaluates an expression at one state.
struct ExpressionEvaluator {
  /// The row that a walk has come to.
  private enum Row {
    case none
    case node(NodeID)
    case shard(ShardID)
    case collection(CollectionID)
    case config(ConfigID)
    case alarm(UInt32)
  }

  private let state: State
  private let conditions: ShardConditions

  init(_ state: State) {
    self.state = state
    conditions = ShardConditions(state)
  }

  func isTrue(_ term: Expression.Term) -> Bool { isTrue(term, .none) }

  private func isTrue(_ term: Expression.Term, _ row: Row) -> Bool { value(term, row) == .flag(true) }

  private func value(_ term: Expression.Term, _ row: Row) -> Expression.Value {
    switch term {
    case .constant(let value): value
    case .field(.row, let field): value(of: field, row)
    case .field(.named(let name), let field): value(of: field, find(name))
    case .field(.cluster, let field): clusterValue(field)
    case .compare(let comparison, let left, let right): .flag(compare(comparison, value(left, row), value(right, row)))
    case .isIn(let term, let list): .flag(list.contains { compare(.equal, value(term, row), $0) })
    case .and(let left, let right): .flag(isTrue(left, row) && isTrue(right, row))
    case .or(let left, let right): .flag(isTrue(left, row) || isTrue(right, row))
    case .not(let term): .flag(!isTrue(term, row))
    case .count(let kind, let condition): .number(count(kind, condition))
    case .all(let kind, let condition): .flag(count(kind, .not(condition)) == 0)
    case .any(let kind, let condition): .flag(count(kind, condition) > 0)
    }
  }

  private func compare(_ comparison: Expression.Comparison, _ a: Expression.Value, _ b: Expression.Value) -> Bool {
    switch (comparison, a, b) {
    case (.equal, .nothing, _), (.equal, _, .nothing): false
    case (.equal, _, _): a == b
    case (.unequal, _, _): !compare(.equal, a, b)
    case (.less, .number(let a), .number(let b)): a < b
    case (.lessOrEqual, .number(let a), .number(let b)): a <= b
    case (.greater, .number(let a), .number(let b)): a > b
    case (.greaterOrEqual, .number(let a), .number(let b)): a >= b
    default: false
    }
  }

  // MARK: Walks

  private func count(_ kind: Expression.RowKind, _ condition: Expression.Term?) -> Int64 {
    var count: Int64 = 0
    func look(_ row: Row) { if condition.map({ isTrue($0, row) }) ?? true { count += 1 } }
    switch kind {
    case .nodes: state.nodes.forEach { id, row in if !row.isRemoved { look(.node(id)) } }
    case .shards:
      state.collections.forEach { _, row in
        guard !row.isDeleted else { return }
        for shard in row.owners { look(.shard(shard)) }
      }
    case .collections: state.collections.forEach { id, row in if !row.isDeleted { look(.collection(id)) } }
    case .configs: state.configs.forEach { id, row in if row.value != nil { look(.config(id)) } }
    case .alarms: state.alarms.forEach { id, row in if row.isRaised { look(.alarm(id)) } }
    }
    return count
  }

  private func find(_ name: EntityName) -> Row {
    switch name {
    case .node(let name): state.nodeID(named: name).map { .node($0) } ?? .none
    case .collection(let name): state.collectionID(named: name).map { .collection($0) } ?? .none
    case .shard(let collection, let index):
      state.collectionID(named: collection).flatMap { state.shardID($0, index) }.map { .shard($0) } ?? .none
    case .config(let key, let scope):
      (try? state.scope(scope)).flatMap { state.configID(key, in: $0) }
        .flatMap { state.configs[$0].value == nil ? nil : .config($0) } ?? .none
    }
  }

  // MARK: Fields

  private func value(of field: ExpressionField, _ row: Row) -> Expression.Value {
    switch row {
    case .none: field.name == .exists ? .flag(false) : .nothing
    case .node(let id): value(of: field, id, state.nodes[id])
    case .shard(let id): value(of: field, id, state.shards[id])
    case .collection(let id): value(of: field, state.collections[id])
    case .config(let id): value(of: field, state.configs[id])
    case .alarm(let id): field.name == .message ? .text(state.alarms[id].message) : .text(state.alarms[id].name)
    }
  }

  private func clusterValue(_ field: ExpressionField) -> Expression.Value {
    field.name == .maintenance ? .flag(state.isInMaintenance) : .text(state.cluster[1].balancing.name)
  }

  private func value(of field: ExpressionField, _ id: NodeID, _ row: NodeRow) -> Expression.Value {
    switch field.name {
    case .name: .text(row.name)
    case .state: .text(row.state.name)
    case .cordoned: .flag(row.isCordoned)
    case .domain: .text(row.domain)
    case .region: domain(row, .region)
    case .zone: domain(row, .zone)
    case .rack: domain(row, .rack)
    case .host: domain(row, .host)
    case .incarnation: number(row.incarnation)
    case .address: .text(row.address)
    case .replicas: .number(Int64(state.load(id).replicas))
    case .leaders: .number(Int64(state.load(id).leaders))
    case .label: label(row.labels, field)
    case .exists: .flag(true)
    default: .nothing
    }
  }

  /// A level that the path does not have is no text at all.
  private func domain(_ row: NodeRow, _ level: FaultLevel) -> Expression.Value {
    let parts = row.domain.split(separator: "/")
    let place = Int(level.rawValue)
    return place < parts.count ? .text(String(parts[place])) : .nothing
  }

  private func label(_ labels: [Label], _ field: ExpressionField) -> Expression.Value {
    labels[field.argument ?? ""].map { .text($0) } ?? .nothing
  }

  private func number(_ number: UInt64) -> Expression.Value { .number(Int64(clamping: number)) }

  private func value(of field: ExpressionField, _ id: ShardID, _ row: ShardRow) -> Expression.Value {
    switch field.name {
    case .shard: .text(state.shardName(id))
    case .collection: .text(state.collectionName(row.collection))
    case .index: .number(Int64(row.index))
    case .epoch: .number(Int64(row.epoch))
    case .leader: .text(row.leader == 0 ? "" : state.nodeName(row.leader))
    case .leaderless: .flag(conditions.isLeaderless(row))
    case .replicas: .number(Int64(row.replicas.count))
    case .inSync: .number(Int64(row.replicas.count { $0.isCopy }))
    case .available: .flag(policy(of: row).map { conditions.isAvailable(row, $0) } ?? false)
    case .underReplicated: .flag(policy(of: row).map { conditions.isUnderReplicated(row, $0) } ?? false)
    case .moving: .flag(row.move != 0)
    case .on: .flag(state.nodeID(named: field.argument ?? "").map { row.replicas.index(of: $0) != nil } ?? false)
    case .exists: .flag(true)
    default: .nothing
    }
  }

  private func policy(of shard: ShardRow) -> Policy? { state.collections.row(shard.collection)?.policy }

  private func value(of field: ExpressionField, _ row: CollectionRow) -> Expression.Value {
    switch field.name {
    case .name: .text(row.name)
    case .state: .text(row.state.name)
    case .tenant: .text(state.tenants.row(row.tenant)?.name ?? "")
    case .shards: .number(Int64(row.owningCount))
    case .placed: .number(Int64(row.placedCount))
    case .replicas: .number(Int64(row.policy.replicas))
    case .minInSync: .number(Int64(row.policy.minInSync))
    case .label: label(row.labels, field)
    case .exists: .flag(true)
    default: .nothing
    }
  }

  private func value(of field: ExpressionField, _ row: ConfigRow) -> Expression.Value {
    switch field.name {
    case .key: .text(row.key)
    case .scope: .text(state.scopeName(row.scope))
    case .value: row.value.map(value) ?? .nothing
    case .version: number(row.version)
    case .exists: .flag(row.value != nil)
    default: .nothing
    }
  }

  private func value(_ value: ConfigValue) -> Expression.Value {
    switch value {
    case .text(let text): .text(text)
    case .integer(let number): .number(number)
    case .boolean(let flag): .flag(flag)
    // What is no text, or cannot be read here, equals no text.
    case .bytes, .sealed: .nothing
    }
  }
}
