import MusterCluster
import MusterControllers
import Testing

@Suite struct PolicyTests {
  private func model() -> ClusterModel {
    var model = ClusterModel()
    for node in 0..<9 {
      let disk = ["ssd", "nvme", "hdd"][node / 3]
      model.join(
        "n\(node)", "eu/z\(node % 3)",
        labels: [Label("disk", disk)] + (node == 8 ? [] : [Label("ready", "")])
          + (node % 3 == 0 ? [Label("near", "")] : []))
    }
    return model
  }

  private func policy(_ rules: [LabelRule], leadOn: [LabelRule] = []) -> Policy {
    var policy = Policy()
    policy.replicas = 3
    policy.spread = [SpreadRule(.zone)]
    policy.rules = rules
    policy.leaderPreference = leadOn
    return policy
  }

  private func create(_ model: inout ClusterModel, _ name: String, _ policy: Policy) -> Outcome {
    model.order(
      .createCollection(CreateCollection(name: name, shards: 9, policy: policy, labels: [], tenant: "")))
  }

  private func disks(_ model: ClusterModel) -> Set<String> {
    var found: Set<String> = []
    model.state.shards.forEach { _, row in
      for replica in row.replicas { found.insert(model.state.nodes[replica.node].labels["disk"] ?? "") }
    }
    return found
  }

  @Test func labelRulesChooseNodes() {
    let cases: [(LabelRule, Set<String>)] = [
      (LabelRule("disk", .isIn, ["ssd", "nvme"]), Set(["ssd", "nvme"])),
      (LabelRule("disk", .isNotIn, ["ssd"]), Set(["nvme", "hdd"])),
      (LabelRule("disk", .exists), Set(["ssd", "nvme", "hdd"])),
    ]
    for (rule, expected) in cases {
      var model = model()
      guard case .committed = create(&model, "c", policy([rule])) else {
        Issue.record("\(rule.text) was refused")
        continue
      }
      #expect(disks(model) == expected, "\(rule.text)")
    }
  }

  @Test func aRuleThatLeavesTooFewNodesIsNamed() {
    var model = model()
    guard case .refused(let refusal) = create(&model, "c", policy([LabelRule("ready", .existsNot)])) else {
      Issue.record("it was accepted")
      return
    }
    #expect(refusal.code == .unsatisfiable)
    #expect(
      refusal.witness.first
        == Witness(
          rule: "require ready does not exist", needed: 3, available: 1, detail: "8 where not ready does not exist"))
  }

  @Test(arguments: [
    LabelRule("disk", .isIn), LabelRule("disk", .exists, ["ssd"]), LabelRule("Disk", .exists),
    LabelRule("disk", .isIn, ["a\n"]),
  ])
  func rulesThatMakeNoSenseAreRefused(_ rule: LabelRule) {
    var model = model()
    guard case .refused(let refusal) = create(&model, "c", policy([rule])) else {
      Issue.record("\(rule.text) was accepted")
      return
    }
    #expect(refusal.code == .invalid)
  }

  @Test func leadersStandWhereTheyArePreferredAndReturnThereAfterALoss() {
    var model = model()
    // One replica of each shard stands in zone 0.
    _ = create(&model, "c", policy([], leadOn: [LabelRule("near", .exists)]))
    func far() -> Int {
      (1..<model.state.shards.nextID).count { model.state.nodes[model.state.shards[$0].leader].labels["near"] == nil }
    }
    #expect(far() == 0)
    model.run(seconds: 1)
    model.kill("n0")
    model.run(seconds: 10)
    #expect(far() == 3, "the shards of n0 are led from elsewhere")
    model.revive("n0")
    model.run(seconds: 5)
    model.order(.setBalancing(SetBalancing(mode: .running)))
    model.run(seconds: 30)
    #expect(far() == 0)
  }

  @Test func collectionsStandApartAlsoWhenReplicasMove() {
    var model = model()
    var first = policy([LabelRule("disk", .isIn, ["ssd"])])
    first.replicas = 3
    _ = create(&model, "a", first)
    var second = policy([])
    second.apart = ["a", "later"]
    guard case .committed = create(&model, "b", second) else {
      Issue.record("b was refused")
      return
    }
    func nodes(_ collection: CollectionID) -> Set<NodeID> {
      var found: Set<NodeID> = []
      model.state.shards.forEach { _, row in
        if row.collection == collection { for replica in row.replicas { found.insert(replica.node) } }
      }
      return found
    }
    #expect(nodes(1).isDisjoint(with: nodes(2)))
    model.run(seconds: 1)
    model.order(.drainNode(DrainNode(name: "n3", isOn: true)))
    model.run(seconds: 30)
    #expect(model.replicas("n3") == 0)
    #expect(nodes(1).isDisjoint(with: nodes(2)))
    let from = model.state.shards[10].replicas.first { $0.node % 3 == 1 }.map { model.state.nodeName($0.node) } ?? ""
    guard
      case .refused(let refusal) = model.order(
        .startMove(StartMove(collection: "b", index: 0, source: from, target: "n0")))
    else {
      Issue.record("it moved to where a stands")
      return
    }
    #expect(refusal.witness.first?.rule == "apart a")
  }

  @Test func aCollectionThatFindsNoNodeApartIsRefusedWithItsWitness() {
    var model = model()
    _ = create(&model, "a", policy([]))
    var second = policy([])
    second.apart = ["a"]
    guard case .refused(let refusal) = create(&model, "b", second) else {
      Issue.record("it was accepted")
      return
    }
    #expect(refusal.witness.first?.rule == "apart a")
  }
}
