/// What a commit speaks of: the filters of `log` ask this.
package struct Touched: Sendable {
  package var nodes: [NodeID] = []
  package var collections: [CollectionID] = []
  package var shards: [ShardID] = []
  package var configs: [ConfigID] = []
  package var schemaKeys: [String] = []

  package init() {}
}

extension Event {
  /// Adds what this event speaks of: all that it names. A shard's collection is not added: the caller knows which shards
  /// it has.
  ///
  /// Indexes of the log say this (`Entity`): a change here is a new scheme there.
  package func touch(_ touched: inout Touched) { tell(&touched) }

  /// The same, to whoever wants to hear it thing by thing.
  func tell(_ touched: inout some TouchSink) {
    switch self {
    case .configSet(let event): touched.take(config: event.config)
    case .configKeyAdded(let event):
      touched.take(config: event.config)
      touched.add(event.scope)
    case .configDeleted(let event): touched.take(config: event.config)
    case .schemaSet(let event): touched.take(schemaKey: event.key)
    case .shardPlaced(let event):
      touched.take(shard: event.shard)
      for node in event.nodes { touched.take(node: node) }
    case .electionStarted(let event): touched.take(shard: event.shard)
    case .handOverRequested(let event): touched.add(event.shard, event.node)
    case .replicaRebuilding(let event): touched.add(event.shard, event.node)
    case .replicaEmptied(let event): touched.add(event.shard, event.node)
    case .shardBegunEmpty(let event): touched.add(event.shard, event.node)
    case .minimumHeld(let event): touched.take(shard: event.shard)
    case .leaderElected(let event): touched.add(event.shard, event.node)
    case .replicasOpened(let event):
      touched.take(node: event.node)
      for shard in event.shards { touched.take(shard: shard) }
    case .replicaCaughtUp(let event): touched.add(event.shard, event.node)
    case .replicaFellBehind(let event): touched.add(event.shard, event.node)
    case .replicaAdded(let event): touched.add(event.shard, event.node)
    case .replicaPromoted(let event): touched.add(event.shard, event.node)
    case .replicaRemoved(let event): touched.add(event.shard, event.node)
    case .moveStarted(let event):
      touched.add(event.shard, event.source)
      if event.target != 0 { touched.take(node: event.target) }
    case .nodeSuspected(let event): touched.take(node: event.node)
    case .nodeRecovered(let event): touched.take(node: event.node)
    case .nodeDeclaredDown(let event): touched.take(node: event.node)
    case .nodeJoined(let event): touched.take(node: event.node)
    case .nodeRestarted(let event): touched.take(node: event.node)
    case .nodeLeft(let event): touched.take(node: event.node)
    case .nodeCordoned(let event): touched.take(node: event.node)
    case .nodeUncordoned(let event): touched.take(node: event.node)
    case .nodeDrainRequested(let event): touched.take(node: event.node)
    case .nodeDrainCancelled(let event): touched.take(node: event.node)
    case .nodeDrained(let event): touched.take(node: event.node)
    case .nodeRemoved(let event): touched.take(node: event.node)
    case .collectionCreated(let event): touched.take(collection: event.collection)
    case .collectionChanged(let event): touched.take(collection: event.collection)
    case .collectionDeleted(let event): touched.take(collection: event.collection)
    case .moveAdvanced(let event): touched.take(shard: event.shard)
    case .splitStarted(let event):
      touched.take(shard: event.shard)
      touched.take(shard: event.child)
      touched.take(collection: event.collection)
      for node in event.nodes { touched.take(node: node) }
    case .splitAdvanced(let event):
      touched.take(shard: event.shard)
      touched.take(shard: event.child)
      touched.take(collection: event.collection)
    case .shardSplit(let event):
      touched.take(shard: event.shard)
      touched.take(shard: event.child)
      touched.take(collection: event.collection)
    case .shardPruned(let event):
      touched.take(shard: event.shard)
      touched.take(collection: event.collection)
    case .shardCountWanted(let event): touched.take(collection: event.collection)
    case .mergeStarted(let event):
      touched.take(shard: event.shard)
      touched.take(shard: event.absorbed)
      touched.take(collection: event.collection)
    case .mergeAdvanced(let event):
      touched.take(shard: event.shard)
      touched.take(shard: event.absorbed)
      touched.take(collection: event.collection)
    case .shardsMerged(let event):
      touched.take(shard: event.shard)
      touched.take(shard: event.absorbed)
      touched.take(collection: event.collection)
    case .maintenanceChanged, .balancingChanged, .principalSeen, .sessionOpened, .sessionForgotten, .alarmRaised,
      .alarmCleared, .tenantCreated, .tenantKeyErased, .timelineBegan, .retentionChanged, .historyCut:
      break
    }
  }
}

/// Takes what events speak of, one thing after the other.
protocol TouchSink {
  mutating func take(node: NodeID)
  mutating func take(shard: ShardID)
  mutating func take(collection: CollectionID)
  mutating func take(config: ConfigID)
  mutating func take(schemaKey: String)
}

extension TouchSink {
  fileprivate mutating func add(_ shard: ShardID, _ node: NodeID) {
    take(shard: shard)
    if node != 0 { take(node: node) }
  }

  fileprivate mutating func add(_ scope: Scope) {
    switch scope.kind {
    case .node: take(node: scope.id)
    case .collection: take(collection: scope.id)
    case .cluster, .tenant: break
    }
  }
}

extension Touched: TouchSink {
  mutating func take(node: NodeID) { nodes.append(node) }
  mutating func take(shard: ShardID) { shards.append(shard) }
  mutating func take(collection: CollectionID) { collections.append(collection) }
  mutating func take(config: ConfigID) { configs.append(config) }
  mutating func take(schemaKey: String) { schemaKeys.append(schemaKey) }
}
