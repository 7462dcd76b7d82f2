extension State {
  /// Answers a question about this state.
  ///
  /// - Throws: a refusal when the question names what is not there.
  package func answer(_ question: Question, _ advisor: some Advisor) throws(Refusal) -> Answer {
    var answer = Answer()
    switch question {
    case .status: answer.status = statusReport()
    case .nodes(let question): try answer.fill(question, self)
    case .collections(let question): try answer.fill(question, self)
    case .shards(let question): try answer.fill(question, self)
    case .configs(let question): try answer.fill(question, self)
    case .schemas(let question): try answer.fill(question, self)
    case .tenants(let question): answer.fill(question, self)
    case .session(let question): answer.session = report(session: question.client)
    case .explain(let question):
      guard let id = collectionID(named: question.collection), let shard = shardID(id, question.index) else {
        throw notFound("shard", "\(question.collection)/\(question.index)")
      }
      answer.explanation = try advisor.explain(question, shard, in: self)
    case .retention: answer.retention = retention
    case .recovery: answer.lost = lostShards()
    case .check(let question):
      do throws(ExpressionError) {
        answer.check = CheckReport(holds: try Expression(question.expression).holds(in: self))
      } catch {
        throw Refusal(error, in: question.expression)
      }
    case .plan(let question): answer.plan = try advisor.plan(question, in: self)
    }
    return answer
  }

  private func report(session client: String) -> SessionReport {
    var report = SessionReport()
    report.client = client
    if let id = sessionID(of: client) {
      report.floor = sessions[id].floor
      report.remembered = sessions[id].window
    }
    return report
  }

  /// The value of a key that applies in a scope: the narrowest scope that has one wins.
  package func effectiveConfig(_ key: String, in scope: Scope) -> ConfigID? {
    var candidates = [scope]
    if scope.kind == .collection, let row = collections.row(scope.id), row.tenant != 0 {
      candidates.append(Scope(.tenant, row.tenant))
    }
    candidates.append(.cluster)
    for candidate in candidates {
      if let id = configID(key, in: candidate), configs[id].value != nil { return id }
    }
    return nil
  }

  /// A scope by name.
  package func scope(_ name: ScopeName) throws(Refusal) -> Scope {
    switch name.kind {
    case .cluster: return .cluster
    case .tenant:
      guard let id = tenantID(named: name.name), id != 0 else { throw notFound("tenant", name.name) }
      return Scope(.tenant, id)
    case .collection:
      guard let id = collectionID(named: name.name) else { throw notFound("collection", name.name) }
      return Scope(.collection, id)
    case .node:
      guard let id = nodeID(named: name.name) else { throw notFound("node", name.name) }
      return Scope(.node, id)
    }
  }

  func notFound(_ what: String, _ name: String) -> Refusal {
    let shown = Names.isPrintable(name, bytes: Limits.pathBytes) ? "\"\(name)\"" : "of this name"
    return Refusal(.notFound, "there is no \(what) \(shown) at revision \(revision)")
  }
}

extension Answer {
  /// Walks numbers from behind the page's mark until the page is full.
  ///
  /// - Parameter row: appends the row of a number and says about how many bytes it takes, or nil when it is passed.
  private mutating func walk(_ page: Page, upTo last: UInt32, _ row: (inout Answer, UInt32) -> Int?) {
    let limit = page.limit == 0 ? Answer.rowsMax : min(Int(page.limit), Answer.rowsMax)
    var taken = 0
    var bytes = 0
    var id = page.after
    while id < last {
      id += 1
      guard let size = row(&self, id) else { continue }
      taken += 1
      bytes += size
      if taken == limit || bytes >= Answer.bytesMax {
        next = id < last ? id : 0
        return
      }
    }
  }

  fileprivate mutating func fill(_ question: NodesQuestion, _ state: State) throws(Refusal) {
    if !question.name.isEmpty {
      guard let id = state.nodeID(named: question.name) else { throw state.notFound("node", question.name) }
      nodes = [state.report(node: id)]
      return
    }
    walk(question.page, upTo: UInt32(state.nodes.count)) { answer, id in
      let row = state.nodes[id]
      guard !row.isRemoved else { return nil }
      answer.nodes.append(state.report(node: id))
      return 512 + row.labels.count * 320
    }
  }

  fileprivate mutating func fill(_ question: CollectionsQuestion, _ state: State) throws(Refusal) {
    if !question.name.isEmpty {
      guard let id = state.collectionID(named: question.name) else {
        throw state.notFound("collection", question.name)
      }
      collections = [state.report(collection: id)]
      return
    }
    walk(question.page, upTo: UInt32(state.collections.count)) { answer, id in
      let row = state.collections[id]
      guard !row.isDeleted else { return nil }
      answer.collections.append(state.report(collection: id))
      return 512 + (row.labels.count + row.policy.required.count) * 320
    }
  }

  fileprivate mutating func fill(_ question: ShardsQuestion, _ state: State) throws(Refusal) {
    var node: NodeID = 0
    if !question.node.isEmpty {
      guard let id = state.nodeID(named: question.node) else { throw state.notFound("node", question.node) }
      node = id
    }
    var page = question.page
    var last = UInt32(state.shards.count)
    var wanted: CollectionID = 0
    if !question.collection.isEmpty {
      guard let id = state.collectionID(named: question.collection) else {
        throw state.notFound("collection", question.collection)
      }
      let row = state.collections[id]
      if let index = question.index {
        guard let shard = UInt32(exactly: index).flatMap({ state.shardID(id, $0) }) else {
          throw state.notFound("shard", "\(question.collection)/\(index)")
        }
        shards = [state.report(shard: shard)]
        return
      }
      page.after = max(page.after, row.firstShard - 1)
      last = row.children.last?.shard ?? row.firstShard + row.shardCount - 1
      wanted = id
    }
    walk(page, upTo: last) { answer, id in
      let shard = state.shards[id]
      guard wanted == 0 || shard.collection == wanted,
        let collection = state.collections.row(shard.collection), !collection.isDeleted
      else { return nil }
      guard shard.replicas.count > 0 || !collection.isGone(shard.index) else { return nil }
      guard node == 0 || shard.replicas.index(of: node) != nil else { return nil }
      answer.shards.append(state.report(shard: id))
      return 256
    }
  }

  fileprivate mutating func fill(_ question: ConfigsQuestion, _ state: State) throws(Refusal) {
    if !question.key.isEmpty {
      let scope = try state.scope(question.scope)
      let exact = state.configID(question.key, in: scope).flatMap { state.configs[$0].value == nil ? nil : $0 }
      guard let id = question.isEffective ? state.effectiveConfig(question.key, in: scope) : exact else {
        throw state.notFound("configuration key", question.key)
      }
      configs = [state.report(config: id)]
      return
    }
    let scope = question.isEveryScope ? nil : try state.scope(question.scope)
    walk(question.page, upTo: UInt32(state.configs.count)) { answer, id in
      let row = state.configs[id]
      guard let value = row.value, scope == nil || row.scope == scope else { return nil }
      answer.configs.append(state.report(config: id))
      return 512 + value.byteCount
    }
  }

  fileprivate mutating func fill(_ question: TenantsQuestion, _ state: State) {
    if question.page.after == 0 { tenants.append(state.report(tenant: 0)) }
    walk(question.page, upTo: UInt32(state.tenants.count)) { answer, id in
      answer.tenants.append(state.report(tenant: id))
      return 128
    }
  }

  fileprivate mutating func fill(_ question: SchemasQuestion, _ state: State) throws(Refusal) {
    if !question.key.isEmpty {
      guard let row = state.schema(of: question.key) else { throw state.notFound("schema for", question.key) }
      var report = SchemaReport()
      report.key = row.key
      report.schema = row.schema
      report.changed = row.changed
      schemas = [report]
      return
    }
    walk(question.page, upTo: UInt32(state.schemas.count)) { answer, id in
      answer.schemas.append(state.report(schema: id))
      return 1536 + state.schemas[id].schema.allowed.count * 256
    }
  }
}
