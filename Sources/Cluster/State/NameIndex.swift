internal import MusterBytes
internal import HashTreeCollections

/// From names to numbers. Persistent maps, looked up and never iterated.
struct NameIndex: Sendable {
  var nodes = TreeDictionary<String, NodeID>()
  var collections = TreeDictionary<String, CollectionID>()
  var configs = TreeDictionary<ConfigAddress, ConfigID>()
  var schemas = TreeDictionary<String, UInt32>()
  var principals = TreeDictionary<PrincipalName, PrincipalID>()
  var sessions = TreeDictionary<String, SessionID>()
  var alarms = TreeDictionary<String, UInt32>()
  var tenants = TreeDictionary<String, TenantID>()
  /// How many keys take sealed values alone.
  var sensitiveKeys = 0
}

/// A key in a scope.
struct ConfigAddress: Hashable, Sendable {
  var key: String
  var scope: Scope
}

struct PrincipalName: Hashable, Sendable {
  var name: String
  var kind: PrincipalKind
}

// MARK: - Lookups

extension State {
  /// The member of this name; a removed one is found no more.
  package func nodeID(named name: String) -> NodeID? { index.nodes[name] }

  package func collectionID(named name: String) -> CollectionID? { index.collections[name] }

  package func configID(_ key: String, in scope: Scope) -> ConfigID? {
    index.configs[ConfigAddress(key: key, scope: scope)]
  }

  /// True when some key takes sealed values alone.
  package var hasSensitiveKeys: Bool { index.sensitiveKeys > 0 }

  package func schema(of key: String) -> SchemaRow? { index.schemas[key].map { schemas[$0] } }

  package func principalID(_ name: String, _ kind: PrincipalKind) -> PrincipalID? {
    index.principals[PrincipalName(name: name, kind: kind)]
  }

  package func sessionID(of client: String) -> SessionID? { index.sessions[client] }

  package func alarmID(named name: String) -> UInt32? { index.alarms[name] }
  package func isRaised(alarm name: String) -> Bool { alarmID(named: name).map { alarms[$0].isRaised } ?? false }

  package func tenantID(named name: String) -> TenantID? { name.isEmpty ? 0 : index.tenants[name] }

  /// The number of a collection's shard, or nil when it has no such shard.
  package func shardID(_ collection: CollectionID, _ index: UInt32) -> ShardID? {
    guard let row = collections.row(collection), !row.isDeleted else { return nil }
    guard let shard = row.shard(at: index), !row.isGone(index) else { return nil }
    return shard
  }

  /// The name a node has or had; numbers outlive members.
  package func nodeName(_ id: NodeID) -> String { nodes.row(id)?.name ?? "#\(id)" }

  package func collectionName(_ id: CollectionID) -> String { collections.row(id)?.name ?? "#\(id)" }

  /// `orders/17`.
  package func shardName(_ id: ShardID) -> String {
    guard let row = shards.row(id) else { return "#\(id)" }
    return "\(collectionName(row.collection))/\(row.index)"
  }
}

// MARK: - Rebuilding

extension State {
  /// Rebuilds what is derived from the rows, after the rows were loaded from a snapshot.
  mutating func rebuildDerived() {
    index = NameIndex()
    loads = LoadTable()
    nodes.forEach { id, row in
      if !row.isRemoved { index.nodes[row.name] = id }
      loads.addNode(row)
    }
    collections.forEach { id, row in
      if !row.isDeleted { index.collections[row.name] = id }
      loads.addCollection(row.policy)
    }
    configs.forEach { id, row in index.configs[ConfigAddress(key: row.key, scope: row.scope)] = id }
    schemas.forEach { id, row in
      index.schemas[row.key] = id
      index.sensitiveKeys += row.schema.isSensitive ? 1 : 0
    }
    principals.forEach { id, row in index.principals[PrincipalName(name: row.name, kind: row.kind)] = id }
    forgottenSessions = sessions.count
    sessions.forEach { id, row in
      if row.isVacant { return }
      forgottenSessions -= 1
      if !Mutant.isOn(.snapshotForgetsRequests) { index.sessions[row.client] = id }
    }
    oldestSession = 1
    passForgottenSessions()
    alarms.forEach { id, row in index.alarms[row.name] = id }
    tenants.forEach { id, row in index.tenants[row.name] = id }
    shards.forEach { _, row in loads.add(row) }
  }
}

extension State {
  /// Moves the mark of the oldest session past those that were forgotten.
  mutating func passForgottenSessions() {
    while sessions.contains(oldestSession), !sessions.holds(oldestSession) { oldestSession += 1 }
  }
}
