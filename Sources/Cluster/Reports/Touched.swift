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
  /// Adds what this event speaks of. A shard's collection is not added: the caller knows which shards it has.
  package func touch(_ touched: inout Touched) {
    switch self {
    case .configSet(let event): touched.configs.append(event.config)
    case .configKeyAdded(let event): touched.configs.append(event.config)
    case .configDeleted(let event): touched.configs.append(event.config)
    case .schemaSet(let event): touched.schemaKeys.append(event.key)
    case .shardPlaced(let event):
      touched.shards.append(event.shard)
      touched.nodes += event.nodes
    case .electionStarted(let event): touched.shards.append(event.shard)
    case .handOverRequested(let event): touched.shards.append(event.shard)
    case .replicaRebuilding(let event): touched.add(event.shard, event.node)
    case .minimumHeld(let event): touched.shards.append(event.shard)
    case .leaderElected(let event): touched.add(event.shard, event.node)
    case .replicasOpened(let event):
      touched.nodes.append(event.node)
      touched.shards += event.shards
    case .replicaCaughtUp(let event): touched.add(event.shard, event.node)
    case .replicaFellBehind(let event): touched.add(event.shard, event.node)
    case .replicaAdded(let event): touched.add(event.shard, event.node)
    case .replicaPromoted(let event): touched.add(event.shard, event.node)
    case .replicaRemoved(let event): touched.add(event.shard, event.node)
    case .moveStarted(let event):
      touched.add(event.shard, event.source)
      touched.nodes.append(event.target)
    case .nodeSuspected(let event): touched.nodes.append(event.node)
    case .nodeRecovered(let event): touched.nodes.append(event.node)
    case .nodeDeclaredDown(let event): touched.nodes.append(event.node)
    case .nodeJoined(let event): touched.nodes.append(event.node)
    case .nodeRestarted(let event): touched.nodes.append(event.node)
    case .nodeLeft(let event): touched.nodes.append(event.node)
    case .nodeCordoned(let event): touched.nodes.append(event.node)
    case .nodeUncordoned(let event): touched.nodes.append(event.node)
    case .nodeDrainRequested(let event): touched.nodes.append(event.node)
    case .nodeDrainCancelled(let event): touched.nodes.append(event.node)
    case .nodeDrained(let event): touched.nodes.append(event.node)
    case .nodeRemoved(let event): touched.nodes.append(event.node)
    case .collectionCreated(let event): touched.collections.append(event.collection)
    case .collectionChanged(let event): touched.collections.append(event.collection)
    case .collectionDeleted(let event): touched.collections.append(event.collection)
    case .moveAdvanced(let event): touched.shards.append(event.shard)
    case .splitStarted(let event):
      touched.shards += [event.shard, event.child]
      touched.collections.append(event.collection)
      touched.nodes += event.nodes
    case .splitAdvanced(let event):
      touched.shards += [event.shard, event.child]
      touched.collections.append(event.collection)
    case .shardSplit(let event):
      touched.shards += [event.shard, event.child]
      touched.collections.append(event.collection)
    case .shardPruned(let event):
      touched.shards.append(event.shard)
      touched.collections.append(event.collection)
    case .shardCountWanted(let event): touched.collections.append(event.collection)
    case .mergeStarted(let event):
      touched.shards += [event.shard, event.absorbed]
      touched.collections.append(event.collection)
    case .mergeAdvanced(let event):
      touched.shards += [event.shard, event.absorbed]
      touched.collections.append(event.collection)
    case .shardsMerged(let event):
      touched.shards += [event.shard, event.absorbed]
      touched.collections.append(event.collection)
    case .maintenanceChanged, .balancingChanged, .principalSeen, .sessionOpened, .sessionForgotten, .alarmRaised,
      .alarmCleared, .tenantCreated, .tenantKeyErased, .timelineBegan, .retentionChanged, .historyCut:
      break
    }
  }
}

extension Touched {
  fileprivate mutating func add(_ shard: ShardID, _ node: NodeID) {
    shards.append(shard)
    if node != 0 { nodes.append(node) }
  }
}
