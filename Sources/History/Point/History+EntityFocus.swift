package import MusterCluster
package import MusterLog

/// A state that knows one thing, and learns the names that commits about it need.
package struct EntityFocus {
  package var state: State
  /// Nil when the state knows everything.
  private let reader: PointReader?
  /// What it cost to make.
  let cost: ReadCost

  /// The whole state.
  package init(_ state: State, cost: ReadCost = ReadCost()) {
    self.state = state
    self.cost = cost
    reader = nil
  }

  fileprivate init(_ state: State, _ reader: PointReader, _ cost: ReadCost) {
    self.state = state
    self.reader = reader
    self.cost = cost
  }

  /// Learns the names of what commits speak of.
  mutating func learn(_ commits: [Commit]) throws(HistoryError) {
    guard let reader else { return }
    var needed = NamesNeeded()
    for commit in commits { needed.add(commit) }
    try reader.adopt(needed, into: &state)
  }
}

extension History {
  /// What `blame` and `why` need of the state at a revision: a few rows, or all of it where a few do not answer.
  ///
  /// - Parameters:
  ///   - countingReplicas: of a node it is wanted what it carries, which is the sum over all shards.
  ///   - whole: makes the whole state.
  package func focus(
    on name: EntityName, at revision: Revision, countingReplicas: Bool,
    _ whole: (Revision) throws(HistoryError) -> State
  ) throws(HistoryError) -> EntityFocus {
    let before = cost
    let isSum = if case .node = name { countingReplicas } else { false }
    if !isSum, let focus = try focus(on: name, at: revision) { return focus }
    let state = try whole(revision)
    return EntityFocus(state, cost: cost - before)
  }

  /// - Returns: nil where the thing is gone, or the files do not let rows be found alone.
  private func focus(on name: EntityName, at revision: Revision) throws(HistoryError) -> EntityFocus? {
    let before = cost
    return try lookingAgain { () throws(HistoryError) in
      guard revision > 0, let reader = try PointReader(self, at: revision) else { return nil }
      var state = State.focused(at: revision, try time(of: revision))
      guard try reader.adopt(name, into: &state) else { return nil }
      return EntityFocus(state, reader, cost - before)
    }
  }
}

extension PointReader {
  /// - Returns: false when there is no such thing now.
  fileprivate func adopt(_ name: EntityName, into state: inout State) throws(HistoryError) -> Bool {
    switch name {
    case .node(let name):
      guard let (id, row) = try node(named: name) else { return false }
      state.adopt(row, at: id)
    case .collection(let name):
      guard let (id, row) = try collection(named: name) else { return false }
      state.adopt(row, at: id)
    case .shard(let collection, let index):
      guard let (id, row) = try self.collection(named: collection), let shard = row.shard(at: index) else {
        return false
      }
      state.adopt(row, at: id)
      try adopt(shard: shard, of: id, into: &state)
      // Whether a replica counts as opened when it is placed depends on its node.
      for replica in state.shards.row(shard)?.replicas ?? ReplicaList() {
        if let row = try node(replica.node) { state.adopt(row, at: replica.node) }
      }
    case .config(let key, let scopeName):
      guard let scope = try adopt(scopeName, into: &state), let found = try config(key, in: scope) else { return false }
      state.adopt(found.row, at: found.id)
    }
    return true
  }

  fileprivate func adopt(_ needed: NamesNeeded, into state: inout State) throws(HistoryError) {
    for node in needed.nodes { try adopt(nameOf: node, into: &state) }
    for collection in needed.collections { try adopt(nameOfCollection: collection, into: &state) }
    for shard in needed.shards { try adopt(nameOfShard: shard, into: &state) }
    for config in needed.configs where state.configs.row(config)?.key.isEmpty ?? true {
      guard let row = try self.config(config) else { continue }
      state.adopt(row, at: config)
      switch row.scope.kind {
      case .cluster: break
      case .tenant: try adopt(tenant: row.scope.id, into: &state)
      case .collection: try adopt(nameOfCollection: row.scope.id, into: &state)
      case .node: try adopt(nameOf: row.scope.id, into: &state)
      }
    }
    for tenant in needed.tenants { try adopt(tenant: tenant, into: &state) }
    for principal in needed.principals {
      if let row = try self.principal(principal) { state.adopt(row, at: principal) }
    }
    for session in needed.sessions {
      if let row = try self.session(session) { state.adopt(row, at: session) }
    }
  }

  private func adopt(tenant id: TenantID, into state: inout State) throws(HistoryError) {
    guard id != 0, state.tenants.row(id)?.name.isEmpty ?? true, let row = try tenant(id) else { return }
    state.adopt(row, at: id)
  }

  private func adopt(nameOfCollection id: CollectionID, into state: inout State) throws(HistoryError) {
    guard state.collections.row(id)?.name.isEmpty ?? true, let row = try collection(id) else { return }
    state.adopt(row, at: id)
  }

  /// Of a shard only whose it is and which of its shards.
  func adopt(nameOfShard id: ShardID, into state: inout State) throws(HistoryError) {
    guard state.shards.row(id)?.collection ?? 0 == 0 else { return }
    let owner = try owner(of: id)
    guard owner != 0 else { return }
    try adopt(nameOfCollection: owner, into: &state)
    guard let collection = state.collections.row(owner) else { return }
    var row = ShardRow()
    row.collection = owner
    if let place = collection.children.firstIndex(where: { $0.shard == id }) {
      row.index = collection.shardCount + UInt32(place)
    } else {
      guard id >= collection.firstShard else { return }
      row.index = id - collection.firstShard
    }
    state.adopt(row, at: id)
  }
}
