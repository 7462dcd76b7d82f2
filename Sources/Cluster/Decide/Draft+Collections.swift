// Decisions about collections and where their shards first stand.

extension Draft {
  mutating func decide(_ command: CreateCollection, _ planner: some Planner) throws(Refusal) {
    try requireName(command.name, "collection")
    guard state.collectionID(named: command.name) == nil else {
      throw Refusal(.alreadyExists, "there is a collection \(quoted(command.name)) already")
    }
    guard let tenant = state.tenantID(named: command.tenant) else {
      throw Refusal(.notFound, "there is no tenant \(quoted(command.tenant))")
    }
    guard command.shards >= 1, command.shards <= Limits.shardsPerCollection else {
      throw Refusal(.invalid, "a collection has 1 to \(Limits.shardsPerCollection) shards, not \(command.shards)")
    }
    guard Int(UInt32.max) - state.shards.count > Int(command.shards) else {
      throw Refusal(.limitReached, "no shard numbers are left")
    }
    let policy = try checked(command.policy)
    try requireLabels(command.labels)
    let first = min(Int(command.shards), Limits.shardsPerPlacement)
    let places = try planner.place(first, of: Int(command.shards), under: policy, in: state).get()
    let id = state.collections.nextID
    emit(
      .collectionCreated(
        CollectionCreated(
          collection: id, name: command.name, tenant: tenant, policy: policy, labels: command.labels,
          firstShard: state.shards.nextID, shardCount: command.shards)))
    try place(places, in: id)
  }

  mutating func decide(_ command: PlaceShards, _ planner: some Planner) throws(Refusal) {
    guard let row = state.collections.row(command.collection), row.state == .creating else { return }
    let left = Int(row.shardCount - row.placedCount)
    let count = min(left, Limits.shardsPerPlacement)
    let places = try planner.place(count, of: left, under: row.policy, in: state).get()
    try place(places, in: command.collection)
  }

  /// Emits the placements after checking each: a planner proposes, the state decides.
  private mutating func place(_ places: [[NodeID]], in collection: CollectionID) throws(Refusal) {
    let row = state.collections[collection]
    for (offset, nodes) in places.enumerated() {
      let shard = row.firstShard + row.placedCount + UInt32(offset)
      for (place, node) in nodes.enumerated() {
        guard let target = state.nodes.row(node), target.state == .up, !target.isCordoned,
          !nodes[..<place].contains(node)
        else { throw Refusal(.conflict, "the planner chose node \(state.nodeName(node)), which takes no replicas now") }
        try requireRoom(on: node, for: row.policy)
      }
      emit(.shardPlaced(ShardPlaced(shard: shard, nodes: nodes)))
    }
  }

  /// Placement never exceeds a capacity.
  func requireRoom(on node: NodeID, for policy: Policy) throws(Refusal) {
    let load = state.load(node)
    for weight in policy.weights where weight.value > 0 {
      guard let dimension = state.nodeLoads.dimension(weight.dimension) else { continue }
      let free = load.capacity[dimension] - min(load.used[dimension], load.capacity[dimension])
      guard weight.value <= free else {
        throw Refusal(
          .unsatisfiable, "node \(state.nodeName(node)) has no room for \(weight.dimension)=\(weight.value)",
          witness: [Witness(rule: "capacity \(weight.dimension)", needed: weight.value, available: free)])
      }
    }
  }

  mutating func decide(_ command: ChangeCollection, _ planner: some Planner) throws(Refusal) {
    let id = try requireCollection(command.name)
    let policy = try checked(command.policy)
    try requireLabels(command.labels)
    let row = state.collections[id]
    guard policy != row.policy || command.labels != row.labels else { return }
    if policy != row.policy {
      var placeable = policy
      placeable.weights = []
      _ = try planner.place(1, of: 1, under: placeable, in: state).get()
    }
    let floor = policy.raisesMinimum(of: row.policy) ? smallestMinimum(row) : 0
    emit(
      .collectionChanged(
        CollectionChanged(collection: id, policy: policy, labels: command.labels, minimumFloor: floor)))
  }

  /// The smallest minimum in sync by which some shard may have acknowledged what its leader has not spoken of since.
  private func smallestMinimum(_ row: CollectionRow) -> UInt32 {
    let allHold = row.livingShards.allSatisfy {
      // One that is being made gets what its parent holds.
      state.shards[$0].isMaking || state.shards[$0].minimumRaise == row.minimumRaises
    }
    return allHold ? row.policy.minInSync : Policy.smallerMinimum(row.policy.minInSync, row.minimumFloor)
  }

  mutating func decide(_ command: DeleteCollection) throws(Refusal) {
    let id = try requireCollection(command.name)
    emit(.collectionDeleted(CollectionDeleted(collection: id)))
  }

  /// A policy that makes sense, with what was left out filled in.
  private func requireRules(_ rules: [LabelRule]) throws(Refusal) {
    for rule in rules {
      try requireName(rule.name, "label")
      let isList = rule.test == .isIn || rule.test == .isNotIn
      guard isList != rule.values.isEmpty else {
        throw Refusal(.invalid, "the rule about label \(rule.name) \(isList ? "names no values" : "takes no values")")
      }
      guard rule.values.allSatisfy({ Names.isPrintable($0, bytes: Limits.labelValueBytes) }) else {
        throw Refusal(.invalid, "a value of the rule about label \(rule.name) has control characters or is too long")
      }
    }
  }

  /// A node has one value of a label.
  private func requireNoContradiction(_ labels: [Label]) throws(Refusal) {
    for (place, label) in labels.enumerated() {
      guard let other = labels[..<place].first(where: { $0.name == label.name && $0.value != label.value }),
        Names.isPrintable(other.value + label.value, bytes: Limits.labelValueBytes)
      else { continue }
      let rules = [other, label].map { "require \($0.name)=\($0.value)" }
      throw Refusal(
        .unsatisfiable,
        "\(rules[0]) and \(rules[1]) contradict each other: a node has one value of a label; "
          + "for either of them write \"\(label.name) in \(other.value),\(label.value)\"",
        witness: rules.map { Witness(rule: $0.clipped(to: Limits.pathBytes), needed: 1, available: 0) })
    }
  }

  private func checked(_ policy: Policy) throws(Refusal) -> Policy {
    var full = policy
    guard policy.replicas >= 1, policy.replicas <= Limits.replicas else {
      throw Refusal(.invalid, "a shard has 1 to \(Limits.replicas) replicas, not \(policy.replicas)")
    }
    if full.minInSync == 0 { full.minInSync = policy.replicas / 2 + 1 }
    guard full.minInSync <= policy.replicas else {
      throw Refusal(
        .unsatisfiable, "\(full.minInSync) replicas cannot be in sync when there are \(policy.replicas)",
        witness: [
          Witness(
            rule: "min-in-sync \(full.minInSync)", needed: UInt64(full.minInSync), available: UInt64(policy.replicas))
        ])
    }
    for (place, rule) in policy.spread.enumerated()
    where policy.spread[..<place].contains(where: { $0.level == rule.level }) {
      throw Refusal(.invalid, "the spread over \(rule.level.name)s is given twice")
    }
    try requireNoContradiction(policy.required)
    try requireLabels(policy.required)
    try requireRules(policy.rules + policy.leaderPreference)
    for name in policy.apart { try requireName(name, "collection") }
    try requireAmounts(policy.weights)
    return full
  }
}
