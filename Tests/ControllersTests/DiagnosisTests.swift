import MusterCluster
import MusterControllers
import Testing

/// The witness of a policy that cannot be satisfied: what matters and nothing else.
@Suite struct DiagnosisTests {
  /// Nodes in three zones: two of each zone, four with `disk=ssd`.
  private func model() -> ClusterModel {
    var model = ClusterModel()
    for node in 0..<6 {
      model.join("n\(node)", "eu/z\(node % 3)/r\(node)", disk: 100, labels: [Label("disk", node < 4 ? "ssd" : "hdd")])
    }
    model.run(seconds: 1)
    return model
  }

  private func refusal(
    _ model: inout ClusterModel, shards: UInt32 = 1, _ edit: (inout Policy) -> Void
  ) throws -> Refusal {
    var policy = Policy()
    policy.replicas = 3
    edit(&policy)
    let command = CreateCollection(name: "c", shards: shards, policy: policy, labels: [], tenant: "")
    guard case .refused(let refusal) = model.order(.createCollection(command)) else {
      throw Refusal(.invalid, "it was accepted")
    }
    return refusal
  }

  @Test func whatDoesNotMatterIsLeftOut() throws {
    var model = model()
    model.order(.cordonNode(CordonNode(name: "n0", isOn: true)))
    let refusal = try refusal(&model) {
      $0.replicas = 4
      $0.spread = [SpreadRule(.zone)]
      $0.required = [Label("disk", "ssd")]
    }
    #expect(refusal.message == "spread zone: needs 4 zones with a node, there are 3: 1 short")
    #expect(refusal.witness == [Witness(rule: "spread zone", needed: 4, available: 3)])
  }

  @Test func nodesThatWouldDoAndCannotBeUsedAreTold() throws {
    var model = model()
    for node in ["n0", "n1"] { model.order(.cordonNode(CordonNode(name: node, isOn: true))) }
    model.order(.cordonNode(CordonNode(name: "n5", isOn: true)))
    let refusal = try refusal(&model) { $0.required = [Label("disk", "ssd")] }
    #expect(
      refusal.message
        == "require disk=ssd: needs 3 nodes with disk=ssd that can be used, there are 2 of 4: 1 short; nodes excluded: "
        + "2 without disk=ssd, 2 cordoned")
  }

  @Test func twoRulesThatOnlyTogetherLeaveTooLittleAreBothInTheWitness() throws {
    var model = model()
    // n2 and n5 stand in one zone.
    for node in ["n2", "n5"] {
      model.join(node, "eu/z2/r", disk: 100, labels: [Label("disk", "tape"), Label("old", "")])
    }
    model.run(seconds: 1)
    let refusal = try refusal(&model) {
      $0.replicas = 2
      $0.spread = [SpreadRule(.zone)]
      $0.required = [Label("disk", "tape")]
      $0.rules = [LabelRule("old", .exists)]
    }
    #expect(
      refusal.message
        == "spread zone: needs 2 zones with a node that can be used, there are 1 of 3: 1 short; nodes excluded: "
        + "4 without disk=tape")
    #expect(refusal.witness.map(\.rule) == ["spread zone", "require disk=tape"])
  }

  @Test func rulesThatContradictEachOtherSaySo() throws {
    var model = model()
    let refusal = try refusal(&model) { $0.required = [Label("disk", "ssd"), Label("disk", "hdd")] }
    #expect(refusal.code == .unsatisfiable)
    #expect(refusal.message.hasPrefix("require disk=ssd and require disk=hdd contradict each other"))
    #expect(refusal.witness.map(\.rule) == ["require disk=ssd", "require disk=hdd"])
    let twice = try self.refusal(&model) { $0.required = [Label("disk", "ssd"), Label("disk", "ssd")] }
    #expect(twice.code == .invalid && twice.message == "label disk is given twice")
  }

  @Test func withoutAnyRuleOnlyTheNodesAreCounted() throws {
    var model = model()
    let few = try refusal(&model) { $0.replicas = 7 }
    #expect(few.message == "replicas 7: needs 7 nodes, there are 6: 1 short")
    model.order(.cordonNode(CordonNode(name: "n0", isOn: true)))
    let cordoned = try refusal(&model) { $0.replicas = 6 }
    #expect(
      cordoned.message == "replicas 6: needs 6 nodes that can be used, there are 5: 1 short; nodes excluded: 1 cordoned"
    )
  }

  @Test func roomForAllShardsIsCountedInPlaces() throws {
    var model = model()
    let refusal = try refusal(&model, shards: 10) {
      $0.weights = [Amount("disk", 40)]
      $0.spread = [SpreadRule(.zone)]
    }
    #expect(refusal.message == "capacity disk: needs 30 places for a replica with disk=40, there are 12: 18 short")
    #expect(refusal.witness == [Witness(rule: "capacity disk", needed: 30, available: 12)])
  }
}
