package import MusterCluster
internal import MusterControllers

/// Makes the history of a growing, failing, rebalanced cluster, the same for the same seed.
///
/// Every commit is decided by the state like any other; what varies is what is asked. Most events are small ones about
/// shards, as in a real cluster: replicas that fall behind and catch up, elections, moves in their steps.
package struct HistoryGenerator {
  package private(set) var state: State
  private var random: SeededGenerator
  private let planner = PlacementPlanner()
  private var clock: Microseconds = 1_700_000_000_000_000
  private var sequence: UInt64 = 0
  private let nodeCount: Int
  private let shardCount: Int
  private var openMoves: [MoveID] = []
  private var collections = 0

  private static let shardsPerCollection = 500

  /// - Parameters:
  ///   - nodes: how many nodes the cluster grows to.
  ///   - shards: about how many shards it grows to.
  package init(seed: UInt64, nodes: Int, shards: Int) {
    random = SeededGenerator(seed: seed)
    nodeCount = max(6, nodes)
    shardCount = max(1, shards)
    state = State()
  }

  /// The next commit.
  package mutating func next() -> Commit {
    while true {
      clock += Microseconds(20_000 + random.below(2_000_000))
      let request = nextRequest()
      let context = RequestContext(
        principal: request.principal, kind: request.kind, assurance: .own, wallTime: clock, reason: request.reason)
      var asked = Request(request.command)
      if request.kind == .person {
        sequence += 1
        asked.client = "operator"
        asked.sequence = sequence
      }
      if case .committed(let commit) = state.execute(asked, context, planner) {
        noteMove(commit)
        return commit
      }
    }
  }

  private struct Asked {
    var command: Command
    var principal: String
    var kind: PrincipalKind
    var reason: Reason?

    init(_ command: Command, by principal: String, _ kind: PrincipalKind, _ reason: Reason? = nil) {
      self.command = command
      self.principal = principal
      self.kind = kind
      self.reason = reason
    }
  }

  private mutating func nextRequest() -> Asked {
    if state.nodes.count < nodeCount, state.nodes.count < 6 || random.oneIn(40) { return join() }
    if state.shards.count < shardCount, random.oneIn(state.shards.count == 0 ? 1 : 4) { return createCollection() }
    guard state.shards.count > 0 else { return join() }
    switch random.below(100) {
    case 0..<45: return report()
    case 45..<65: return elect()
    case 65..<80: return openMoves.isEmpty || random.oneIn(5) ? startMove() : advanceMove()
    case 80..<95: return setConfig()
    case 95..<99: return health()
    default: return cordon()
    }
  }

  private mutating func join() -> Asked {
    let number = state.nodes.count
    let name = "n\(number)"
    let command = JoinNode(
      name: name, domain: "eu/z\(number % 3)/r\(number / 3 % 30)", labels: [Label("disk", "ssd")],
      capacity: [Amount("disk", 1 << 40)], address: "10.0.\(number / 250).\(number % 250):6379",
      heartbeatMilliseconds: 0)
    return Asked(.joinNode(command), by: name, .node)
  }

  private mutating func createCollection() -> Asked {
    collections += 1
    var policy = Policy()
    policy.replicas = 3
    policy.spread = [SpreadRule(.zone)]
    policy.weights = [Amount("disk", 1 << 30)]
    let left = shardCount - state.shards.count
    let command = CreateCollection(
      name: "c\(collections)", shards: UInt32(min(left, HistoryGenerator.shardsPerCollection)), policy: policy,
      labels: [], tenant: "")
    return Asked(.createCollection(command), by: "ops", .person)
  }

  private mutating func randomShard() -> ShardID { UInt32(random.below(state.shards.count)) + 1 }

  /// A node reports that some of its replicas fell behind, or caught up again.
  private mutating func report() -> Asked {
    let first = randomShard()
    let row = state.shards[first]
    guard row.replicas.count > 0 else { return setConfig() }
    let replica = row.replicas[random.below(row.replicas.count)]
    var command = ReportReplicas()
    command.node = replica.node
    command.incarnation = state.nodes[replica.node].incarnation
    for offset in 0..<UInt32(1 + random.below(12)) {
      let shard = first + offset
      guard let other = state.shards.row(shard)?.replicas.replica(on: replica.node) else { continue }
      if other.isInSync { command.fellBehind.append(shard) } else { command.caughtUp.append(shard) }
    }
    return Asked(.reportReplicas(command), by: state.nodeName(replica.node), .node)
  }

  private mutating func elect() -> Asked {
    let row = state.shards[randomShard()]
    guard row.replicas.count > 0 else { return setConfig() }
    let replica = row.replicas[random.below(row.replicas.count)]
    let command = ElectLeader(
      collection: state.collectionName(row.collection), index: row.index, node: state.nodeName(replica.node))
    return Asked(
      .electLeader(command), by: "election", .controller, Reason(.request, arguments: ["epoch=\(row.epoch + 1)"]))
  }

  private mutating func startMove() -> Asked {
    let row = state.shards[randomShard()]
    guard row.replicas.count > 0 else { return setConfig() }
    let source = row.replicas[random.below(row.replicas.count)].node
    let target = UInt32(random.below(state.nodes.count)) + 1
    let command = StartMove(
      collection: state.collectionName(row.collection), index: row.index, source: state.nodeName(source),
      target: state.nodeName(target))
    return Asked(.startMove(command), by: "rebalance", .controller)
  }

  private mutating func advanceMove() -> Asked {
    let place = random.below(openMoves.count)
    let id = openMoves[place]
    let move = state.moves[id]
    if move.step.isOver {
      openMoves.swapAt(place, openMoves.count - 1)
      openMoves.removeLast()
      return setConfig()
    }
    if move.step == .catchingUp, state.shards[move.shard].replicas.replica(on: move.target)?.isInSync == false {
      var command = ReportReplicas()
      command.node = move.target
      command.incarnation = state.nodes[move.target].incarnation
      command.caughtUp = [move.shard]
      return Asked(.reportReplicas(command), by: state.nodeName(move.target), .node)
    }
    let next = MoveStep(rawValue: move.step.rawValue + 1) ?? .cancelled
    return Asked(.advanceMove(AdvanceMove(move: id, step: next)), by: "rebalance", .controller)
  }

  private mutating func noteMove(_ commit: Commit) {
    for event in commit.events {
      if case .moveStarted(let started) = event { openMoves.append(started.move) }
    }
  }

  private mutating func setConfig() -> Asked {
    let key = "service-\(random.below(200))/limit-\(random.below(5))"
    let command = SetConfig(
      key: key, scope: ScopeName(.cluster), value: .integer(Int64(random.below(1_000_000))), expectedVersion: nil)
    return Asked(.setConfig(command), by: "ops", .person)
  }

  private mutating func health() -> Asked {
    let node = UInt32(random.below(state.nodes.count)) + 1
    let row = state.nodes[node]
    var command = ReportNodeHealth()
    command.node = node
    command.incarnation = row.incarnation
    command.state = row.state.isAlive ? .suspect : row.state == .suspect && random.oneIn(3) ? .down : .up
    command.silentMilliseconds = UInt64(1500 + random.below(4000))
    return Asked(
      .reportNodeHealth(command), by: "detector", .controller, Reason(.heartbeatMissed, arguments: ["node=\(row.name)"])
    )
  }

  private mutating func cordon() -> Asked {
    let node = UInt32(random.below(state.nodes.count)) + 1
    let row = state.nodes[node]
    return Asked(.cordonNode(CordonNode(name: row.name, isOn: !row.isCordoned)), by: "ops", .person)
  }
}
