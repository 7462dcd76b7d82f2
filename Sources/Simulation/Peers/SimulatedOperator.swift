internal import MusterBytes
internal import MusterCluster
internal import MusterPeers
internal import MusterProtocol
internal import MusterWorkload

/// A person who does the right things at the wrong moments, and puts all in order in the end.
final class SimulatedOperator: Peer {
  private let requester = Requester()
  private var sequence: UInt64 = 0
  private var orders: [Command] = []
  /// How often an order was refused for now and is given again.
  private var patience = 0

  init(_ number: Int, _ name: String, _ world: Simulation) { super.init(number, name, .person, world) }

  var isWaiting: Bool { !requester.isIdle || !orders.isEmpty }

  /// Gives an order when those before are obeyed or refused.
  func order(_ command: Command) { if orders.count < 100 { orders.append(command) } }

  override func act() -> UInt64 {
    if requester.isIdle, let command = orders.first {
      sequence += 1
      requester.begin(Request(command, client: name, sequence: sequence))
    }
    requester.send(self)
    return requester.delay(world.now) ?? 1_000_000
  }

  override func hear(_ incoming: Incoming) {
    let request = requester.pending
    guard let verdict = requester.hear(incoming, self), let request else { return }
    switch verdict {
    case .done(let reply):
      orders.removeFirst()
      patience = 0
      world.oracle.answered(request, reply, world)
    case .refused(let refusal):
      if case .joinNode = request.command, refusal?.code == .alreadyExists { world.marks.sometimes(.nameRefused) }
      // At the beginning there are no nodes to place anything on yet.
      patience += 1
      guard refusal?.code == .unsatisfiable, patience < 60, world.isFounding(request.command) else {
        orders.removeFirst()
        patience = 0
        return
      }
    }
  }
}

extension SimulatedOperator {
  private static let policies = 3

  /// What is there from the beginning: three collections, each with a policy of its own.
  static func founding(_ swarm: Swarm) -> [Command] {
    var commands: [Command] = [
      .setConfig(
        SetConfig(key: "system/repair-delay-seconds", scope: ScopeName(.cluster), value: .integer(20)))
    ]
    for (number, minimum) in [2, 2, 0].enumerated() {
      commands.append(
        .createCollection(
          CreateCollection(
            name: "c\(number)", shards: UInt32(4 + number), policy: policy(UInt32(minimum), isSpread: number != 1),
            labels: [], tenant: "")))
    }
    if swarm.balances { commands.append(.setBalancing(SetBalancing(mode: .running))) }
    return commands
  }

  private static func policy(_ minimum: UInt32, isSpread: Bool, replicas: UInt32 = 3, isUnclean: Bool = false) -> Policy
  {
    var policy = Policy()
    policy.replicas = replicas
    policy.minInSync = min(minimum, replicas)
    policy.allowsUncleanElection = isUnclean
    if isSpread { policy.spread = [SpreadRule(.zone)] }
    return policy
  }

  /// Something that a person might do now.
  static func whim(_ nodes: Int, _ state: State, _ random: inout SeededGenerator) -> Command? {
    let node = "n\(random.below(nodes))"
    switch random.below(34) {
    case 0, 1: return .drainNode(DrainNode(name: node, isOn: true))
    case 2, 3: return .drainNode(DrainNode(name: node, isOn: false))
    case 4: return .cordonNode(CordonNode(name: node, isOn: true))
    case 5: return .cordonNode(CordonNode(name: node, isOn: false))
    case 6: return .removeNode(RemoveNode(name: node))
    case 7: return .setMaintenance(SetMaintenance(isOn: random.oneIn(3)))
    case 8: return .setBalancing(SetBalancing(mode: BalancingMode.allCases[random.below(BalancingMode.allCases.count)]))
    case 9: return changePolicy(&random)
    case 10: return .deleteCollection(DeleteCollection(name: "d\(random.below(3))"))
    case 11, 12:
      return .createCollection(
        CreateCollection(
          name: "d\(random.below(3))", shards: UInt32(1 + random.below(6)),
          policy: policy(
            UInt32(random.below(3)), isSpread: random.oneIn(2), replicas: UInt32(1 + random.below(5)),
            isUnclean: random.oneIn(3)), labels: [], tenant: ""))
    case 32: return intrude(node, state, &random)
    case 33: return hold(state, &random)
    case 13: return cancel(state, &random)
    case 25: return advance(state, &random)
    case 26: return rebuild(state, &random)
    case 27: return removeOne(state, &random)
    case 14:
      return .setConfig(
        SetConfig(
          key: "system/repair-delay-seconds", scope: ScopeName(.cluster), value: .integer(Int64(random.below(60)))))
    case 15, 16: return random.oneIn(2) ? split(state, &random) : merge(state, &random)
    case 20, 21: return merge(state, &random)
    case 17: return grow(state, &random)
    case 18, 19: return cancelSplit(state, &random)
    case 28: return recoveries(state).first
    case 29, 30: return plan(nodes, state, &random)
    default: return moveOrLead(node, state, &random)
    }
  }

  /// A second process under a name that is in use, or that was given up.
  private static func intrude(_ name: String, _ state: State, _ random: inout SeededGenerator) -> Command? {
    guard let node = state.nodeID(named: name) else { return nil }
    let row = state.nodes[node]
    return .joinNode(
      JoinNode(
        name: name, domain: row.domain, labels: row.labels, capacity: row.capacity, address: "",
        heartbeatMilliseconds: row.heartbeatMilliseconds, abilities: row.abilities,
        identity: "intruder-\(random.below(3))"))
  }

  private static func changePolicy(_ random: inout SeededGenerator) -> Command {
    let replicas = 2 + random.below(3)
    let minimum = 2 + random.below(replicas - 1)
    return .changeCollection(
      ChangeCollection(
        name: "c\(random.below(policies))",
        policy: policy(UInt32(minimum), isSpread: random.oneIn(2), replicas: UInt32(replicas)), labels: []))
  }

  private static func cancel(_ state: State, _ random: inout SeededGenerator) -> Command? {
    guard let row = anyShard(state, &random), row.move != 0 else { return nil }
    return .advanceMove(AdvanceMove(move: row.move, step: .cancelled))
  }

  /// A move is held, or goes on.
  private static func hold(_ state: State, _ random: inout SeededGenerator) -> Command? {
    var found: [MoveID] = []
    state.moves.forEach { id, move in if !move.isVacant { found.append(id) } }
    guard !found.isEmpty else { return nil }
    let move = found[random.below(found.count)]
    let row = state.moves[move]
    return .advanceMove(AdvanceMove(move: move, step: row.step, isPaused: !row.isPaused))
  }

  /// Every move that is held goes on.
  static func resumptions(_ state: State) -> [Command] {
    var commands: [Command] = []
    state.moves.forEach { id, move in
      if move.isPaused { commands.append(.advanceMove(AdvanceMove(move: id, step: move.step))) }
    }
    return commands
  }

  /// More would only make runs long.
  private static let indexMax: UInt32 = 12

  private static func split(_ state: State, _ random: inout SeededGenerator) -> Command? {
    guard let row = anyShard(state, &random), state.collections[row.collection].indexCount < indexMax else {
      return nil
    }
    return .splitShard(SplitShard(collection: state.collectionName(row.collection), index: row.index))
  }

  private static func merge(_ state: State, _ random: inout SeededGenerator) -> Command? {
    guard let row = anyShard(state, &random) else { return nil }
    return .mergeShards(MergeShards(collection: state.collectionName(row.collection), index: row.index))
  }

  private static func grow(_ state: State, _ random: inout SeededGenerator) -> Command? {
    guard let row = anyShard(state, &random) else { return nil }
    let collection = state.collections[row.collection]
    let more = Int(collection.owningCount) + random.below(5) - 2
    guard let shards = UInt32(exactly: more), shards <= indexMax else { return nil }
    return .setShardCount(SetShardCount(name: collection.name, shards: shards))
  }

  private static func cancelSplit(_ state: State, _ random: inout SeededGenerator) -> Command? {
    var found: [MoveID] = []
    state.moves.forEach { id, move in if move.partner != 0 { found.append(id) } }
    guard !found.isEmpty else { return nil }
    // Called off, or its leader may go on.
    let move = found[random.below(found.count)]
    let goesOn: MoveStep = state.moves[move].isMerge ? .copying : .catchingUp
    let step = random.oneIn(2) ? .cancelled : goesOn
    return .advanceMove(AdvanceMove(move: move, step: step))
  }

  /// A saved plan, or the way back from one: steps that wait for their share of the budgets.
  private static func plan(_ nodes: Int, _ state: State, _ random: inout SeededGenerator) -> Command? {
    let purpose: MovePurpose = random.oneIn(2) ? .balance : .order
    let steps = (0...random.below(3)).compactMap { _ -> Command? in
      guard let row = anyShard(state, &random) else { return nil }
      let source = state.nodeName(row.replicas[random.below(row.replicas.count)].node)
      return .startMove(
        StartMove(
          collection: state.collectionName(row.collection), index: row.index, source: source,
          target: "n\(random.below(nodes))", purpose: purpose, isWaiting: true))
    }
    return steps.isEmpty ? nil : .batch(Batch(steps))
  }

  /// A controller's step, by hand and too early.
  private static func advance(_ state: State, _ random: inout SeededGenerator) -> Command? {
    guard let row = anyShard(state, &random), let next = state.moves.row(row.move)?.step.next else { return nil }
    return .advanceMove(AdvanceMove(move: row.move, step: next))
  }

  private static func rebuild(_ state: State, _ random: inout SeededGenerator) -> Command? {
    let shard = anyShardID(state, &random)
    guard let row = state.shards.row(shard), row.replicas.count > 0 else { return nil }
    return .rebuildReplica(RebuildReplica(shard: shard, node: row.replicas[random.below(row.replicas.count)].node))
  }

  /// A replica that goes without another in its place, whether or not it is too much.
  private static func removeOne(_ state: State, _ random: inout SeededGenerator) -> Command? {
    guard let row = anyShard(state, &random) else { return nil }
    let replica = state.nodeName(row.replicas[random.below(row.replicas.count)].node)
    return .startMove(
      StartMove(collection: state.collectionName(row.collection), index: row.index, source: replica, target: ""))
  }

  /// The best survivor leads each shard that no election brings back; where nobody has anything it begins anew.
  static func recoveries(_ state: State) -> [Command] {
    state.lostShards().compactMap { lost in
      guard let place = lost.shard.lastIndex(of: "/"), let index = UInt32(lost.shard[place...].dropFirst()) else {
        return nil
      }
      let node = lost.emptyOn.isEmpty ? lost.survivors.first : lost.emptyOn
      return node.map {
        .recoverShard(
          RecoverShard(
            collection: String(lost.shard[..<place]), index: index, node: $0, isBegunEmpty: !lost.emptyOn.isEmpty))
      }
    }
  }

  private static func anyShardID(_ state: State, _ random: inout SeededGenerator) -> ShardID {
    state.shards.nextID > 1 ? 1 + UInt32(random.below(Int(state.shards.nextID) - 1)) : 0
  }

  private static func anyShard(_ state: State, _ random: inout SeededGenerator) -> ShardRow? {
    guard let row = state.shards.row(anyShardID(state, &random)), row.replicas.count > 0 else { return nil }
    return row
  }

  private static func moveOrLead(_ node: String, _ state: State, _ random: inout SeededGenerator) -> Command? {
    guard let row = anyShard(state, &random) else { return nil }
    let collection = state.collectionName(row.collection)
    let replica = state.nodeName(row.replicas[random.below(row.replicas.count)].node)
    if random.oneIn(2) {
      return .electLeader(ElectLeader(collection: collection, index: row.index, node: replica))
    }
    return .startMove(StartMove(collection: collection, index: row.index, source: replica, target: node))
  }
}
