// Single rows that follow the events about them, for questions about one thing: the same steps as the whole state takes,
// without what only the whole state knows.

/// An event with the moment of its commit.
package struct RecordedEvent: Sendable {
  package var event: Event
  package var revision: Revision
  package var time: Microseconds

  package init(_ event: Event, _ revision: Revision, _ time: Microseconds) {
    self.event = event
    self.revision = revision
    self.time = time
  }
}

/// A shard with the move it is on.
package struct ShardStory: Sendable {
  package let id: ShardID
  package var row: ShardRow?
  package var move: MoveRow?

  package init(_ id: ShardID, _ row: ShardRow?, _ move: MoveRow?) {
    self.id = id
    self.row = row
    self.move = move
  }

  /// True for events that change this shard.
  package func follows(_ event: Event) -> Bool {
    switch event {
    case .collectionCreated(let event): id >= event.firstShard && id - event.firstShard < event.shardCount
    case .collectionDeleted: true
    default:
      event.touchedShards.contains(id)
    }
  }

  /// - Parameter isMonitored: whether somebody watched over a node at that moment; asked when the shard is placed.
  package mutating func follow(_ recorded: RecordedEvent, isMonitored: (NodeID) -> Bool) throws(ApplyError) {
    let revision = recorded.revision
    switch recorded.event {
    case .collectionCreated(let event): row = ShardRow(event, index: id &- event.firstShard, revision)
    case .collectionDeleted(let event):
      guard row?.collection == event.collection else { return }
      row?.take(event, revision)
      move = nil
    case .shardPlaced(let event): row?.take(event, revision, isMonitored: isMonitored)
    case .leaderElected(let event): row?.take(event, revision)
    case .electionStarted(let event): row?.take(event, revision)
    case .handOverRequested(let event): row?.take(event, revision)
    case .replicaRebuilding(let event): try change(event.node, revision) { $0.rebuild() }
    case .replicaEmptied(let event): try change(event.node, revision) { $0.isEmptied = true }
    case .shardBegunEmpty(let event): row?.take(event, revision)
    case .minimumHeld(let event): row?.take(event, revision)
    case .replicasOpened(let event): try change(event.node, revision) { $0.open() }
    case .replicaCaughtUp(let event): try change(event.node, revision) { $0.catchUp() }
    case .replicaFellBehind(let event):
      guard row?.take(event, revision) != false else { throw .replica(id, event.node) }
    case .replicaPromoted(let event): try change(event.node, revision) { $0.promote() }
    case .replicaAdded(let event):
      guard row?.replicas.isFull == false else { throw .replica(id, event.node) }
      row?.take(event, revision)
    case .replicaRemoved(let event): row?.take(event, revision)
    case .splitStarted(let event) where event.child == id:
      row = ShardRow(event, revision, isMonitored: isMonitored)
      move = MoveRow(event, revision)
    case .splitStarted(let event):
      row?.take(event, revision)
      move = MoveRow(event, revision)
    case .splitAdvanced(let event):
      row?.take(event, revision, isChild: event.child == id)
      if event.step.isOver { move = nil } else { move?.take(event, revision) }
    case .shardSplit(let event):
      row?.take(event, revision, isChild: event.child == id)
      move?.take(event, revision)
    case .mergeStarted(let event):
      row?.take(event, revision)
      move = MoveRow(event, revision)
    case .mergeAdvanced(let event):
      row?.take(event, revision)
      if event.step.isOver { move = nil } else { move?.take(event, revision) }
    case .shardsMerged(let event):
      row?.take(event, revision, isAbsorbed: event.absorbed == id)
      move = nil
    case .moveStarted(let event):
      row?.take(event, revision)
      move = MoveRow(event, revision)
    case .moveAdvanced(let event):
      row?.take(event, revision)
      if event.step.isOver { move = nil } else { move?.take(event, revision) }
    default: return
    }
  }

  private mutating func change(
    _ node: NodeID, _ revision: Revision, _ change: (inout Replica) -> Void
  ) throws(ApplyError) {
    guard row?.change(replicaOn: node, revision, change) == true else { throw .replica(id, node) }
  }
}

extension Event {
  fileprivate var touchedShards: [ShardID] {
    var touched = Touched()
    touch(&touched)
    return touched.shards
  }

  /// The node whose row this event changes; nil when it is not about the life of a node.
  package var livingNode: NodeID? {
    switch self {
    case .nodeJoined(let event): event.node
    case .nodeRestarted(let event): event.node
    case .nodeSuspected(let event): event.node
    case .nodeRecovered(let event): event.node
    case .nodeDeclaredDown(let event): event.node
    case .nodeLeft(let event): event.node
    case .nodeCordoned(let event): event.node
    case .nodeUncordoned(let event): event.node
    case .nodeDrainRequested(let event): event.node
    case .nodeDrainCancelled(let event): event.node
    case .nodeDrained(let event): event.node
    case .nodeRemoved(let event): event.node
    default: nil
    }
  }

  /// The numbers of the events that have a `livingNode`.
  package static let nodeLife = kinds.filter { $0.name.hasPrefix("Node") }.map(\.number)
}

extension NodeRow {
  package static func follow(_ row: inout NodeRow?, _ recorded: RecordedEvent) {
    if case .nodeJoined(let event) = recorded.event {
      row = NodeRow(event, recorded.revision, recorded.time)
    } else {
      row?.follow(recorded.event, recorded.revision, recorded.time)
    }
  }
}

extension CollectionRow {
  package static func follow(_ row: inout CollectionRow?, _ recorded: RecordedEvent) {
    switch recorded.event {
    case .collectionCreated(let event): row = CollectionRow(event, recorded.revision)
    case .collectionChanged(let event): row?.take(event, recorded.revision)
    case .collectionDeleted(let event): row?.take(event, recorded.revision)
    case .shardPlaced(let event): row?.take(event, recorded.revision)
    case .splitStarted(let event): row?.take(event, recorded.revision)
    case .splitAdvanced(let event): row?.take(event, recorded.revision)
    case .shardSplit(let event): row?.take(event, recorded.revision)
    case .shardPruned(let event): row?.take(event, recorded.revision)
    case .shardCountWanted(let event): row?.take(event, recorded.revision)
    case .mergeStarted(let event): row?.take(event, recorded.revision)
    case .mergeAdvanced(let event): row?.take(event, recorded.revision)
    case .shardsMerged(let event): row?.take(event, recorded.revision)
    default: return
    }
  }
}

extension ConfigRow {
  package static func follow(_ row: inout ConfigRow?, _ recorded: RecordedEvent) {
    switch recorded.event {
    case .configKeyAdded(let event): row = ConfigRow(event, recorded.revision)
    case .configSet(let event): row?.write(event.value, recorded.revision)
    case .configDeleted: row?.write(nil, recorded.revision)
    default: return
    }
  }
}

extension SchemaRow {
  package static func follow(_ row: inout SchemaRow?, _ recorded: RecordedEvent) {
    guard case .schemaSet(let event) = recorded.event else { return }
    var next = row ?? SchemaRow()
    next.take(event, recorded.revision)
    row = next
  }
}

extension AlarmRow {
  package static func follow(_ row: inout AlarmRow?, _ recorded: RecordedEvent) {
    switch recorded.event {
    case .alarmRaised(let event):
      var next = row ?? AlarmRow()
      next.name = event.name
      next.raise(event, recorded.revision, recorded.time)
      row = next
    case .alarmCleared: row?.clear(recorded.revision, recorded.time)
    default: return
    }
  }
}

extension ClusterRow {
  package mutating func follow(_ recorded: RecordedEvent) {
    if case .tenantKeyErased(let event) = recorded.event {
      if event.tenant == 0 { take(event, recorded.revision) }
    } else {
      follow(recorded.event, recorded.revision)
    }
  }
}

extension TenantRow {
  package static func follow(_ row: inout TenantRow?, id: TenantID, _ recorded: RecordedEvent) {
    switch recorded.event {
    case .tenantCreated(let event) where event.tenant == id:
      row = TenantRow(name: event.name, changed: recorded.revision)
    case .tenantKeyErased(let event) where event.tenant == id: row?.take(event, recorded.revision)
    default: return
    }
  }
}

extension Event {
  /// The number of an event's name.
  package static func number(named name: String) -> UInt32? { kinds.first { $0.name == name }?.number }
}
