internal import HashTreeCollections

// A state of which only some rows are known: those that one question asks for. It answers that question as the whole
// state would. It has no digest, applies nothing and decides nothing.

extension State {
  /// A state at a revision of which no row is known yet.
  package static func focused(at revision: Revision, _ time: Microseconds) -> State {
    var state = State.empty(following: .core)
    state.revision = revision
    state.time = time
    return state
  }

  package mutating func adopt(_ row: ClusterRow) { cluster.adopt(row, at: 1) }

  package mutating func adopt(_ row: NodeRow, at id: NodeID) {
    nodes.adopt(row, at: id)
    if !row.isRemoved { index.nodes[row.name] = id }
  }

  package mutating func adopt(_ row: CollectionRow, at id: CollectionID) {
    collections.adopt(row, at: id)
    if !row.isDeleted { index.collections[row.name] = id }
  }

  package mutating func adopt(_ row: ShardRow, at id: ShardID) { shards.adopt(row, at: id) }

  package mutating func adopt(_ row: MoveRow, at id: MoveID) { moves.adopt(row, at: id) }

  package mutating func adopt(_ row: ConfigRow, at id: ConfigID) {
    configs.adopt(row, at: id)
    index.configs[ConfigAddress(key: row.key, scope: row.scope)] = id
  }

  package mutating func adopt(_ row: SchemaRow, at id: UInt32) {
    schemas.adopt(row, at: id)
    index.schemas[row.key] = id
  }

  package mutating func adopt(_ row: AlarmRow, at id: UInt32) {
    alarms.adopt(row, at: id)
    index.alarms[row.name] = id
  }

  package mutating func adopt(_ row: TenantRow, at id: TenantID) {
    tenants.adopt(row, at: id)
    index.tenants[row.name] = id
  }

  package mutating func adopt(_ row: PrincipalRow, at id: PrincipalID) { principals.adopt(row, at: id) }

  package mutating func adopt(_ row: SessionRow, at id: SessionID) { sessions.adopt(row, at: id) }
}
