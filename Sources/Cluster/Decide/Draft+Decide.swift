internal import MusterBytes

extension Draft {
  /// Checks a command against the state so far and emits the events that it causes; none when nothing would change.
  mutating func decide(_ command: Command, _ planner: some Planner) throws(Refusal) {
    switch command {
    case .setConfig(let command): try decide(command)
    case .deleteConfig(let command): try decide(command)
    case .setSchema(let command): try decide(command)
    case .joinNode(let command): try decide(command)
    case .leaveNode(let command): try decide(command)
    case .reportReplicas(let command): try decide(command)
    case .reportNodeHealth(let command): try decide(command)
    case .cordonNode(let command): try decide(command)
    case .drainNode(let command): try decide(command)
    case .finishDrain(let command): try decide(command)
    case .removeNode(let command): try decide(command)
    case .setMaintenance(let command): decide(command)
    case .setBalancing(let command): try decide(command)
    case .createCollection(let command): try decide(command, planner)
    case .changeCollection(let command): try decide(command, planner)
    case .deleteCollection(let command): try decide(command)
    case .placeShards(let command): try decide(command, planner)
    case .electLeader(let command): try decide(command)
    case .startMove(let command): try decide(command)
    case .advanceMove(let command): try decide(command)
    case .startElections(let command): try decide(command)
    case .concludeElection(let command): try decide(command)
    case .shrinkInSync(let command): decide(command)
    case .recoverShard(let command): try decide(command)
    case .rebuildReplica(let command): try decide(command)
    case .raiseAlarm(let command): try decide(command)
    case .clearAlarm(let command): try decide(command)
    case .createTenant(let command): try decide(command)
    case .splitShard(let command): try decide(command)
    case .setShardCount(let command): try decide(command)
    case .mergeShards(let command): try decide(command)
    case .beginTimeline(let command): try decide(command)
    case .setRetention(let command): try decide(command)
    case .cutHistory(let command): try decide(command)
    case .eraseTenant(let command): try decide(command)
    case .batch(let batch): try decide(batch, planner)
    }
  }

  private mutating func decide(_ batch: Batch, _ planner: some Planner) throws(Refusal) {
    for (place, command) in batch.commands.enumerated() {
      if case .batch = command { throw Refusal(.invalid, "command \(place) of the batch is a batch itself") }
      do throws(Refusal) {
        try decide(command, planner)
      } catch {
        var named = error
        named.message = "command \(place) of the batch (\(command.name)): \(error.message)"
        throw named
      }
    }
  }
}

// MARK: - Lookups that refuse

extension Draft {
  func requireNode(_ name: String) throws(Refusal) -> NodeID {
    guard let id = state.nodeID(named: name) else {
      throw Refusal(.notFound, "there is no node \(quoted(name)); `muster node list` shows those there are")
    }
    return id
  }

  func requireCollection(_ name: String) throws(Refusal) -> CollectionID {
    guard let id = state.collectionID(named: name) else {
      throw Refusal(.notFound, "there is no collection \(quoted(name)); `muster collection list` shows those there are")
    }
    return id
  }

  func requireShard(_ collection: String, _ index: UInt32) throws(Refusal) -> ShardID {
    let id = try requireCollection(collection)
    guard let shard = state.shardID(id, index) else {
      if state.collections[id].isGone(index) {
        throw Refusal(.notFound, "shard \(index) of collection \(quoted(collection)) is gone; it owns no keys")
      }
      throw Refusal(
        .notFound,
        "collection \(quoted(collection)) has shards 0 to \(state.collections[id].indexCount - 1), not \(index)")
    }
    return shard
  }

  /// The node, if it speaks as its newest incarnation.
  func requireIncarnation(_ id: NodeID, _ incarnation: UInt64) throws(Refusal) -> NodeRow {
    guard let row = state.nodes.row(id), !row.isRemoved else {
      throw Refusal(.fenced, "node number \(id) is not a member; join again")
    }
    guard row.incarnation == incarnation || Mutant.isOn(.staleIncarnation) else {
      throw Refusal(
        .fenced,
        "node \(row.name) is at incarnation \(row.incarnation); incarnation \(incarnation) was replaced and must stop")
    }
    return row
  }

  func requireName(_ name: String, _ what: String) throws(Refusal) {
    guard Names.isValid(name) else {
      throw Refusal(
        .invalid,
        "\(quoted(name)) is no name for a \(what): lower-case letters, digits, - _ . and at most \(Limits.nameBytes) of them"
      )
    }
  }

  func requireLabels(_ labels: [Label]) throws(Refusal) {
    for (place, label) in labels.enumerated() {
      try requireName(label.name, "label")
      guard Names.isPrintable(label.value, bytes: Limits.labelValueBytes) else {
        throw Refusal(.invalid, "the value of label \(label.name) has control characters or is too long")
      }
      guard !labels[..<place].contains(where: { $0.name == label.name }) else {
        throw Refusal(.invalid, "label \(label.name) is given twice")
      }
    }
  }

  func requireAmounts(_ amounts: [Amount]) throws(Refusal) {
    var known = state.dimensions
    for (place, amount) in amounts.enumerated() {
      try requireName(amount.dimension, "dimension")
      guard amount.value <= Limits.amountMax else {
        throw Refusal(.invalid, "\(amount.dimension)=\(amount.value) is above the highest amount, \(Limits.amountMax)")
      }
      guard !amounts[..<place].contains(where: { $0.dimension == amount.dimension }) else {
        throw Refusal(.invalid, "dimension \(amount.dimension) is given twice")
      }
      if !known.contains(amount.dimension) { known.append(amount.dimension) }
    }
    guard known.count <= Limits.dimensions else {
      throw Refusal(
        .limitReached, "a cluster has at most \(Limits.dimensions) dimensions: \(known.joined(separator: ", "))")
    }
  }

  /// A name as messages show it, whatever a stranger put into it.
  func quoted(_ text: String) -> String {
    let clean = Names.isPrintable(text, bytes: Limits.pathBytes)
    return clean ? "\"\(text)\"" : "(unprintable)"
  }
}
