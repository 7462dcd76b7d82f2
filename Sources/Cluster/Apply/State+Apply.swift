extension State {
  /// Applies the next commit.
  ///
  /// - Throws: when the commit does not follow this state; the state is then of no use any more.
  package mutating func apply(_ commit: Commit) throws(ApplyError) {
    let envelope = CommitEnvelope(commit)
    try requireNext(envelope)
    for event in commit.events { try apply(event, at: commit.revision, time: commit.time) }
    try finish(envelope)
  }

  func requireNext(_ commit: CommitEnvelope) throws(ApplyError) {
    guard commit.revision == revision + 1 else {
      throw .revisionGap(expected: revision + 1, found: commit.revision)
    }
    guard commit.time >= time else { throw .timeWentBack(commit.revision) }
  }

  /// Takes over what a commit says of itself, after its events were applied.
  mutating func finish(_ commit: CommitEnvelope) throws(ApplyError) {
    if commit.session != 0, parts.contains(.surroundings) { try remember(commit) }
    revision = commit.revision
    time = commit.time
  }

  mutating func apply(_ event: Event, at revision: Revision, time: Microseconds) throws(ApplyError) {
    switch event {
    case .configSet(let event): try apply(event, revision)
    case .shardPlaced(let event): try apply(event, revision)
    case .leaderElected(let event): try apply(event, revision)
    case .replicasOpened(let event): try apply(event, revision)
    case .replicaCaughtUp(let event): try apply(event, revision)
    case .replicaFellBehind(let event): try apply(event, revision)
    case .replicaAdded(let event): try apply(event, revision)
    case .replicaPromoted(let event): try apply(event, revision)
    case .replicaRemoved(let event): try apply(event, revision)
    case .moveStarted(let event): try apply(event, revision)
    case .moveAdvanced(let event): try apply(event, revision)
    case .nodeSuspected(let inner): try applyToNode(inner.node, event, revision, time)
    case .nodeRecovered(let inner): try applyToNode(inner.node, event, revision, time)
    case .nodeDeclaredDown(let inner): try applyToNode(inner.node, event, revision, time)
    case .nodeJoined(let event): try apply(event, revision, time)
    case .nodeRestarted(let event): try apply(event, revision, time)
    case .nodeLeft(let inner): try applyToNode(inner.node, event, revision, time)
    case .nodeCordoned(let inner): try applyToNode(inner.node, event, revision, time)
    case .nodeUncordoned(let inner): try applyToNode(inner.node, event, revision, time)
    case .nodeDrainRequested(let inner): try applyToNode(inner.node, event, revision, time)
    case .nodeDrainCancelled(let inner): try applyToNode(inner.node, event, revision, time)
    case .nodeDrained(let inner): try applyToNode(inner.node, event, revision, time)
    case .nodeRemoved(let event): try apply(event, revision, time)
    case .maintenanceChanged, .balancingChanged: modify(\.cluster, 1) { $0.follow(event, revision) }
    case .electionStarted(let event): try apply(event, revision)
    case .handOverRequested(let event): try apply(event, revision)
    case .replicaRebuilding(let event): try apply(event, revision)
    case .replicaEmptied(let event): try apply(event, revision)
    case .shardBegunEmpty(let event): try apply(event, revision)
    case .minimumHeld(let event): try apply(event, revision)
    case .collectionCreated(let event): try apply(event, revision)
    case .collectionChanged(let event): try apply(event, revision)
    case .collectionDeleted(let event): try apply(event, revision)
    case .splitStarted(let event): try apply(event, revision)
    case .splitAdvanced(let event): try apply(event, revision)
    case .shardSplit(let event): try apply(event, revision)
    case .shardPruned(let event): try apply(event, revision)
    case .shardCountWanted(let event): try apply(event, revision)
    case .mergeStarted(let event): try apply(event, revision)
    case .mergeAdvanced(let event): try apply(event, revision)
    case .shardsMerged(let event): try apply(event, revision)
    case .configKeyAdded(let event): try apply(event, revision)
    case .configDeleted(let event): try apply(event, revision)
    case .schemaSet(let event): apply(event, revision)
    case .tenantKeyErased(let event): try apply(event, revision)
    case .principalSeen(let event): try apply(event, revision)
    case .sessionOpened(let event): try apply(event, revision)
    case .sessionForgotten(let event): try apply(event)
    case .alarmRaised(let event): apply(event, revision, time)
    case .alarmCleared(let event): try apply(event, revision, time)
    case .tenantCreated(let event): try apply(event, revision)
    // It says where the rows come from, and leaves them as they are.
    case .timelineBegan: break
    case .retentionChanged(let event): apply(event, revision)
    case .historyCut(let event): apply(event, revision, time)
    }
  }

  /// A new row must get the number that its event says.
  func requireNext<Row: TableRow>(_ id: UInt32, in table: PagedTable<Row>) throws(ApplyError) {
    guard id == table.nextID else { throw .notNext(Row.table, id: id) }
  }
}
