import MusterCluster
import MusterControllers
import MusterWorkload
import Testing

/// A cluster in one value: the state, its controllers, and nodes that live or not, beat, open, catch up and promise.
/// After every commit it checks what no plan may break.
struct ClusterModel {
  private(set) var state = State()
  private(set) var commits: [Commit] = []
  private(set) var now: UInt64 = 1000
  private var controllers = Controllers()
  private var promises = PlacementPromises()
  private var dead: Set<String> = []
  private var random: SeededGenerator
  /// Nodes catch up only sometimes, so that moves are seen in every step.
  var isSlow = false
  /// Leaders say nothing of merges.
  var isSilentOfMerges = false

  private let planner = PlacementPlanner()

  init(seed: UInt64 = 1) { random = SeededGenerator(seed: seed) }

  // MARK: Orders

  @discardableResult
  mutating func order(
    _ command: Command, by principal: String = "ops", _ kind: PrincipalKind = .person, _ reason: Reason? = nil,
    cause: Revision = 0
  ) -> Outcome {
    var request = Request(command)
    request.cause = cause
    let before = state
    let context = RequestContext(
      principal: principal, kind: kind, assurance: .own, wallTime: now * 1000, reason: reason)
    let outcome = state.execute(request, context, planner)
    if case .committed(let commit) = outcome {
      commits.append(commit)
      let problem = promises.broken(by: commit, from: before, to: state)
      #expect(problem == nil)
    }
    return outcome
  }

  mutating func join(
    _ name: String, _ domain: String, disk: UInt64 = 1 << 40, labels: [Label] = [], splits: Bool = true
  ) {
    order(
      .joinNode(
        JoinNode(
          name: name, domain: domain, labels: labels, capacity: [Amount("disk", disk)], address: "",
          heartbeatMilliseconds: 500, abilities: splits ? [.splits, .merges] : [])), by: name, .node)
  }

  mutating func create(
    _ name: String, shards: UInt32, replicas: UInt32 = 3, spread: [SpreadRule] = [SpreadRule(.zone)], disk: UInt64 = 1
  ) -> Outcome {
    var policy = Policy()
    policy.replicas = replicas
    policy.spread = spread
    policy.weights = [Amount("disk", disk)]
    return order(
      .createCollection(CreateCollection(name: name, shards: shards, policy: policy, labels: [], tenant: "")))
  }

  /// What would lead to so many shards of `orders`.
  func plan(shards: UInt32) throws -> PlanReport {
    var question = PlanQuestion()
    question.shards = [SetShardCount(name: "orders", shards: shards)]
    return try PlacementAdvisor().plan(question, in: state)
  }

  mutating func kill(_ name: String) { dead.insert(name) }

  /// Its network is back: the process never stopped.
  mutating func wake(_ name: String) { dead.remove(name) }

  mutating func revive(_ name: String) {
    guard dead.remove(name) != nil, let id = state.nodeID(named: name) else { return }
    let row = state.nodes[id]
    order(
      .joinNode(
        JoinNode(
          name: name, domain: row.domain, labels: row.labels, capacity: row.capacity, address: row.address,
          heartbeatMilliseconds: row.heartbeatMilliseconds, abilities: row.abilities)), by: name, .node)
  }

  /// The server dies: what its controllers knew is gone, the state is not.
  mutating func restartServer() { controllers = Controllers() }

  // MARK: Time

  mutating func run(seconds: Double) {
    for _ in 0..<Int(seconds * 10) { step() }
  }

  /// A tenth of a second: nodes speak, controllers act.
  mutating func step() {
    now += 100
    for id in 1..<state.nodes.nextID where !state.nodes[id].isRemoved && !dead.contains(state.nodes[id].name) {
      controllers.heard(node: id, incarnation: state.nodes[id].incarnation, now: now)
      report(id)
    }
    for proposal in controllers.tick(state: state, now: now) {
      let outcome = order(
        proposal.command, by: proposal.controller, .controller, proposal.reason, cause: proposal.cause)
      if case .refused(let refusal) = outcome { controllers.refused(proposal, refusal, at: state.revision) }
    }
  }

  private mutating func report(_ node: NodeID) {
    var report = ReportReplicas()
    report.node = node
    report.incarnation = state.nodes[node].incarnation
    for shard in 1..<state.shards.nextID {
      guard let replica = state.shards[shard].replicas.replica(on: node) else { continue }
      if !replica.isOpened { report.opened.append(shard) }
      if state.shards[shard].leader == node, !isSlow || random.oneIn(5) { lead(shard, &report) }
      if state.shards[shard].leader == 0, !state.shards[shard].isMaking {
        let position = ReplicaPosition(shard: shard, epoch: state.shards[shard].epoch)
        controllers.heard(position, of: node, incarnation: report.incarnation, in: state)
      }
    }
    if !report.opened.isEmpty || !report.followers.isEmpty || !report.yields.isEmpty || !report.splits.isEmpty
      || !report.pruned.isEmpty || !report.pauses.isEmpty || !report.absorbs.isEmpty
    {
      order(.reportReplicas(report), by: state.nodeName(node), .node)
    }
  }

  /// What a leader says: who has caught up, whom it does without, and that it gives way.
  private func lead(_ shard: ShardID, _ report: inout ReportReplicas) {
    let row = state.shards[shard]
    let leaving = state.moves.row(row.move)?.leaving ?? 0
    let minimum = state.collections[row.collection].policy.minInSync
    for follower in row.replicas where follower.node != row.leader {
      let isWanted = follower.isOpened && follower.node != leaving && !dead.contains(state.nodeName(follower.node))
      let others = row.replicas.count { $0.isVoterInSync && $0.node != follower.node }
      guard follower.isInSync != isWanted, isWanted || others >= minimum else { continue }
      report.followers.append(
        FollowerWord(shard: shard, node: follower.node, epoch: row.epoch, isInSync: isWanted))
    }
    split(shard, row, &report)
    if !isSilentOfMerges { merge(shard, row, &report) }
    if row.heir != 0, !dead.contains(state.nodeName(row.heir)) {
      report.yields.append(Yield(shard: shard, epoch: row.epoch, heir: row.heir, since: row.heirSince))
    }
  }

  /// What a leader says of a split: that copies have everything, and later that it forgot what went.
  private func split(_ shard: ShardID, _ row: ShardRow, _ report: inout ReportReplicas) {
    if let move = state.moves.row(row.move), move.isSplit, move.step == .pausing, move.shard == shard {
      let ready = state.shards[move.child].replicas.filter {
        $0.isOpened && !dead.contains(state.nodeName($0.node))
      }
      report.splits.append(SplitWord(shard: shard, epoch: row.epoch, since: move.changed, nodes: ready.map(\.node)))
    }
    let collection = state.collections[row.collection]
    if collection.isPruningDue(shard) {
      report.pruned.append(PruneWord(shard: shard, epoch: row.epoch, range: collection.range(of: row.index)))
    }
  }

  /// What the leaders of the two shards of a merge say, each of the step that it is in.
  private func merge(_ shard: ShardID, _ row: ShardRow, _ report: inout ReportReplicas) {
    guard let move = state.moves.row(row.move), move.isMerge else { return }
    if move.absorbed == shard {
      guard move.step == .pausing else { return }
      report.pauses.append(PauseWord(shard: shard, epoch: row.epoch, since: move.changed))
    } else if move.step != .pausing {
      report.absorbs.append(
        AbsorbWord(
          shard: shard, epoch: row.epoch, since: move.changed, absorbedEpoch: move.absorbedEpoch,
          hasEverything: move.step == .absorbing))
    }
  }

  // MARK: What is asked of the end

  func replicas(_ node: String) -> Int { state.nodeID(named: node).map { Int(state.load($0).replicas) } ?? 0 }

  func leaders(_ node: String) -> Int { state.nodeID(named: node).map { Int(state.load($0).leaders) } ?? 0 }

  /// Every shard has a live leader and as many live replicas in sync as its policy asks for, and nothing moves.
  var isWhole: Bool {
    (1..<state.shards.nextID).allSatisfy { shard in
      let row = state.shards[shard]
      if state.collections[row.collection].isGone(row.index) { return row.replicas.count == 0 }
      let policy = state.collections[row.collection].policy
      let live = row.replicas.count { $0.isInSync && state.nodes[$0.node].state.isAlive }
      return row.leader != 0 && state.nodes[row.leader].state.isAlive && row.move == 0 && live >= policy.replicas
        && row.replicas.count == policy.replicas
    }
  }

  func events(_ name: String) -> Int { commits.reduce(0) { $0 + $1.events.count { $0.name == name } } }
}
