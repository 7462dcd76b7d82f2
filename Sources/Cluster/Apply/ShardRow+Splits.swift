// What splits do to rows, whoever keeps them.

extension ShardRow {
  /// A shard that is being made.
  ///
  /// - Parameter isMonitored: whether somebody watches over a node, and it will say that it opened its replicas.
  init(_ event: SplitStarted, _ revision: Revision, isMonitored: (NodeID) -> Bool) {
    self.init(collection: event.collection, index: event.index)
    replicas = ReplicaList(event.nodes.map { Replica(node: $0, role: .learner, isOpened: !isMonitored($0)) })
    move = event.move
    changed = revision
  }

  /// The shard that is split.
  mutating func take(_ event: SplitStarted, _ revision: Revision) {
    move = event.move
    changed = revision
  }

  /// - Parameter isChild: it is the one that is being made.
  mutating func take(_ event: SplitAdvanced, _ revision: Revision, isChild: Bool) {
    if event.step.isOver { move = 0 }
    if isChild, event.step == .cancelled { replicas.removeAll() }
    changed = revision
  }

  mutating func take(_ event: ShardSplit, _ revision: Revision, isChild: Bool) {
    if isChild { minimumRaise = event.raise }
    changed = revision
  }
}

extension MoveRow {
  init(_ event: SplitStarted, _ revision: Revision) {
    shard = event.shard
    child = event.child
    purpose = event.purpose
    step = .catchingUp
    started = revision
    changed = revision
  }

  mutating func take(_ event: SplitAdvanced, _ revision: Revision) {
    step = event.step
    changed = revision
  }

  mutating func take(_ event: ShardSplit, _ revision: Revision) {
    step = .pruning
    changed = revision
  }
}

extension CollectionRow {
  mutating func take(_ event: SplitStarted, _ revision: Revision) {
    var child = ChildShard()
    child.shard = event.child
    child.parent = event.shard
    child.range = event.range
    children.append(child)
    changed = revision
  }

  mutating func take(_ event: SplitAdvanced, _ revision: Revision) {
    if event.step == .cancelled { change(event.child) { $0.state = .gone } }
    changed = revision
  }

  mutating func take(_ event: ShardSplit, _ revision: Revision) {
    change(event.child) { $0.state = .owning }
    changed = revision
  }

  mutating func take(_ event: ShardPruned, _ revision: Revision) {
    unpruned.removeAll { $0 == event.shard }
    for place in children.indices where children[place].state == .owning {
      if children[place].shard == event.shard { children[place].isPruned = true }
      if children[place].parent == event.shard { children[place].isParentPruned = true }
    }
    changed = revision
  }

  mutating func take(_ event: ShardCountWanted, _ revision: Revision) {
    wantedShards = event.shards
    wantsFewer = event.isFewer
    changed = revision
  }

  private mutating func change(_ shard: ShardID, _ change: (inout ChildShard) -> Void) {
    if let place = children.firstIndex(where: { $0.shard == shard }) { change(&children[place]) }
  }
}
