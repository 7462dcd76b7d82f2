package import MusterCluster
package import MusterProtocol

extension Event {
  /// The topic that a watcher asks for to see this event.
  package var topic: WatchTopic {
    switch self {
    case .configSet, .configKeyAdded, .configDeleted, .schemaSet, .tenantKeyErased: .config
    case .shardPlaced, .leaderElected, .replicasOpened, .replicaCaughtUp, .replicaFellBehind, .replicaAdded,
      .replicaPromoted, .replicaRemoved, .moveStarted, .moveAdvanced, .electionStarted, .handOverRequested,
      .replicaRebuilding, .replicaEmptied, .shardBegunEmpty, .minimumHeld,
      .balancingChanged,
      .collectionCreated, .collectionChanged,
      .collectionDeleted, .splitStarted, .splitAdvanced, .shardSplit, .shardPruned, .shardCountWanted, .mergeStarted,
      .mergeAdvanced,
      .shardsMerged:
      .placement
    case .nodeSuspected, .nodeRecovered, .nodeDeclaredDown, .nodeJoined, .nodeRestarted, .nodeLeft, .nodeCordoned,
      .nodeUncordoned, .nodeDrainRequested, .nodeDrainCancelled, .nodeDrained, .nodeRemoved, .maintenanceChanged:
      .members
    case .principalSeen, .sessionOpened, .sessionForgotten, .alarmRaised, .alarmCleared, .tenantCreated,
      .timelineBegan, .retentionChanged, .historyCut:
      .everything
    }
  }
}

extension Commit {
  /// The commit with only the events of a topic, or nil when it has none.
  package func filtered(to topic: WatchTopic) -> Commit? {
    guard topic != .everything else { return self }
    var copy = self
    copy.events = events.filter { $0.topic == topic }
    return copy.events.isEmpty ? nil : copy
  }
}
