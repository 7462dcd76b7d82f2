internal import MusterBytes

extension EventReport {
  /// An event in words.
  init(_ event: Event, _ names: some NameSource) { self.init(event.name, names.fields(of: event)) }
}

extension NameSource {
  fileprivate func fields(of event: Event) -> [FieldReport] {
    switch event {
    case .configSet(let event): config(event.config) + [FieldReport("value", event.value.fieldValue)]
    case .configKeyAdded(let event):
      [FieldReport("key", .text(event.key)), FieldReport("scope", .text(scopeName(event.scope)))]
    case .configDeleted(let event): config(event.config)
    case .schemaSet(let event): [FieldReport("key", .text(event.key))] + event.schema.fieldReports
    case .tenantKeyErased(let event):
      [
        FieldReport("tenant", .text(ownerName(event.tenant))), FieldReport("key", .number(UInt64(event.key))),
      ]
    case .shardPlaced(let event):
      [shard(event.shard), FieldReport("nodes", .texts(event.nodes.map(nodeName)))]
    case .leaderElected(let event):
      [shard(event.shard), node(event.node), FieldReport("epoch", .number(UInt64(event.epoch)))]
    case .handOverRequested(let event): [shard(event.shard), node(event.node)]
    case .replicaRebuilding(let event): [shard(event.shard), node(event.node)]
    case .replicaEmptied(let event): [shard(event.shard), node(event.node)]
    case .shardBegunEmpty(let event):
      [shard(event.shard), node(event.node), FieldReport("epoch", .number(UInt64(event.epoch)))]
    case .minimumHeld(let event): [shard(event.shard), FieldReport("raise", .number(UInt64(event.raise)))]
    case .electionStarted(let event): [shard(event.shard), FieldReport("epoch", .number(UInt64(event.epoch)))]
    case .replicasOpened(let event):
      [node(event.node), FieldReport("shards", .texts(event.shards.map(shardName)))]
    case .replicaCaughtUp(let event): [shard(event.shard), node(event.node)]
    case .replicaFellBehind(let event): [shard(event.shard), node(event.node)]
    case .replicaAdded(let event): [shard(event.shard), node(event.node)]
    case .replicaPromoted(let event): [shard(event.shard), node(event.node)]
    case .replicaRemoved(let event): [shard(event.shard), node(event.node)]
    case .moveStarted(let event):
      [
        FieldReport("move", .number(UInt64(event.move))), shard(event.shard),
        FieldReport("from", event.source == 0 ? .nothing : .text(nodeName(event.source))),
        FieldReport("to", event.target == 0 ? .nothing : .text(nodeName(event.target))),
        FieldReport("purpose", .text(event.purpose.name)),
        FieldReport("step", .text(event.step.name)),
      ]
    case .moveAdvanced(let event): moveFields(event)
    case .splitStarted(let event):
      [
        FieldReport("move", .number(UInt64(event.move))), shard(event.shard),
        FieldReport("child", .text(shardName(event.child))),
        FieldReport("residue", .number(UInt64(event.range.residue))),
        FieldReport("modulus", .number(UInt64(event.range.modulus))),
        FieldReport("nodes", .texts(event.nodes.map(nodeName))), FieldReport("purpose", .text(event.purpose.name)),
      ]
    case .splitAdvanced(let event):
      [
        FieldReport("move", .number(UInt64(event.move))), shard(event.shard),
        FieldReport("child", .text(shardName(event.child))), FieldReport("step", .text(event.step.name)),
      ]
    case .shardSplit(let event):
      [
        FieldReport("move", .number(UInt64(event.move))), shard(event.shard),
        FieldReport("child", .text(shardName(event.child))), FieldReport("shards", .number(UInt64(event.shards))),
      ]
    case .shardPruned(let event): [shard(event.shard)]
    case .shardCountWanted(let event):
      [
        FieldReport("collection", .text(collectionName(event.collection))),
        FieldReport("shards", event.shards == 0 ? .nothing : .number(UInt64(event.shards))),
      ]
    case .mergeStarted(let event):
      [
        FieldReport("move", .number(UInt64(event.move))), shard(event.shard),
        FieldReport("absorbed", .text(shardName(event.absorbed))), FieldReport("purpose", .text(event.purpose.name)),
      ]
    case .mergeAdvanced(let event):
      [
        FieldReport("move", .number(UInt64(event.move))), shard(event.shard),
        FieldReport("absorbed", .text(shardName(event.absorbed))), FieldReport("step", .text(event.step.name)),
        FieldReport("absorbedEpoch", event.epoch == 0 ? .nothing : .number(UInt64(event.epoch))),
      ]
    case .shardsMerged(let event):
      [
        FieldReport("move", .number(UInt64(event.move))), shard(event.shard),
        FieldReport("absorbed", .text(shardName(event.absorbed))),
        FieldReport("residue", .number(UInt64(event.range.residue))),
        FieldReport("modulus", .number(UInt64(event.range.modulus))),
        FieldReport("shards", .number(UInt64(event.shards))),
      ]
    case .nodeSuspected(let event): [node(event.node), silence(event.silentMilliseconds)]
    case .nodeDeclaredDown(let event): [node(event.node), silence(event.silentMilliseconds)]
    case .nodeRecovered(let event): [node(event.node)]
    case .nodeLeft(let event): [node(event.node)]
    case .nodeCordoned(let event): [node(event.node)]
    case .nodeUncordoned(let event): [node(event.node)]
    case .nodeDrainRequested(let event): [node(event.node)]
    case .nodeDrainCancelled(let event): [node(event.node)]
    case .nodeDrained(let event): [node(event.node)]
    case .nodeRemoved(let event): [node(event.node)]
    case .nodeJoined(let event):
      [FieldReport("node", .text(event.name))]
        + process(1, event.domain, event.labels, event.capacity, event.address)
    case .nodeRestarted(let event):
      [node(event.node)] + process(event.incarnation, event.domain, event.labels, event.capacity, event.address)
    case .maintenanceChanged(let event): [FieldReport("on", .flag(event.isOn))]
    case .balancingChanged(let event): [FieldReport("mode", .text(event.mode.name))]
    case .collectionCreated(let event):
      [
        FieldReport("collection", .text(event.name)),
        FieldReport("tenant", .text(tenantName(event.tenant) ?? "")),
        FieldReport("shards", .number(UInt64(event.shardCount))),
      ] + event.policy.fieldReports + labels(event.labels)
    case .collectionChanged(let event):
      [FieldReport("collection", .text(collectionName(event.collection)))] + event.policy.fieldReports
        + labels(event.labels)
    case .collectionDeleted(let event): [FieldReport("collection", .text(collectionName(event.collection)))]
    case .principalSeen(let event):
      [FieldReport("principal", .text(event.name)), FieldReport("kind", .text(event.kind.name))]
    case .sessionOpened(let event): [FieldReport("client", .text(event.client))]
    case .sessionForgotten(let event): [FieldReport("session", .number(UInt64(event.session)))]
    case .alarmRaised(let event):
      [FieldReport("alarm", .text(event.name)), FieldReport("message", .text(event.message))]
    case .alarmCleared(let event): [FieldReport("alarm", .text(event.name))]
    case .tenantCreated(let event): [FieldReport("tenant", .text(event.name))]
    case .timelineBegan(let event):
      [
        FieldReport("parentCluster", .text(event.parentCluster)),
        FieldReport("parentTimeline", .number(event.parentTimeline)),
        FieldReport("parentRevision", .number(event.revision)),
        FieldReport("parentBlockRevision", .number(event.lastRevision)),
        FieldReport("parentChain", .bytes(event.chain)),
      ]
    case .retentionChanged(let event): event.policy.fieldReports
    case .historyCut(let event):
      [
        FieldReport("horizon", .number(event.horizon)),
        FieldReport("digest", .text(SetDigest(low: event.digestLow, high: event.digestHigh).hex)),
        FieldReport("firstRevision", .number(event.firstRevision)), FieldReport("chain", .bytes(event.chain)),
        FieldReport("root", event.root.isEmpty ? .nothing : .bytes(event.root)),
      ] + (event.names.isEmpty ? [] : [FieldReport("names", .bytes(event.names))])
    }
  }

  private func node(_ id: NodeID) -> FieldReport { FieldReport("node", id == 0 ? .nothing : .text(nodeName(id))) }

  private func shard(_ id: ShardID) -> FieldReport { FieldReport("shard", .text(shardName(id))) }

  private func silence(_ milliseconds: UInt64) -> FieldReport {
    FieldReport("silentMilliseconds", .number(milliseconds))
  }

  private func config(_ id: ConfigID) -> [FieldReport] {
    guard let row = configAddress(id) else { return [FieldReport("config", .number(UInt64(id)))] }
    return [FieldReport("key", .text(row.key)), FieldReport("scope", .text(scopeName(row.scope)))]
  }

  private func moveFields(_ event: MoveAdvanced) -> [FieldReport] {
    [
      FieldReport("move", .number(UInt64(event.move))), shard(event.shard),
      FieldReport("step", .text(event.step.name)),
    ] + (event.isPaused ? [FieldReport("paused", .flag(true))] : [])
  }

  private func process(
    _ incarnation: UInt64, _ domain: String, _ labels: [Label], _ capacity: [Amount], _ address: String
  ) -> [FieldReport] {
    [
      FieldReport("incarnation", .number(incarnation)), FieldReport("domain", .text(domain)),
      FieldReport("capacity", .texts(capacity.map { "\($0.dimension)=\($0.value)" })),
      FieldReport("address", .text(address)),
    ] + self.labels(labels)
  }

  private func labels(_ labels: [Label]) -> [FieldReport] {
    labels.isEmpty ? [] : [FieldReport("labels", .texts(labels.map { "\($0.name)=\($0.value)" }))]
  }
}

extension RetentionPolicy {
  package var fieldReports: [FieldReport] {
    [
      FieldReport("logSeconds", .number(logSeconds)), FieldReport("logBytes", .number(logBytes)),
      FieldReport("snapshotSeconds", .number(snapshotSeconds)), FieldReport("snapshotBytes", .number(snapshotBytes)),
    ]
  }
}

extension ConfigValue {
  package var fieldValue: FieldValue {
    switch self {
    case .text(let text): .text(text)
    case .integer(let number): .signed(number)
    case .boolean(let flag): .flag(flag)
    case .bytes(let bytes): .bytes(bytes)
    case .sealed(let value): .text(value.words)
    }
  }
}

extension Policy {
  package var fieldReports: [FieldReport] {
    [
      FieldReport("replicas", .number(UInt64(replicas))),
      FieldReport("spread", .texts(spread.map { $0.level.name + ($0.isPreference ? ":prefer" : "") })),
      FieldReport("require", .texts(required.map { "\($0.name)=\($0.value)" } + rules.map(\.text))),
      FieldReport("apart", .texts(apart)),
      FieldReport("leadOn", .texts(leaderPreference.map(\.text))),
      FieldReport("weights", .texts(weights.map { "\($0.dimension)=\($0.value)" })),
      FieldReport("minInSync", .number(UInt64(minInSync))),
      FieldReport("uncleanElection", .flag(allowsUncleanElection)),
    ]
  }
}

extension ConfigSchema {
  package var fieldReports: [FieldReport] {
    [
      FieldReport("valueType", .text(type.name)), FieldReport("minimum", minimum.map { .signed($0) } ?? .nothing),
      FieldReport("maximum", maximum.map { .signed($0) } ?? .nothing), FieldReport("allowed", .texts(allowed)),
      FieldReport("description", .text(description)), FieldReport("sensitive", .flag(isSensitive)),
    ]
  }
}
