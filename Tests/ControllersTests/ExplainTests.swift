import MusterCluster
import MusterControllers
import Testing

/// What `explain` and `plan` say of a shard, rule by rule and node by node.
@Suite struct ExplainTests {
  /// Nodes in three zones, and a collection of three replicas, one in each zone.
  private func model(perZone: Int = 1, disk: UInt64 = 100, weight: UInt64 = 10) -> ClusterModel {
    var model = ClusterModel()
    for node in 0..<(3 * perZone) {
      model.join(
        "n\(node)", "eu/z\(node % 3)/r\(node)", disk: disk, labels: node % 3 == 0 ? [Label("near", "")] : [])
    }
    guard case .committed = model.create("orders", shards: 2, disk: weight) else {
      Issue.record("the collection was refused")
      return model
    }
    model.run(seconds: 3)
    return model
  }

  private func explain(_ model: ClusterModel, _ shard: ShardID = 1) throws -> ExplanationReport {
    try PlacementAdvisor().explain(
      ExplainQuestion(collection: "orders", index: shard - 1), shard, in: model.state)
  }

  private func change(_ model: inout ClusterModel, _ edit: (inout Policy) -> Void) {
    var policy = model.state.collections[1].policy
    edit(&policy)
    guard
      case .committed = model.order(.changeCollection(ChangeCollection(name: "orders", policy: policy, labels: [])))
    else {
      Issue.record("the policy was refused")
      return
    }
  }

  private func broken(_ verdict: NodeVerdict?) -> [String] {
    verdict?.rules.filter { !$0.isMet && !$0.isPreference }.map(\.rule) ?? ["no verdict"]
  }

  @Test func atRestEachNodeIsJudgedByItself() throws {
    let report = try explain(model())
    #expect(report.question == "may a replica stand there")
    #expect(report.nodes.count == 3)
    for node in report.nodes { #expect(node.isAllowed && node.hasReplica, "\(node.node): \(broken(node))") }
  }

  @Test func ofADrainedNodeEachRowSaysWhetherItsReplicaMayGoThere() throws {
    var model = model()
    model.order(.drainNode(DrainNode(name: "n0", isOn: true)))
    let report = try explain(model)
    #expect(report.movement == "the replica on n0 shall go: no other place: 2 nodes by having a replica already")
    #expect(report.question == "may the replica of n0 go there")
    #expect(report.nodes.map(\.isAllowed) == [false, false, false])
    #expect(broken(report.nodes.first { $0.node == "n0" }) == ["state up"])
    #expect(broken(report.nodes.first { $0.node == "n1" }).first == "one replica")
  }

  @Test func whereADrainedReplicaMayGoTheRowSaysYes() throws {
    var model = model()
    model.join("n9", "eu/z0/r9", disk: 100)
    model.run(seconds: 2)
    model.order(.drainNode(DrainNode(name: "n0", isOn: true)))
    let report = try explain(model)
    #expect(report.movement == "the replica on n0 shall go: n9 is the best place")
    #expect(report.nodes.filter(\.isAllowed).map(\.node) == ["n9"])
  }

  @Test func aNodeOverItsCapacityDoesNotMeetEveryRule() throws {
    var model = model()
    change(&model) { $0.weights = [Amount("disk", 60)] }
    let report = try explain(model)
    #expect(report.movement.contains(" breaks the rule capacity disk: no other place"), "\(report.movement)")
    #expect(report.nodes.count { broken($0) == ["capacity disk"] } == 1, "the one whose replica should go")
    for node in report.nodes {
      #expect(broken(node).last == "capacity disk")
      #expect(node.rules.first { $0.rule == "capacity disk" }?.detail == "120 of 100 are taken")
    }
  }

  @Test func howFullANodeIsCountsTheReplicaOnce() throws {
    let report = try explain(model())
    #expect(report.nodes.map(\.fullness) == [200, 200, 200], "two replicas of 10 on 100")
    let wide = try explain(model(perZone: 2))
    for node in wide.nodes { #expect(node.fullness == (node.hasReplica ? 100 : 200), "\(node.node)") }
  }

  @Test func whereALeaderIsPreferredHasARowAndForbidsNothing() throws {
    var model = model()
    change(&model) { $0.leaderPreference = [LabelRule("near", .exists)] }
    let report = try explain(model)
    for node in report.nodes {
      let rule = try #require(node.rules.first { $0.rule == "lead-on near exists" })
      #expect(rule.isPreference && rule.isMet == (node.node == "n0"))
      #expect(node.isAllowed)
    }
  }

  @Test func anElectionSaysWhoMustAnswer() throws {
    var model = model()
    let row = model.state.shards[1]
    let leader = model.state.nodeName(row.leader)
    model.kill(leader)
    while model.state.nodes[row.leader].state != .down { model.step() }
    if model.state.shards[1].leader == row.leader {
      #expect(try explain(model).movement.hasPrefix("its leader \(leader) is down: an election of epoch 2 is about"))
    }
    var election: ExplanationReport?
    for _ in 0..<50 where election == nil {
      if model.state.shards[1].leader == 0 { election = try explain(model) } else { model.step() }
    }
    let report = try #require(election?.election)
    let others = row.replicas.map(\.node).filter { $0 != row.leader }.map { model.state.nodeName($0) }
    #expect(report.epoch == 2 && report.needed == 2 && report.asked == others && report.missing == [leader])
    #expect(
      election?.movement
        == "an election of epoch 2 is under way: 2 of \(others.joined(separator: ", ")) must answer; not there: \(leader)"
    )
  }

  @Test func beyondElectionItSaysWhyAndWhatToDo() throws {
    var model = model()
    // Else most of the cluster would fall silent at once, and not be believed.
    for spare in 0..<4 { model.join("spare\(spare)", "eu/z3/r", disk: 0) }
    model.run(seconds: 1)
    for node in 0..<3 { model.kill("n\(node)") }
    model.run(seconds: 20)
    let movement = try explain(model).movement
    #expect(
      movement.hasPrefix("nobody leads, and no election brings a leader back: 2 of 3 in sync must answer, 0 live"))
    #expect(movement.contains("n0") && movement.hasSuffix("`muster recover plan` says what may be lost"))
  }

  @Test func aMoveThatWaitsForItsBudgetNamesTheLimit() throws {
    var model = model(perZone: 2)
    model.order(
      .setConfig(
        SetConfig(key: "system/moves/recovery-per-node", scope: ScopeName(.cluster), value: .integer(0))))
    let node = model.state.nodeName(model.state.shards[1].leader)
    model.order(.drainNode(DrainNode(name: node, isOn: true)))
    model.run(seconds: 1)
    let movement = try explain(model).movement
    #expect(movement.hasPrefix("the replica on \(node) shall go: n"))
    #expect(movement.contains("is the best place; it waits for its share of system/moves/recovery-per-node at n"))
  }

  // MARK: Plans

  @Test func aPlanAddsNoNodeThatIsThere() {
    var question = PlanQuestion()
    question.add = [
      JoinNode(name: "n1", domain: "eu/z1/r", labels: [], capacity: [], address: "", heartbeatMilliseconds: 0)
    ]
    #expect(throws: Refusal.self) { try PlacementAdvisor().plan(question, in: model().state) }
  }

  @Test func obstaclesOfTwoNodesAreTold() throws {
    var question = PlanQuestion()
    question.drain = ["n0", "n1"]
    let plan = try PlacementAdvisor().plan(question, in: model().state)
    #expect(Set(plan.obstacles).count == 4, "\(plan.obstacles)")
    #expect(plan.obstacles.contains { $0.hasPrefix("orders/0 finds no other place for its replica on n1: ") })
  }
}
