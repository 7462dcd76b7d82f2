import MusterCluster
import MusterControllers
import MusterWorkload
import Testing

/// The loops together, on a modelled cluster; the model checks after every commit what no plan may break.
@Suite struct LoopTests {
  private func cluster(zones: Int = 3, perZone: Int = 2, shards: UInt32 = 12, seed: UInt64 = 1) -> ClusterModel {
    var model = ClusterModel(seed: seed)
    for node in 0..<(zones * perZone) { model.join("n\(node)", "eu/z\(node % zones)/r\(node)") }
    guard case .committed = model.create("orders", shards: shards) else {
      Issue.record("the collection was refused")
      return model
    }
    model.run(seconds: 1)
    return model
  }

  @Test func aLostNodeLosesItsLeadersAtOnceAndItsReplicasAfterADelay() {
    var model = cluster()
    let led = model.leaders("n1")
    #expect(led > 0)
    model.kill("n1")
    model.run(seconds: 6)
    #expect(model.leaders("n1") == 0)
    #expect(model.replicas("n1") > 0, "replicas are not copied at once: it may come back")
    #expect(model.events("ElectionStarted") == led)
    model.run(seconds: 70)
    #expect(model.replicas("n1") == 0)
    #expect(model.isWhole)
  }

  @Test func aNodeThatComesBackInTimeKeepsWhatItHas() {
    var model = cluster()
    let had = model.replicas("n1")
    model.kill("n1")
    model.run(seconds: 20)
    model.revive("n1")
    model.run(seconds: 100)
    #expect(model.replicas("n1") == had)
    #expect(model.events("MoveStarted") == 0)
    #expect(model.isWhole)
  }

  @Test func aDrainEmptiesANodeAndSaysSo() {
    var model = cluster()
    model.order(.drainNode(DrainNode(name: "n1", isOn: true)))
    model.run(seconds: 20)
    #expect(model.state.nodes[2].state == .drained)
    #expect(model.isWhole)
    // Why each replica moved leads back to the order.
    let moves = model.commits.filter { $0.events.contains { $0.name == "MoveStarted" } }
    let order = model.commits.first { $0.events.contains { $0.name == "NodeDrainRequested" } }
    #expect(!moves.isEmpty && moves.allSatisfy { $0.cause == order?.revision && $0.reason?.kind == .draining })
  }

  @Test func aDrainThatCannotEndSaysWhyWithinSeconds() {
    var model = cluster(perZone: 1)
    model.order(.drainNode(DrainNode(name: "n1", isOn: true)))
    model.run(seconds: 2)
    let alarm = model.state.alarmID(named: "drain/n1").map { model.state.alarms[$0] }
    #expect(alarm?.isRaised == true)
    #expect(alarm?.message.contains("2 nodes by having a replica already") == true, "\(alarm?.message ?? "")")
    model.order(.drainNode(DrainNode(name: "n1", isOn: false)))
    model.run(seconds: 1)
    #expect(model.state.alarmID(named: "drain/n1").map { model.state.alarms[$0].isRaised } == false)
  }

  @Test func balancingFillsANewNodeMovesNothingElseAndEnds() {
    var model = cluster(shards: 60)
    model.join("n9", "eu/z1/r9")
    model.run(seconds: 1)
    #expect(model.replicas("n9") == 0, "nothing moves unasked")
    model.order(.setBalancing(SetBalancing(mode: .running)))
    model.run(seconds: 120)
    #expect(model.state.cluster[1].balancing == .off)
    // Zone 1 has 60 replicas on three nodes now: 20 each, and not one move more.
    #expect(["n1", "n4", "n9"].map { model.replicas($0) } == [20, 20, 20])
    #expect(model.events("MoveStarted") == 20)
    let targets = model.commits.flatMap(\.events).compactMap {
      if case .moveStarted(let move) = $0 { move.target } else { nil }
    }
    #expect(Set(targets) == [model.state.nodeID(named: "n9")])
    let led = (1..<model.state.nodes.nextID).map { model.state.load($0).leaders }
    #expect((led.max() ?? 0) - (led.min() ?? 0) <= 1, "\(led)")
    #expect(model.isWhole)
  }

  @Test func balancingPausesResumesAndIsCalledOff() {
    var model = cluster(shards: 60)
    model.join("n9", "eu/z1/r9")
    model.isSlow = true
    model.order(.setBalancing(SetBalancing(mode: .running)))
    model.run(seconds: 0.2)
    model.order(.setBalancing(SetBalancing(mode: .paused)))
    model.run(seconds: 3)
    let started = model.events("MoveStarted")
    #expect(started > 0)
    model.run(seconds: 10)
    #expect(model.events("MoveStarted") == started, "nothing new begins in a pause")
    model.order(.setBalancing(SetBalancing(mode: .off)))
    model.run(seconds: 5)
    #expect(model.isWhole)
    #expect(model.events("MoveStarted") == started)
  }

  @Test func anOrderThatIsHeldWaitsAndGoesOnWhenItMay() throws {
    var model = cluster()
    let (from, to) = (source(model), free(model))
    model.isSlow = true
    model.order(.startMove(StartMove(collection: "orders", index: 0, source: from, target: to)))
    let move = model.state.shards[1].move
    model.order(.advanceMove(AdvanceMove(move: move, step: .catchingUp, isPaused: true)))
    #expect(model.state.moves[move].isPaused)
    let revision = model.state.revision
    model.order(.advanceMove(AdvanceMove(move: move, step: .catchingUp, isPaused: true)))
    #expect(model.state.revision == revision, "it is held already")
    model.run(seconds: 300)
    #expect(model.state.shards[1].move == move && model.state.moves[move].step == .catchingUp)
    #expect(
      try PlacementAdvisor().explain(ExplainQuestion(collection: "orders", index: 0), 1, in: model.state).movement
        .contains("paused: `muster move orders/0 --resume`"))
    model.order(.advanceMove(AdvanceMove(move: move, step: .catchingUp)))
    #expect(!model.state.moves[move].isPaused)
    model.run(seconds: 60)
    #expect(model.state.shards[1].move == 0)
    #expect(model.state.digest == model.state.computedDigest())
    let holders = model.state.shards[1].replicas.map { model.state.nodeName($0.node) }
    #expect(holders.contains(to) && !holders.contains(from))
  }

  @Test func aHeldMoveIsCalledOffAndOneThatIsPromotedIsNotHeld() {
    var model = cluster()
    model.order(.startMove(StartMove(collection: "orders", index: 0, source: source(model), target: free(model))))
    let move = model.state.shards[1].move
    model.order(.advanceMove(AdvanceMove(move: move, step: .promoted, isPaused: true)))
    #expect(!model.state.moves[move].isPaused, "it is not at that step")
    model.order(.advanceMove(AdvanceMove(move: move, step: .catchingUp, isPaused: true)))
    model.order(.advanceMove(AdvanceMove(move: move, step: .cancelled)))
    #expect(!model.state.moves.holds(move) && model.state.shards[1].move == 0)
    model.run(seconds: 10)
    #expect(model.isWhole)
  }

  @Test func maintenanceStopsAllButOrders() {
    var model = cluster()
    model.order(.setMaintenance(SetMaintenance(isOn: true)))
    model.kill("n5")
    model.order(
      .startMove(StartMove(collection: "orders", index: 0, source: source(model), target: free(model))))
    model.run(seconds: 100)
    #expect(state(model, "n5") == .down, "who looks sees what is there")
    #expect(model.events("MoveAdvanced") == 3, "what an operator ordered goes on")
    #expect(model.events("MoveStarted") == 1 && model.events("ElectionStarted") == 0, "nothing else does")
    model.order(.setMaintenance(SetMaintenance(isOn: false)))
    model.run(seconds: 200)
    #expect(model.isWhole)
  }

  @Test func inMaintenanceALeadersReplicaIsMovedAndANodeDrainedWhenOrdered() {
    var model = cluster()
    model.order(.setMaintenance(SetMaintenance(isOn: true)))
    let leader = model.state.shards[1].leader
    let spare = model.state.nodeName(leader > 3 ? leader - 3 : leader + 3)
    let move = StartMove(collection: "orders", index: 0, source: model.state.nodeName(leader), target: spare)
    guard case .committed = model.order(.startMove(move)) else {
      Issue.record("the order was refused")
      return
    }
    model.run(seconds: 20)
    #expect(model.state.shards[1].move == 0 && model.state.shards[1].replicas.index(of: leader) == nil)
    model.order(.drainNode(DrainNode(name: "n1", isOn: true)))
    model.run(seconds: 30)
    #expect(state(model, "n1") == .drained)
  }

  @Test func anOrderGoesBeforeABalancingMoveOfTheSameShard() {
    var model = cluster(perZone: 3, shards: 30)
    model.join("x", "eu/z0/x")
    model.run(seconds: 0.5)
    model.isSlow = true
    model.kill("x")
    model.order(.setBalancing(SetBalancing(mode: .running)))
    model.run(seconds: 0.3)
    let begun = (1...30).first { model.state.moves.row(model.state.shards[$0].move)?.step == .catchingUp }
    guard let shard = begun.map({ ShardID($0) }), let move = model.state.moves.row(model.state.shards[shard].move)
    else {
      Issue.record("balancing moves nothing")
      return
    }
    let row = model.state.shards[shard]
    let source = model.state.nodeName(move.source)
    let others = (0..<9).map { "n\($0 * 3 % 9 + 0)" }.filter { name in
      model.state.nodeID(named: name).map { row.replicas.index(of: $0) == nil } ?? false
    }
    let orders = others.map { StartMove(collection: "orders", index: row.index, source: source, target: $0) }
    let taken = orders.first { order in
      if case .committed = model.order(.startMove(order)) { true } else { false }
    }
    #expect(taken != nil, "none of \(others) takes it")
    let now = model.state.moves.row(model.state.shards[shard].move)
    #expect(now?.purpose == .order && now?.target == taken.flatMap { model.state.nodeID(named: $0.target) })
    #expect(model.state.shards[shard].replicas.index(of: move.target) == nil, "the learner of balancing is gone")
    guard case .refused = model.order(.startMove(orders[0])) else {
      Issue.record("an order gave way to another")
      return
    }
  }

  @Test func balancingDoesWhatItPlannedAndMovesAShardOnce() {
    var model = cluster(shards: 40)
    model.order(
      .setConfig(SetConfig(key: "system/moves/balance", scope: ScopeName(.cluster), value: .integer(1))))
    model.join("x", "eu/z0/x")
    model.join("y", "eu/z1/y")
    model.run(seconds: 0.5)
    let planned = BalancePlanner.plan(model.state, limit: 1000).compactMap { step -> ShardID? in
      if case .move(let shard, _, _) = step { shard } else { nil }
    }
    model.order(.setBalancing(SetBalancing(mode: .running)))
    model.run(seconds: 200)
    let moved = model.commits.flatMap(\.events).compactMap { event -> ShardID? in
      if case .moveStarted(let move) = event { move.shard } else { nil }
    }
    #expect(!planned.isEmpty && moved == planned)
    #expect(model.state.cluster[1].balancing == .off && model.isWhole)
  }

  @Test func leadersGoWhereTheirPolicyPrefersThem() {
    var model = ClusterModel()
    for node in 0..<6 {
      model.join("n\(node)", "eu/z\(node % 3)/r\(node)", labels: [Label("near", node % 3 == 2 ? "yes" : "no")])
    }
    _ = model.create("orders", shards: 12)
    model.run(seconds: 1)
    var policy = model.state.collections[1].policy
    policy.leaderPreference = [LabelRule("near", .isIn, ["yes"])]
    model.order(.changeCollection(ChangeCollection(name: "orders", policy: policy, labels: [])))
    model.run(seconds: 30)
    #expect(model.leaders("n0") > 0, "they are given time")
    model.run(seconds: 60)
    #expect((model.leaders("n2"), model.leaders("n5")) == (6, 6))
    let commit = model.commits.last { $0.reason?.kind == .leaderPreferred }
    #expect(commit?.cause == model.state.collections[1].changed)
    model.kill("n2")
    model.run(seconds: 20)
    model.revive("n2")
    model.run(seconds: 100)
    #expect(model.leaders("n2") + model.leaders("n5") == 12, "they go home")
    let settled = model.state.revision
    model.run(seconds: 300)
    #expect(model.state.revision == settled, "and stay")
  }

  @Test func nodesThatAreDownAlreadyMakeNoMassFailure() {
    var model = cluster(perZone: 2)
    for name in ["n0", "n1", "n2", "n3"] {
      model.kill(name)
      model.run(seconds: 10)
      #expect(state(model, name) == .down, "\(name): one after the other is no mass failure")
    }
    #expect(model.state.alarmID(named: "mass-failure") == nil)
  }

  @Test func aPersonDeclaresThoseDownThatAMassFailureIsNotBelievedOf() {
    var model = cluster(perZone: 2)
    let dead = ["n0", "n1", "n2", "n3"]
    dead.forEach { model.kill($0) }
    model.run(seconds: 20)
    #expect(dead.allSatisfy { state(model, $0) == .suspect })
    #expect(model.state.alarmID(named: "mass-failure").map { model.state.alarms[$0].isRaised } == true)
    for name in dead.prefix(2) {
      guard let id = model.state.nodeID(named: name) else { continue }
      let incarnation = model.state.nodes[id].incarnation
      func report(_ state: NodeState) -> Outcome {
        model.order(
          .reportNodeHealth(ReportNodeHealth(node: id, incarnation: incarnation, state: state, silentMilliseconds: 0)))
      }
      guard case .refused = report(.up), case .committed = report(.down) else {
        Issue.record("a person says that a node is up, or cannot say that it is down")
        return
      }
    }
    model.run(seconds: 2)
    #expect(dead.allSatisfy { state(model, $0) == .down }, "too few are awaited yet to doubt the rest")
    #expect(model.state.alarmID(named: "mass-failure").map { model.state.alarms[$0].isRaised } == false)
  }

  /// Shards of one replica, whose only node is dead, and others that can be repaired: there is one slot.
  @Test func whatCannotBeRepairedTakesNoSlots() {
    var model = ClusterModel()
    for node in 0..<6 { model.join("n\(node)", "eu/z\(node % 3)/r\(node)") }
    model.order(
      .setConfig(SetConfig(key: "system/moves/recovery", scope: ScopeName(.cluster), value: .integer(1))))
    model.order(
      .setConfig(SetConfig(key: "system/repair-delay-seconds", scope: ScopeName(.cluster), value: .integer(1))))
    _ = model.create("single", shards: 24, replicas: 1, spread: [])
    _ = model.create("triple", shards: 6)
    model.run(seconds: 1)
    let alone = model.replicas("n1")
    model.kill("n1")
    model.run(seconds: 60)
    let triple = model.state.collections[2]
    for index in 0..<6 {
      let row = model.state.shards[triple.firstShard + ShardID(index)]
      #expect(row.replicas.index(of: 2) == nil, "triple/\(index) is repaired")
    }
    #expect(model.replicas("n1") > 0 && model.replicas("n1") < alone)
    let lost = model.commits.flatMap(\.events).count {
      if case .moveStarted(let move) = $0 { move.source == 2 && move.shard < triple.firstShard } else { false }
    }
    #expect(lost == 0, "nothing is there that could be copied")
  }

  @Test func theLossOfAMajorityIsNamedAndRecoveredByAnOrderOnly() throws {
    var model = cluster(perZone: 2)
    let row = model.state.shards[1]
    let survivor = model.state.nodeName(row.replicas[2].node)
    for replica in row.replicas where model.state.nodeName(replica.node) != survivor {
      model.kill(model.state.nodeName(replica.node))
    }
    model.run(seconds: 20)
    let lost = try model.state.answer(.recovery(RecoveryQuestion()), PlacementAdvisor()).lost
    let first = try #require(lost.first { $0.shard == "orders/0" })
    #expect(first.survivors == [survivor])
    #expect(first.missing.count == 2)
    let shard = Command.recoverShard(RecoverShard(collection: "orders", index: 0, node: survivor))
    guard case .committed = model.order(shard) else {
      Issue.record("the order was refused")
      return
    }
    #expect(model.state.shards[1].leader == model.state.nodeID(named: survivor))
    #expect(
      model.state.shards[1].replicas.count(where: \.isInSync) == 1, "what the others have is not the truth any more")
    guard case .refused = model.order(shard) else {
      Issue.record("a shard that has a leader was recovered")
      return
    }
  }

  private func source(_ model: ClusterModel) -> String {
    let row = model.state.shards[1]
    return row.replicas.first { $0.node != row.leader && $0.node <= 3 || $0.node != row.leader }
      .map { model.state.nodeName($0.node) } ?? ""
  }

  /// The other node of the source's zone.
  private func free(_ model: ClusterModel) -> String {
    let number = Int(source(model).dropFirst()) ?? 0
    return "n\(number < 3 ? number + 3 : number - 3)"
  }

  /// Random clusters, random failures and orders, a server that forgets everything at every step.
  @Test(arguments: 1...100 as ClosedRange<UInt64>)
  func atEveryPrefixOfEveryPlanTheRulesHold(_ seed: UInt64) {
    var random = SeededGenerator(seed: seed)
    var model = cluster(zones: 3, perZone: 2 + random.below(3), shards: UInt32(4 + random.below(20)), seed: seed)
    model.isSlow = true
    model.order(
      .setConfig(SetConfig(key: "system/repair-delay-seconds", scope: ScopeName(.cluster), value: .integer(2))))
    var down: [String] = []
    for _ in 0..<120 {
      switch random.below(12) {
      case 0 where down.count < 2:
        let name = "n\(random.below(model.state.nodes.count))"
        if !down.contains(name) {
          down.append(name)
          model.kill(name)
        }
      case 1: if let name = down.popLast() { model.revive(name) }
      case 2:
        model.order(.drainNode(DrainNode(name: "n\(random.below(model.state.nodes.count))", isOn: random.oneIn(2))))
      case 3: model.order(.setBalancing(SetBalancing(mode: BalancingMode.allCases[random.below(3)])))
      case 4:
        let number = random.below(4)
        model.join("x\(number)", "eu/z\(number % 3)/x")
      default: break
      }
      model.run(seconds: Double(random.below(20)) / 10)
      if random.oneIn(3) { model.restartServer() }
    }
    while let name = down.popLast() { model.revive(name) }
    for id in 1..<model.state.nodes.nextID {
      model.order(.drainNode(DrainNode(name: model.state.nodeName(id), isOn: false)))
    }
    model.order(.setBalancing(SetBalancing(mode: .off)))
    model.isSlow = false
    model.run(seconds: 150)
    #expect(model.isWhole, "after everything healed")
    #expect(model.state.computedDigest() == model.state.digest)
  }
}

@Suite struct DetectionTests {
  private func cluster() -> ClusterModel {
    var model = ClusterModel()
    for node in 0..<6 { model.join("n\(node)", "eu/z\(node % 3)") }
    model.run(seconds: 2)
    return model
  }

  @Test func suspicionComesBeforeDeathAndSaysWhatItSaw() {
    var model = cluster()
    model.kill("n1")
    model.run(seconds: 2)
    #expect(state(model, "n1") == .suspect)
    model.run(seconds: 4)
    #expect(state(model, "n1") == .down)
    let commit = model.commits.last { $0.events.contains { $0.name == "NodeDeclaredDown" } }
    #expect(commit?.reason?.arguments.contains { $0.hasPrefix("silent=") } == true)
    #expect(commit?.cause == model.commits.first { $0.events.contains { $0.name == "NodeSuspected" } }?.revision)
  }

  @Test func aNodeWhoseSignsComeIrregularlyIsGivenMoreTime() {
    var regular = Arrivals(at: 0)
    var irregular = Arrivals(at: 0)
    var random = SeededGenerator(seed: 4)
    var (a, b): (UInt64, UInt64) = (0, 0)
    for _ in 0..<400 {
      a += 500
      b += UInt64(100 + random.below(1600))
      regular.heard(1, a)
      irregular.heard(1, b)
    }
    #expect(regular.limit(floor: 1500, ceiling: 10_000) == 1500)
    #expect((2500...10_000).contains(irregular.limit(floor: 1500, ceiling: 10_000)))
    #expect(irregular.limit(floor: 1500, ceiling: 2000) == 2000)
  }

  @Test func aNodeThatComesAndGoesIsNamedAndMustBeSteady() {
    var model = cluster()
    for _ in 0..<3 {
      model.kill("n1")
      model.run(seconds: 2)
      model.wake("n1")
      model.run(seconds: 0.3)
      #expect(state(model, "n1") == .up)
    }
    #expect(model.state.alarmID(named: "flapping/n1").map { model.state.alarms[$0].isRaised } == true)
    model.kill("n1")
    model.run(seconds: 2)
    model.wake("n1")
    model.run(seconds: 1)
    #expect(state(model, "n1") == .suspect, "it is heard again, and not believed yet")
    model.run(seconds: 5)
    #expect(state(model, "n1") == .up)
    model.run(seconds: 1300)
    #expect(model.state.alarmID(named: "flapping/n1").map { model.state.alarms[$0].isRaised } == false)
  }
}

private func state(_ model: ClusterModel, _ name: String) -> NodeState? {
  model.state.nodeID(named: name).map { model.state.nodes[$0].state }
}
