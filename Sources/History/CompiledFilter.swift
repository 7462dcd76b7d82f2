package import MusterCluster
package import MusterLog
package import MusterProtocol

/// A filter whose names were looked up. A name that several things had one after the other matches all of them.
package struct CompiledFilter: Sendable {
  private var nodes: Set<NodeID>?
  private var collections: Set<CollectionID>?
  private var shards: Set<ShardID>?
  private var shardRanges: [ClosedRange<ShardID>]?
  private var configs: Set<ConfigID>?
  private var configKey = ""
  /// Values in the scope of the nodes, or of the collections: what is set there is said of them.
  private var nodeConfigs: Set<ConfigID> = []
  private var collectionConfigs: Set<ConfigID> = []
  /// The name of the collections of the shards: they were made with it.
  private var makerName: String?
  private var principals: Set<PrincipalID>?
  private var eventTypes: Set<String> = []
  private var tenant: TenantScope?
  /// What the log's index is asked for: it finds more than what matches, and nothing less.
  package private(set) var selection = History.everything

  /// - Parameter state: a state that knows every name, as a rule the newest.
  package init(_ filter: CommitFilter, _ state: State) throws(Refusal) {
    if !filter.node.isEmpty {
      nodes = try CompiledFilter.find(filter.node, "node", state.nodes) { $0.name }
      nodeConfigs = CompiledFilter.configs(of: .node, nodes ?? [], state)
    }
    if !filter.collection.isEmpty { try compile(collection: filter.collection, state) }
    if !filter.shard.isEmpty { try compile(shard: filter.shard, state) }
    if !filter.configKey.isEmpty {
      configKey = filter.configKey
      configs = CompiledFilter.matches(filter.configKey, state.configs) { $0.key }
      if configs?.isEmpty == true, state.schema(of: filter.configKey) == nil {
        throw CompiledFilter.unknown("configuration key", filter.configKey)
      }
    }
    if !filter.principal.isEmpty {
      principals = try CompiledFilter.find(filter.principal, "principal", state.principals) { $0.name }
    }
    if !filter.eventType.isEmpty {
      guard Event.names.contains(filter.eventType) else {
        throw Refusal(
          .notFound, "there is no event type \(filter.eventType); there are \(Event.names.joined(separator: ", "))")
      }
      eventTypes = [filter.eventType]
    }
    if !filter.tenant.isEmpty {
      guard let id = state.tenantID(named: filter.tenant) else { throw CompiledFilter.unknown("tenant", filter.tenant) }
      tenant = TenantScope(id, state)
    }
    select()
  }

  /// Commits that hold one of these events.
  package init(events: Set<String>) { eventTypes = events }

  /// Commits that speak of one thing, and hold one of these events if any are named.
  package init(_ entity: EntityID, events: Set<String> = []) {
    switch entity {
    case .node(let id): nodes = [id]
    case .shard(let id): shards = [id]
    case .collection(let id): collections = [id]
    case .config(let id): configs = [id]
    }
    if case .collection = entity { shardRanges = [] }
    eventTypes = events
    select()
  }

  private mutating func select() {
    if let nodes {
      selection.require(anyOf: nodes.map { Entity(.node, $0) } + nodeConfigs.map { Entity(.config, $0) })
    }
    if let shards {
      let maker = makerName.map { [Entity.name($0, in: .collections)] } ?? []
      selection.require(anyOf: shards.map { Entity(.shard, $0) } + maker)
    }
    if let configs {
      selection.require(anyOf: configs.map { Entity(.config, $0) } + [.name(configKey, in: .schemas)])
    }
    if let principals { selection.require(anyOf: principals.map { Entity(.principal, $0) }) }
    if let collections {
      var ranges = collections.map { id in LogKey(Entity(.collection, id))...LogKey(Entity(.collection, id)) }
      ranges += (shardRanges ?? []).map {
        LogKey(Entity(.shard, $0.lowerBound))...LogKey(Entity(.shard, $0.upperBound))
      }
      ranges += collectionConfigs.map { LogKey(Entity(.config, $0))...LogKey(Entity(.config, $0)) }
      selection.require(anyOf: ranges)
    }
    let types = Event.kinds.filter { eventTypes.contains($0.name) }
    if !eventTypes.isEmpty { selection.require(anyOf: types.map { Entity(.eventType, $0.number) }) }
  }

  private mutating func compile(collection name: String, _ state: State) throws(Refusal) {
    let found = try CompiledFilter.find(name, "collection", state.collections) { $0.name }
    collections = found
    collectionConfigs = CompiledFilter.configs(of: .collection, found, state)
    shardRanges = found.sorted().flatMap { id in
      let row = state.collections[id]
      return [row.shardRange] + row.children.map { $0.shard...$0.shard }
    }
  }

  private mutating func compile(shard name: String, _ state: State) throws(Refusal) {
    let parts = name.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
    guard parts.count == 2, let index = UInt32(parts[1]) else { throw CompiledFilter.unknown("shard", name) }
    var found: Set<ShardID> = []
    for id in try CompiledFilter.find(parts[0], "collection", state.collections, { $0.name }) {
      let row = state.collections[id]
      if let shard = row.shard(at: index) { found.insert(shard) }
    }
    guard !found.isEmpty else { throw CompiledFilter.unknown("shard", name) }
    shards = found
    makerName = parts[0]
  }

  private static func configs(of kind: ScopeKind, _ ids: Set<UInt32>, _ state: State) -> Set<ConfigID> {
    var found: Set<ConfigID> = []
    state.configs.forEach { id, row in if row.scope.kind == kind, ids.contains(row.scope.id) { found.insert(id) } }
    return found
  }

  private static func matches<Row: TableRow>(
    _ name: String, _ table: PagedTable<Row>, _ nameOf: (Row) -> String
  ) -> Set<UInt32> {
    var found: Set<UInt32> = []
    table.forEach { id, row in if nameOf(row) == name { found.insert(id) } }
    return found
  }

  private static func find<Row: TableRow>(
    _ name: String, _ what: String, _ table: PagedTable<Row>, _ nameOf: (Row) -> String
  ) throws(Refusal) -> Set<UInt32> {
    let found = matches(name, table, nameOf)
    guard !found.isEmpty else { throw unknown(what, name) }
    return found
  }

  private static func unknown(_ what: String, _ name: String) -> Refusal {
    let shown = Names.isPrintable(name, bytes: Limits.pathBytes) ? "\"\(name)\"" : "of this name"
    return Refusal(.notFound, "there is and was no \(what) \(shown)")
  }

  /// True when every condition holds for the commit.
  package func matches(_ commit: Commit) -> Bool {
    if let principals, !principals.contains(commit.principal) { return false }
    if !eventTypes.isEmpty, !commit.events.contains(where: { eventTypes.contains($0.name) }) { return false }
    if let tenant, !tenant.owns(commit) { return false }
    guard nodes != nil || collections != nil || shards != nil || configs != nil else { return true }
    var touched = Touched()
    for event in commit.events { event.touch(&touched) }
    if let shards, !touched.shards.contains(where: shards.contains), !commit.events.contains(where: makes) {
      return false
    }
    return matches(touched)
  }

  /// True when an event made one of the shards with their collection.
  private func makes(_ event: Event) -> Bool {
    guard makerName != nil, case .collectionCreated(let made) = event else { return false }
    return shards?.contains { $0 >= made.firstShard && $0 - made.firstShard < made.shardCount } ?? false
  }

  private func matches(_ touched: Touched) -> Bool {
    if let nodes, !touched.nodes.contains(where: nodes.contains),
      !touched.configs.contains(where: nodeConfigs.contains)
    {
      return false
    }
    if let configs, !touched.configs.contains(where: configs.contains), !touched.schemaKeys.contains(configKey) {
      return false
    }
    guard let collections else { return true }
    if touched.collections.contains(where: collections.contains) { return true }
    if touched.configs.contains(where: collectionConfigs.contains) { return true }
    return touched.shards.contains { shard in shardRanges?.contains { $0.contains(shard) } ?? false }
  }
}
