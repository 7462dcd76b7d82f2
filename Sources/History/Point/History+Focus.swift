package import MusterCluster

extension History {
  /// A state at a revision that knows what a question about one thing asks for, and answers it as the whole state would.
  ///
  /// - Returns: nil for questions that a few rows do not answer, and where the files do not let rows be found alone.
  package func focus(on question: Question, at revision: Revision) throws(HistoryError) -> State? {
    try lookingAgain { () throws(HistoryError) in try focusNow(on: question, at: revision) }
  }

  private func focusNow(on question: Question, at revision: Revision) throws(HistoryError) -> State? {
    guard revision > 0, question.isAboutOneThing, let reader = try PointReader(self, at: revision) else { return nil }
    var state = State.focused(at: revision, try time(of: revision))
    switch question {
    case .collections(let question): try reader.adopt(collection: question.name, into: &state)
    case .shards(let question):
      guard let (id, row) = try reader.collection(named: question.collection) else { break }
      state.adopt(row, at: id)
      if let index = question.index.flatMap({ UInt32(exactly: $0) }), let shard = row.shard(at: index) {
        try reader.adopt(shard: shard, of: id, into: &state)
      }
    case .configs(let question): try reader.adopt(question, into: &state)
    case .schemas(let question): if let found = try reader.schema(question.key) { state.adopt(found.row, at: found.id) }
    default: return nil
    }
    return state
  }
}

extension Question {
  /// A question that a few rows answer. What a node carries is not among them: it is the sum over all shards.
  fileprivate var isAboutOneThing: Bool {
    switch self {
    case .collections(let question): !question.name.isEmpty
    case .shards(let question): !question.collection.isEmpty && question.index != nil && question.node.isEmpty
    case .configs(let question): !question.key.isEmpty
    case .schemas(let question): !question.key.isEmpty
    default: false
    }
  }
}

extension PointReader {
  fileprivate func adopt(collection name: String, into state: inout State) throws(HistoryError) {
    guard let (id, row) = try collection(named: name) else { return }
    state.adopt(row, at: id)
    if row.tenant != 0, let tenant = try tenant(row.tenant) { state.adopt(tenant, at: row.tenant) }
  }

  /// A shard, its move, and the names of the nodes that they speak of.
  func adopt(shard id: ShardID, of collection: CollectionID? = nil, into state: inout State) throws(HistoryError) {
    let story = try shard(id, of: collection)
    guard let row = story.row else { return }
    state.adopt(row, at: id)
    var nodes = row.replicas.map(\.node) + [row.leader, row.heir]
    if let move = story.move, row.move != 0 {
      state.adopt(move, at: row.move)
      nodes += [move.source, move.target]
      for other in [move.shard, move.partner] where other != 0 && other != id {
        try adopt(nameOfShard: other, into: &state)
      }
    }
    for node in nodes where node != 0 { try adopt(nameOf: node, into: &state) }
  }

  /// Of a node only its name, if nothing of it is known yet.
  func adopt(nameOf node: NodeID, into state: inout State) throws(HistoryError) {
    if let known = state.nodes.row(node), !known.name.isEmpty { return }
    guard let name = try nodeName(node) else { return }
    var row = NodeRow()
    row.name = name
    state.adopt(row, at: node)
  }

  /// A value, or those in every scope that it may come from.
  fileprivate func adopt(_ question: ConfigsQuestion, into state: inout State) throws(HistoryError) {
    guard let scope = try adopt(question.scope, into: &state) else { return }
    var scopes = [scope]
    if question.isEffective {
      if scope.kind == .collection, let row = state.collections.row(scope.id), row.tenant != 0 {
        scopes.append(Scope(.tenant, row.tenant))
        if let tenant = try tenant(row.tenant) { state.adopt(tenant, at: row.tenant) }
      }
      scopes.append(.cluster)
    }
    for scope in scopes {
      guard let found = try config(question.key, in: scope) else { continue }
      state.adopt(found.row, at: found.id)
      if case .sealed(let value) = found.row.value { try adopt(keysOf: value.tenant, into: &state) }
    }
  }

  /// Which keys a tenant's values cannot be read with any more.
  private func adopt(keysOf tenant: TenantID, into state: inout State) throws(HistoryError) {
    if tenant == 0 {
      state.adopt(try cluster())
    } else if let row = try self.tenant(tenant) {
      state.adopt(row, at: tenant)
    }
  }

  /// The thing that a scope names; nil when there is none.
  func adopt(_ scope: ScopeName, into state: inout State) throws(HistoryError) -> Scope? {
    switch scope.kind {
    case .cluster: return .cluster
    case .tenant:
      guard let (id, row) = try tenant(named: scope.name) else { return nil }
      state.adopt(row, at: id)
      return Scope(.tenant, id)
    case .collection:
      guard let (id, row) = try collection(named: scope.name) else { return nil }
      state.adopt(row, at: id)
      return Scope(.collection, id)
    case .node:
      guard let (id, row) = try node(named: scope.name) else { return nil }
      state.adopt(row, at: id)
      return Scope(.node, id)
    }
  }
}
