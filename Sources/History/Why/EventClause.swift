package import MusterCluster

extension State {
  /// What happened, as a clause of a sentence.
  package func clause(_ event: Event) -> String {
    switch event {
    case .configSet(let event): "\(configName(event.config)) was set to \(event.value.told)"
    case .configKeyAdded(let event): "\(event.key) was written for the first time (\(scopeName(event.scope)))"
    case .configDeleted(let event): "\(configName(event.config)) was deleted"
    case .schemaSet(let event): "the schema of \(event.key) was set"
    case .shardPlaced(let event):
      "\(shardName(event.shard)) was placed on \(event.nodes.map(nodeName).joined(separator: ", "))"
    case .leaderElected(let event) where event.node == 0: "\(shardName(event.shard)) was left without a leader"
    case .leaderElected(let event):
      "\(nodeName(event.node)) was made the leader of \(shardName(event.shard)) in epoch \(event.epoch)"
    case .electionStarted(let event):
      "the leadership of \(shardName(event.shard)) was taken away, and an election of epoch \(event.epoch) began"
    case .handOverRequested(let event) where event.node == 0:
      "the leader of \(shardName(event.shard)) was told to go on"
    case .handOverRequested(let event):
      "the leader of \(shardName(event.shard)) was asked to hand over to \(nodeName(event.node))"
    case .replicaRebuilding(let event): "\(replica(event.shard, event.node)) was thrown away, to be copied anew"
    case .replicaEmptied(let event): "\(replica(event.shard, event.node)) was found without its data"
    case .shardBegunEmpty(let event):
      "\(shardName(event.shard)) began anew on \(nodeName(event.node)), without any data: no copy was left"
    case .minimumHeld(let event):
      "the leader of \(shardName(event.shard)) said that as many have everything as the raised minimum in sync asks for"
    case .replicasOpened(let event): "\(nodeName(event.node)) opened \(event.shards.count) replicas"
    case .replicaCaughtUp(let event): "\(replica(event.shard, event.node)) caught up"
    case .replicaFellBehind(let event): "\(replica(event.shard, event.node)) fell behind"
    case .replicaAdded(let event): "\(replica(event.shard, event.node)) was added, to copy"
    case .replicaPromoted(let event): "\(replica(event.shard, event.node)) got a vote"
    case .replicaRemoved(let event): "\(replica(event.shard, event.node)) was removed"
    case .moveStarted(let event): move(event)
    case .splitStarted(let event):
      "\(shardName(event.child)) began to be made, to take the keys \(event.range.words) from \(shardName(event.shard))"
    case .splitAdvanced(let event): split(event)
    case .shardSplit(let event):
      "\(shardName(event.shard)) was split: \(shardName(event.child)) owns its keys, as one of \(event.shards) shards"
    case .shardPruned(let event): "\(shardName(event.shard)) forgot the keys that are not its own any more"
    case .shardCountWanted(let event) where event.shards == 0:
      "\(collectionName(event.collection)) was told to keep the shards that it has"
    case .shardCountWanted(let event) where event.isFewer:
      "\(collectionName(event.collection)) was told to shrink to \(event.shards) shards"
    case .mergeStarted(let event):
      "\(shardName(event.shard)) began to copy the keys of \(shardName(event.absorbed)), to be put together with it"
    case .mergeAdvanced(let event): merge(event)
    case .shardsMerged(let event):
      "\(shardName(event.absorbed)) went into \(shardName(event.shard)), which owns the keys \(event.range.words), as one "
        + "of \(event.shards) shards"
    case .shardCountWanted(let event):
      "\(collectionName(event.collection)) was told to grow to \(event.shards) shards"
    case .moveAdvanced(let event) where event.isPaused:
      "the move of \(shardName(event.shard)) was paused while it was \(event.step.name)"
    case .moveAdvanced(let event): "the move of \(shardName(event.shard)) came to the step \(event.step.name)"
    case .nodeSuspected(let event):
      "\(nodeName(event.node)) was suspected after \(seconds(event.silentMilliseconds)) of silence"
    case .nodeRecovered(let event): "\(nodeName(event.node)) was heard again"
    case .nodeDeclaredDown(let event):
      "\(nodeName(event.node)) was declared down after \(seconds(event.silentMilliseconds)) of silence"
    case .nodeJoined(let event): "\(event.name) joined in \(event.domain)"
    case .nodeRestarted(let event):
      "\(nodeName(event.node)) came back as a new process, its incarnation \(event.incarnation)"
    case .nodeLeft(let event): "\(nodeName(event.node)) said that it stops"
    case .nodeCordoned(let event): "\(nodeName(event.node)) was cordoned: it gets nothing new"
    case .nodeUncordoned(let event): "\(nodeName(event.node)) was uncordoned"
    case .nodeDrainRequested(let event): "\(nodeName(event.node)) was asked to give away all it holds"
    case .nodeDrainCancelled(let event): "the drain of \(nodeName(event.node)) was called off"
    case .nodeDrained(let event): "\(nodeName(event.node)) held nothing any more"
    case .nodeRemoved(let event): "\(nodeName(event.node)) was removed from the cluster"
    case .maintenanceChanged(let event): "maintenance was turned \(event.isOn ? "on" : "off")"
    case .balancingChanged(let event): "balancing became \(event.mode.name)"
    case .collectionCreated(let event):
      "\(event.name) was created, with \(event.shardCount) shards of \(event.policy.replicas) replicas"
    case .collectionChanged(let event): "the policy of \(collectionName(event.collection)) was changed"
    case .collectionDeleted(let event): "\(collectionName(event.collection)) was deleted"
    case .tenantKeyErased(let event):
      "the key of the tenant \(tenants.row(event.tenant)?.name ?? "#\(event.tenant)") was destroyed"
    case .principalSeen(let event): "\(event.name) acted for the first time"
    case .sessionOpened(let event): "the client \(event.client) made its first request"
    case .sessionForgotten(let event): "the requests of session \(event.session) were forgotten"
    case .alarmRaised(let event): "the alarm \(event.name) was raised: \(event.message)"
    case .alarmCleared(let event): "the alarm \(event.name) was cleared"
    case .tenantCreated(let event): "the tenant \(event.name) was created"
    case .timelineBegan(let event):
      "the cluster was restored from revision \(event.revision) of cluster \(event.parentCluster)"
    case .retentionChanged(let event):
      event.policy.isForEver ? "history is kept for ever" : "how long history is kept was changed"
    case .historyCut(let event): "history before revision \(event.horizon) was cut"
    }
  }

  /// The things that an event speaks of: the next cause is told as far as it has to do with them.
  func subjects(_ event: Event) -> [EntityID] {
    var touched = Touched()
    event.touch(&touched)
    return touched.shards.prefix(4).map { .shard($0) } + touched.nodes.prefix(8).map { .node($0) }
      + touched.collections.prefix(4).map { .collection($0) } + touched.configs.prefix(4).map { .config($0) }
  }

  private func configName(_ id: ConfigID) -> String {
    guard let row = configs.row(id) else { return "configuration #\(id)" }
    return row.scope == .cluster ? row.key : "\(row.key) (\(scopeName(row.scope)))"
  }

  private func replica(_ shard: ShardID, _ node: NodeID) -> String {
    "the replica of \(shardName(shard)) on \(nodeName(node))"
  }

  private func split(_ event: SplitAdvanced) -> String {
    let (parent, child) = (shardName(event.shard), shardName(event.child))
    return switch event.step {
    case .pausing: "the leader of \(parent) was asked to pause until the copies for \(child) have everything"
    case .catchingUp: "the leader of \(parent) was told to go on before \(child) was split off"
    case .cancelled: "the split of \(parent) into \(parent) and \(child) was called off"
    default: "the split of \(parent) into \(parent) and \(child) came to the step \(event.step.name)"
    }
  }

  private func merge(_ event: MergeAdvanced) -> String {
    let (survivor, absorbed) = (shardName(event.shard), shardName(event.absorbed))
    return switch event.step {
    case .pausing: "the leader of \(absorbed) was asked to pause until \(survivor) has everything"
    case .absorbing: "the leader of \(absorbed) said in epoch \(event.epoch) that it takes no writes"
    case .copying: "the leader of \(absorbed) was told to go on before \(survivor) had everything"
    case .cancelled: "the merge of \(survivor) and \(absorbed) was called off"
    default: "the merge of \(survivor) and \(absorbed) came to the step \(event.step.name)"
    }
  }

  private func move(_ event: MoveStarted) -> String {
    let shard = shardName(event.shard)
    if event.source == 0 { return "a replica of \(shard) was ordered on \(nodeName(event.target))" }
    if event.target == 0 { return "the replica of \(shard) on \(nodeName(event.source)) was told to go" }
    return "a replica of \(shard) began to move from \(nodeName(event.source)) to \(nodeName(event.target))"
  }

  /// `4.1 s`
  private func seconds(_ milliseconds: UInt64) -> String {
    "\(milliseconds / 1000).\(milliseconds % 1000 / 100) s"
  }
}
