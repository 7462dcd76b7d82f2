internal import MusterBytes
internal import MusterCluster
internal import MusterProtocol

extension Kernel {
  func assign(_ call: CallID, _ request: AssignmentsRequest, credit: UInt32) {
    guard let row = view.nodes.row(request.node), row.incarnation == request.incarnation, !row.isRemoved else {
      let refusal = Refusal(.fenced, "this incarnation of the node was replaced, or it is no member; join again")
      fail(call, RPCError(.refused, refusal.message, details: refusal.encoded()))
      return
    }
    assignments.add(call, AssignmentStream(node: request.node, incarnation: request.incarnation, credit: credit))
    sendAssignments(call)
  }

  /// Marks what new commits changed for the nodes that listen, and tells them.
  func noteAssignments(_ commits: [Commit]) {
    guard !assignments.isEmpty else { return }
    let shards = touchedShards(commits)
    guard !shards.isEmpty else { return }
    statuses.prune(shards, in: view)
    tellAssignments(of: shards)
  }

  /// Tells those that listen about shards of theirs.
  func tellAssignments(of changed: [ShardID]) {
    let shards = view.withSplitPartners(changed)
    for call in assignments.calls {
      guard let stream = assignments[call] else { continue }
      for shard in shards where stream.told.contains(shard) || isHosted(shard, by: stream.node) {
        assignments[call]?.dirty.insert(shard)
      }
      sendAssignments(call)
    }
  }

  private func touchedShards(_ commits: [Commit]) -> [ShardID] {
    var touched = Touched()
    for commit in commits {
      for event in commit.events {
        event.touch(&touched)
        touched.shards += shardsConcerned(by: event)
        touched.shards += shardsOfCollection(in: event)
      }
    }
    return touched.shards
  }

  /// All shards of a collection whose policy is new, or which is gone.
  private func shardsOfCollection(in event: Event) -> [ShardID] {
    switch event {
    case .collectionChanged(let event): view.collections[event.collection].livingShards
    case .collectionDeleted(let event): view.collections[event.collection].everyShard
    default: []
    }
  }

  /// Leaders are told who of their followers is down.
  private func shardsConcerned(by event: Event) -> [ShardID] {
    let node: NodeID
    switch event {
    case .nodeDeclaredDown(let event): node = event.node
    case .nodeLeft(let event): node = event.node
    case .nodeRecovered(let event): node = event.node
    case .nodeRestarted(let event): node = event.node
    default: return []
    }
    var shards: [ShardID] = []
    view.shards.forEach { shard, row in
      if row.replicas.index(of: node) != nil { shards.append(shard) }
    }
    return shards
  }

  private func isHosted(_ shard: ShardID, by node: NodeID) -> Bool {
    view.shards.row(shard)?.replicas.index(of: node) != nil
  }

  /// Tells a node what it does not know yet, as far as its credit goes.
  func sendAssignments(_ call: CallID) {
    while let stream = assignments[call], stream.credit > 0 {
      scan(call)
      let item = nextItem(call)
      // That it has been told everything is said also when there is nothing: the node then knows that it has nothing.
      guard item.isComplete || !item.assigned.isEmpty || !item.withdrawn.isEmpty else { return }
      effects.append(.item(call, encode(item)))
      assignments[call]?.credit -= 1
    }
  }

  /// Looks for the replicas of a node that has just begun to listen.
  private func scan(_ call: CallID) {
    guard let stream = assignments[call], let start = stream.scanning else { return }
    var found: [ShardID] = []
    var id = start
    while id <= UInt32(view.shards.count), found.count < AssignmentsItem.rowsMax {
      if view.shards[id].replicas.index(of: stream.node) != nil { found.append(id) }
      id += 1
    }
    assignments[call]?.dirty.formUnion(found)
    assignments[call]?.scanning = id <= UInt32(view.shards.count) ? id : nil
  }

  private func nextItem(_ call: CallID) -> AssignmentsItem {
    var item = AssignmentsItem()
    item.timeline = identity.timeline
    item.revision = view.revision
    guard let stream = assignments[call] else { return item }
    for shard in stream.dirty.sorted().prefix(AssignmentsItem.rowsMax) {
      assignments[call]?.dirty.remove(shard)
      if var assignment = view.assignment(shard, to: stream.node) {
        assignment.links = view.links(shard, to: stream.node) { statuses.status($0, $1, in: view)?.address ?? "" }
        item.assigned.append(assignment)
        assignments[call]?.told.insert(shard)
      } else if stream.told.contains(shard) {
        item.withdrawn.append(shard)
        assignments[call]?.told.remove(shard)
      }
    }
    if let stream = assignments[call], !stream.isCompleteTold, stream.scanning == nil, stream.dirty.isEmpty {
      item.isComplete = true
      assignments[call]?.isCompleteTold = true
    }
    return item
  }
}
