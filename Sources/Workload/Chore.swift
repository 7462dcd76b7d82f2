internal import MusterCluster

/// Something that has to be done because of what happened. It is done in small steps, and whatever was overtaken
/// meanwhile is dropped.
enum Chore {
  /// The detector gives a silent node up.
  case declareDown(NodeID)
  /// Other nodes lead the shards that a lost node led, from the shard `from` on.
  case electAnew(after: NodeID, from: ShardID, cause: Revision)
  /// The replicas of fenced shards have said how far they are.
  case conclude([ShardID])
  /// A lost node's process starts again.
  case restart(NodeID)
  /// A node reports its replicas from the shard `from` on: first that they lag, then that they do not any more.
  case report(NodeID, ReplicaNews, from: ShardID)
  case advance(MoveID, cause: Revision)
  /// A leader brings its heir up to date and gives its leadership up.
  case yield(ShardID)
  /// The replicas of a draining node move elsewhere, from the shard `from` on.
  case empty(NodeID, from: ShardID, cause: Revision)
  /// An operator takes back what was done to a node.
  case release(NodeID)
  case endMaintenance
  case clearAlarm(String)
}

enum ReplicaNews {
  case opened
  case fellBehind
  case caughtUp
}

extension HistoryGenerator {
  /// Elections in one commit, and replicas in one report: a real controller gathers what comes at once.
  private static var batch: Int { 24 }
  private static var choresMax: Int { 200 }

  /// Whether a chore comes next: the more of them wait, the likelier.
  mutating func choresComeFirst() -> Bool {
    !chores.isEmpty && random.below(10) < (chores.count > HistoryGenerator.choresMax ? 9 : 6)
  }

  mutating func add(_ chore: Chore) { chores.append(chore) }

  /// What follows from an event.
  mutating func follow(_ event: Event, of revision: Revision) {
    switch event {
    case .nodeJoined: counters.liveNodes += 1
    case .nodeRemoved(let event):
      counters.liveNodes -= 1
      if let number = Int(state.nodeName(event.node).dropFirst()) { counters.removedNodes.append(number) }
    case .nodeSuspected(let event): add(random.oneIn(3) ? .restart(event.node) : .declareDown(event.node))
    case .nodeDeclaredDown(let event):
      counters.failedNodes += 1
      add(.electAnew(after: event.node, from: 1, cause: revision))
    case .nodeRestarted(let event): add(.report(event.node, .fellBehind, from: 1))
    case .nodeRecovered(let event):
      counters.failedNodes = max(0, counters.failedNodes - 1)
      add(.report(event.node, .fellBehind, from: 1))
    case .nodeDrainRequested(let event): add(.empty(event.node, from: 1, cause: revision))
    case .moveStarted(let event): add(.advance(event.move, cause: revision))
    case .handOverRequested(let event) where event.node != 0: add(.yield(event.shard))
    case .collectionCreated(let event): follow(event)
    case .collectionDeleted(let event):
      counters.liveShards -= Int(state.collections[event.collection].shardCount)
    default: break
    }
  }

  /// The nodes of a new collection open their replicas.
  private mutating func follow(_ event: CollectionCreated) {
    counters.liveShards += Int(event.shardCount)
    for id in 1...state.nodes.nextID where state.nodes.row(id)?.isMonitored == true {
      if state.load(id).replicas > 0 { add(.report(id, .opened, from: event.firstShard)) }
    }
  }

  /// Takes one of the waiting chores and does a step of it.
  mutating func doChore() -> Asked? {
    let place = random.below(chores.count)
    chores.swapAt(place, chores.count - 1)
    guard let chore = chores.popLast() else { return nil }
    switch chore {
    case .declareDown(let node): return health(node, .down)
    case .electAnew(let node, let from, let cause): return electAnew(node, from, cause)
    case .conclude(let shards): return conclude(shards)
    case .restart(let node): return restart(node)
    case .report(let node, let news, let from): return report(node, news, from)
    case .advance(let move, let cause): return advance(move, cause)
    case .yield(let shard): return yield(shard)
    case .empty(let node, let from, let cause): return empty(node, from, cause)
    case .release(let node): return release(node)
    case .endMaintenance: return .person(.setMaintenance(SetMaintenance(isOn: false)))
    case .clearAlarm(let name): return .controller("storage", .clearAlarm(ClearAlarm(name: name)))
    }
  }

  // MARK: Nodes that fail and return

  func health(_ node: NodeID, _ health: NodeState) -> Asked? {
    guard let row = state.nodes.row(node), !row.isRemoved else { return nil }
    let silence = row.heartbeatMilliseconds * (health == .suspect ? 3 : 10)
    let command = ReportNodeHealth(
      node: node, incarnation: row.incarnation, state: health, silentMilliseconds: health == .up ? 0 : silence)
    return .controller(
      "detector", .reportNodeHealth(command),
      Reason(
        health == .up ? .heartbeatResumed : .heartbeatMissed,
        arguments: ["silent=\(silence)ms", "interval=\(row.heartbeatMilliseconds)ms"]))
  }

  private mutating func electAnew(_ node: NodeID, _ from: ShardID, _ cause: Revision) -> Asked? {
    var lost: [ShardID] = []
    var next = from
    while lost.count < HistoryGenerator.batch, let row = state.shards.row(next) {
      if row.leader == node, heir(to: row) != nil { lost.append(next) }
      next += 1
    }
    add(state.shards.contains(next) ? .electAnew(after: node, from: next, cause: cause) : .restart(node))
    guard !lost.isEmpty, state.nodes[node].state == .down else { return nil }
    add(.conclude(lost))
    return .controller(
      "election", .startElections(StartElections(shards: lost)),
      Reason(.leaderLost, arguments: ["node=\(state.nodeName(node))"]), cause: cause)
  }

  private mutating func conclude(_ shards: [ShardID]) -> Asked? {
    let commands = shards.compactMap { shard -> Command? in
      let row = state.shards[shard]
      guard row.leader == 0, row.replicas.count > 0, let heir = heir(to: row) else { return nil }
      return .concludeElection(ConcludeElection(shard: shard, node: heir, epoch: row.epoch))
    }
    // Whoever could lead is gone meanwhile: it is tried again later.
    guard !commands.isEmpty else {
      if shards.contains(where: { state.shards[$0].leader == 0 && state.shards[$0].replicas.count > 0 }) {
        add(.conclude(shards))
      }
      return nil
    }
    let cause = shards.first.map { state.shards[$0].changed } ?? 0
    return .controller("election", .batch(Batch(commands)), Reason(.election), cause: cause)
  }

  /// A replica that may lead instead of the present leader.
  func heir(to row: ShardRow) -> NodeID? {
    row.replicas.first { replica in
      replica.node != row.leader && replica.isVoterInSync
        && state.nodes[replica.node].state.isAlive
    }?.node
  }

  private mutating func restart(_ node: NodeID) -> Asked? {
    guard let row = state.nodes.row(node), !row.isRemoved, !row.state.isAlive else { return nil }
    if row.state == .suspect { return health(node, .up) }
    counters.failedNodes = max(0, counters.failedNodes - 1)
    let command = JoinNode(
      name: row.name, domain: row.domain, labels: row.labels, capacity: row.capacity, address: row.address,
      heartbeatMilliseconds: row.heartbeatMilliseconds)
    return .node(row.name, .joinNode(command))
  }

  // MARK: What nodes report

  private mutating func report(_ node: NodeID, _ news: ReplicaNews, _ from: ShardID) -> Asked? {
    guard let row = state.nodes.row(node), row.state.isAlive else { return nil }
    if news == .caughtUp { return leaderReport(about: node, from) }
    var shards: [ShardID] = []
    var next = from
    while shards.count < HistoryGenerator.batch, let shard = state.shards.row(next) {
      if let replica = shard.replicas.replica(on: node), concerns(replica, news) { shards.append(next) }
      next += 1
    }
    if state.shards.contains(next) {
      add(.report(node, news, from: next))
    } else if news == .fellBehind {
      add(.report(node, .caughtUp, from: 1))
    }
    guard !shards.isEmpty else { return nil }
    var command = ReportReplicas()
    command.node = node
    command.incarnation = row.incarnation
    switch news {
    case .opened: command.opened = shards
    case .fellBehind: command.fellBehind = shards
    case .caughtUp: preconditionFailure("that is the leader's to say")
    }
    return .node(row.name, .reportReplicas(command))
  }

  /// The leaders of what a node holds say, one after the other, that it has caught up.
  private mutating func leaderReport(about node: NodeID, _ from: ShardID) -> Asked? {
    var command = ReportReplicas()
    var next = from
    while command.followers.count < HistoryGenerator.batch, let shard = state.shards.row(next) {
      if let replica = shard.replicas.replica(on: node), !replica.isInSync, shard.leader != 0, shard.leader != node,
        state.nodes[shard.leader].state.isAlive
      {
        if command.node == 0 { command.node = shard.leader }
        guard command.node == shard.leader else { break }
        command.followers.append(FollowerWord(shard: next, node: node, epoch: shard.epoch, isInSync: true))
      }
      next += 1
    }
    if state.shards.contains(next) { add(.report(node, .caughtUp, from: next)) }
    guard command.node != 0 else { return nil }
    command.incarnation = state.nodes[command.node].incarnation
    return .node(state.nodeName(command.node), .reportReplicas(command))
  }

  private func concerns(_ replica: Replica, _ news: ReplicaNews) -> Bool {
    switch news {
    case .opened: !replica.isOpened
    case .fellBehind: replica.isInSync && replica.role == .follower
    case .caughtUp: !replica.isInSync
    }
  }

  // MARK: Moves

  private mutating func empty(_ node: NodeID, _ from: ShardID, _ cause: Revision) -> Asked? {
    guard let row = state.nodes.row(node), row.isDrainRequested, !row.isRemoved else { return nil }
    if row.state == .drained { return .person(.removeNode(RemoveNode(name: row.name))) }
    guard state.load(node).replicas > 0 else {
      add(.empty(node, from: 1, cause: cause))
      return .controller("drain", .finishDrain(FinishDrain(node: node)), Reason(.drainCompleted), cause: cause)
    }
    var next = from
    while let shard = state.shards.row(next), shard.replicas.index(of: node) == nil || shard.move != 0 { next += 1 }
    add(.empty(node, from: state.shards.contains(next) ? next + 1 : 1, cause: cause))
    guard let shard = state.shards.row(next) else { return nil }
    return move(shard, from: node, cause)
  }

  /// The start of a move to some node of the same zone, so that the spread stays.
  mutating func move(_ shard: ShardRow, from source: NodeID, _ cause: Revision) -> Asked? {
    let zone = state.load(source).domains[1]
    for _ in 0..<8 {
      let target = UInt32(random.below(state.nodes.count)) + 1
      let row = state.nodes[target]
      guard row.state == .up, !row.isCordoned, state.load(target).domains[1] == zone,
        shard.replicas.index(of: target) == nil
      else { continue }
      let command = StartMove(
        collection: state.collectionName(shard.collection), index: shard.index, source: state.nodeName(source),
        target: row.name)
      return .controller("rebalance", .startMove(command), cause: cause)
    }
    return nil
  }

  private func release(_ node: NodeID) -> Asked? {
    guard let row = state.nodes.row(node), !row.isRemoved else { return nil }
    if row.isCordoned { return .person(.cordonNode(CordonNode(name: row.name, isOn: false))) }
    guard row.isDrainRequested else { return nil }
    return .person(.drainNode(DrainNode(name: row.name, isOn: false)))
  }
}
