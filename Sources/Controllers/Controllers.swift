package import MusterCluster

/// Every controller, run in a fixed order: observations and time go in, proposals come out.
///
/// The order is the order of need: who is alive, who leads, what is lost, what moves, what could be more even.
package struct Controllers: Sendable {
  private var detector = FailureDetector()
  private var survey = ShardSurvey()
  private var elections = ElectionController()
  private var handOver = HandOverController()
  private var preference = PreferenceController()
  private var repair = RepairController()
  private var mover = MoveController()
  private var placement = PlacementContinuation()
  private var growth = GrowthController()
  private var checksums = ChecksumController()
  private var health = ReplicaHealth()
  private var availability = AvailabilityController()

  package init() {}

  /// A sign of life. Times are milliseconds of a clock that never jumps.
  package mutating func heard(node: NodeID, incarnation: UInt64, now: UInt64) {
    detector.heard(node: node, incarnation: incarnation, now: now)
  }

  /// How often a node came back from silence lately; 0 once it is calm.
  package func returns(of node: NodeID) -> UInt64 { detector.returns(of: node) }

  /// A replica promised the epoch of an election and says how far it is.
  package mutating func heard(_ position: ReplicaPosition, of node: NodeID, incarnation: UInt64, in state: State) {
    elections.heard(position, of: node, incarnation: incarnation, in: state)
  }

  /// Nodes that promised the epoch of an election that is under way.
  package func answered(_ shard: ShardID, in state: State) -> [NodeID] { elections.answered(shard, in: state) }

  /// A node says how one of its replicas is.
  package mutating func heard(_ status: ReplicaStatus, of node: NodeID, incarnation: UInt64, now: UInt64) {
    checksums.heard(status, of: node, incarnation: incarnation)
    health.heard(status, of: node, incarnation: incarnation, now)
  }

  /// The same of one that may take part in a split.
  package mutating func heard(copy status: ReplicaStatus, of node: NodeID, in state: State) {
    mover.heard(status, of: node, in: state)
  }

  /// What should happen now. In maintenance nodes are watched, and only what operators ordered goes on.
  package mutating func tick(state: State, now: UInt64) -> [Proposal] {
    let health = detector.tick(state: state, now: now)
    let settings = ControllerSettings(state)
    var traffic = MoveTraffic(state, settings)
    let steps = mover.tick(state, &traffic, now)
    let findings = survey.look(state)
    var planner = RecoveryPlanner(state)
    let isHeld = state.isInMaintenance
    let needs = isHeld ? findings.drainsAlone : findings
    let repairs = repair.tick(state, needs, &traffic, &planner, settings, now)
    let ordered =
      handOver.tick(state, findings.handingOver, now) + steps.filter { !isHeld || isOrdered($0, state) }
      + placement.tick(state: state) + repairs + growth.tick(state) + self.health.tick(state, now)
      + Overload.alarms(state)
      + availability.tick(state, overdue: repair.overdue(settings, now), stuck: placement.stuck(state), now)
    guard !isHeld else { return health + ordered }
    return health + elections.tick(state, findings, now) + ordered + checksums.tick(state)
      + BalanceController.tick(state, findings, &traffic) + preference.tick(state, findings.away, now)
  }

  private func isOrdered(_ proposal: Proposal, _ state: State) -> Bool {
    switch proposal.command {
    case .advanceMove(let command): isOrdered(command.move, state)
    case .electLeader(let command):
      state.collectionID(named: command.collection).flatMap { state.shardID($0, command.index) }
        .map { isOrdered(state.shards[$0].move, state) } ?? false
    default: false
    }
  }

  /// Drains, splits and growth are orders too.
  private func isOrdered(_ move: MoveID, _ state: State) -> Bool {
    switch state.moves.row(move)?.purpose {
    case .order, .drain: true
    case .balance, .recovery, nil: false
    }
  }

  /// A proposal was refused: it is not made again until the state is another.
  package mutating func refused(_ proposal: Proposal, _ refusal: Refusal, at revision: Revision) {
    placement.refused(proposal, at: revision)
    mover.refused(proposal, at: revision)
    growth.refused(proposal, refusal, at: revision)
  }
}
