internal import MusterCluster
internal import MusterWorkload

/// What commits say about what the run met.
extension Simulation {
  func noteRefusal(_ refusal: Refusal?) {
    switch refusal?.code {
    case .conflict: marks.sometimes(.refusedAsConflict)
    case .unsatisfiable: marks.sometimes(.refusedAsUnsatisfiable)
    case .fenced: marks.sometimes(.refusedAsFenced)
    case .revisionMismatch: marks.sometimes(.refusedByRevision)
    default: break
    }
  }

  func noteEvents(_ commit: Commit, _ before: State) {
    for event in commit.events {
      note(event, before)
      switch event {
      case .replicaFellBehind(let event): ambush(leaderOf: event.shard, in: before)
      case .replicaCaughtUp(let event): ambush(leaderOf: event.shard, in: before)
      case .replicaRemoved(let event): ambush(leaderOf: event.shard, in: before)
      case .minimumHeld(let event): ambush(leaderOf: event.shard, in: before)
      case .mergeAdvanced(let event) where event.step == .absorbing:
        ambush(leaderOf: random.oneIn(2) ? event.shard : event.absorbed, in: before)
      case .shardsMerged(let event): ambush(leaderOf: event.shard, in: before)
      case .electionStarted(let event): echo(event.shard, in: before)
      default: break
      }
    }
    let isOrder = oracle.state.principals.row(commit.principal)?.kind == .person
    for case .leaderElected(let event) in commit.events where isOrder {
      guard before.isBeyondElection(before.shards[event.shard]) else { continue }
      marks.sometimes(.shardRecovered)
      data.excuse(event.shard, event.epoch)
    }
    for case .shardBegunEmpty(let event) in commit.events { data.excuse(event.shard, event.epoch) }
    guard let reason = commit.reason else { return }
    switch reason.kind {
    case .uncleanElection:
      marks.sometimes(.uncleanElection)
      for case .leaderElected(let event) in commit.events { data.excuse(event.shard, event.epoch) }
    case .handOverFailed: marks.sometimes(.handOverFailed)
    default: break
    }
  }

  private func note(_ event: Event, _ before: State) {
    switch event {
    case .nodeSuspected: marks.sometimes(.nodeSuspected)
    case .nodeDeclaredDown: marks.sometimes(.nodeDown)
    case .nodeRecovered: marks.sometimes(.nodeRecovered)
    case .nodeRestarted(let event): note(event, before)
    case .nodeJoined(let event): if Int(event.node) > nodeCount { marks.sometimes(.nodeRejoined) }
    case .nodeDrained: marks.sometimes(.nodeDrained)
    case .nodeRemoved: marks.sometimes(.nodeRemoved)
    case .electionStarted: marks.sometimes(.electionStarted)
    case .leaderElected(let event):
      report.elections += 1
      let isHandOver = before.shards[event.shard].heir == event.node
      marks.sometimes(isHandOver ? .handOver : .electionOfFarthest)
    case .moveAdvanced(let event): note(event, before)
    case .replicaFellBehind: marks.sometimes(.inSyncShrunk)
    case .replicaEmptied: marks.sometimes(.replicaEmptied)
    case .shardBegunEmpty: marks.sometimes(.shardBegunEmpty)
    case .replicaCaughtUp: marks.sometimes(.inSyncGrew)
    case .maintenanceChanged(let event): if event.isOn { marks.sometimes(.maintenance) }
    case .collectionChanged: marks.sometimes(.policyChanged)
    case .minimumHeld: marks.sometimes(.minimumHeld)
    case .collectionDeleted: marks.sometimes(.collectionDeleted)
    case .collectionCreated(let event): data.found(event.firstShard, count: event.shardCount)
    case .shardSplit(let event): noteCut(event)
    case .shardPruned: marks.sometimes(.shardPruned)
    case .shardsMerged(let event): noteMerged(event, before)
    case .mergeAdvanced(let event): note(event, before)
    case .splitAdvanced(let event) where event.step == .cancelled: marks.sometimes(.splitCancelled)
    case .splitAdvanced(let event) where event.step == .catchingUp: marks.sometimes(.splitPauseGivenUp)
    case .shardCountWanted(let event) where event.shards > 0:
      marks.sometimes(event.isFewer ? .shrinkingOrdered : .growthOrdered)
    case .shardCountWanted(let event): noteGrown(event, before)
    case .alarmRaised(let event): note(alarm: event.name)
    default: break
    }
  }

  private func note(_ event: NodeRestarted, _ before: State) {
    marks.sometimes(.nodeRestarted)
    let row = before.nodes[event.node]
    guard event.identity != row.identity else { return }
    marks.sometimes(.nodeReplaced)
    if row.state != .down { fail("node \(row.name) was \(row.state.name), and another process took its name") }
  }

  /// The data hears of it as soon as it is durable: nobody can have acted on it yet.
  private func noteCut(_ event: ShardSplit) {
    let state = oracle.state
    let collection = state.collections[event.collection]
    let (parent, child) = (state.shards[event.shard], state.shards[event.child])
    data.split(
      event.shard, collection.range(of: parent.index), event.child, collection.range(of: child.index),
      epoch: child.epoch)
    marks.sometimes(.shardSplit)
    if child.leader != parent.leader { marks.sometimes(.childLedElsewhere) }
  }

  private func noteMerged(_ event: ShardsMerged, _ before: State) {
    let row = oracle.state.shards[event.shard]
    let absorbed = before.shards[event.absorbed]
    data.merge(
      event.shard, event.range, leader: oracle.state.nodeName(row.leader), epoch: row.epoch, event.absorbed,
      absorbedEpoch: absorbed.epoch)
    marks.sometimes(.shardsMerged)
    if event.range.modulus < oracle.state.collections[event.collection].shardCount { marks.sometimes(.foundersMerged) }
    if row.leader != absorbed.leader { marks.sometimes(.mergedFromElsewhere) }
  }

  private func note(_ event: MergeAdvanced, _ before: State) {
    let old = before.moves[event.move].step
    switch event.step {
    case .cancelled: marks.sometimes(.mergeCancelled)
    case .copying where old == .absorbing: marks.sometimes(.mergePauseGivenUp)
    case .copying: marks.sometimes(.mergePauseNotSaid)
    default: break
    }
  }

  private func noteGrown(_ event: ShardCountWanted, _ before: State) {
    let row = before.collections[event.collection]
    guard row.wantsFewer ? row.owningCount <= row.wantedShards : row.owningCount >= row.wantedShards else { return }
    marks.sometimes(row.wantsFewer ? .collectionShrunk : .collectionGrown)
  }

  private func note(_ event: MoveAdvanced, _ before: State) {
    if event.isPaused { marks.sometimes(.movePaused) }
    if event.step == .cancelled { marks.sometimes(.moveCancelled) }
    guard event.step == .finished, let move = before.moves.row(event.move) else { return }
    report.moves += 1
    marks.sometimes(.moveFinished)
    if move.target == 0 { marks.sometimes(.surplusRemoved) }
    switch move.purpose {
    case .recovery:
      marks.sometimes(move.source != 0 && before.nodes[move.source].state.isAlive ? .misplacedMoved : .repaired)
    case .balance: marks.sometimes(.balanced)
    case .order, .drain: break
    }
  }

  private func note(alarm name: String) {
    if name == "own-stall" { marks.sometimes(.ownStallNoticed) }
    if name == "mass-failure" { marks.sometimes(.massFailureNoticed) }
    if name.hasPrefix("flapping/") { marks.sometimes(.flappingNoticed) }
  }
}
