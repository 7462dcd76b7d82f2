import MusterCluster
import MusterControllers
import Testing

/// What the repair controller does when the rules change under the replicas, and how much at once.
@Suite struct RepairTests {
  private func model(shards: UInt32 = 12, perZone: Int = 2, disk: UInt64 = 1) -> ClusterModel {
    var model = ClusterModel()
    for node in 0..<(3 * perZone) {
      model.join("n\(node)", "eu/z\(node % 3)/r\(node)", labels: [Label("disk", "ssd")])
    }
    guard case .committed = model.create("orders", shards: shards, disk: disk) else {
      Issue.record("the collection was refused")
      return model
    }
    model.run(seconds: 1)
    return model
  }

  private func change(_ model: inout ClusterModel, _ edit: (inout Policy) -> Void) -> Outcome {
    var policy = model.state.collections[1].policy
    edit(&policy)
    return model.order(.changeCollection(ChangeCollection(name: "orders", policy: policy, labels: [])))
  }

  private func key(_ model: inout ClusterModel, _ key: String, _ value: Int64) {
    model.order(.setConfig(SetConfig(key: key, scope: ScopeName(.cluster), value: .integer(value))))
  }

  /// The most moves under way at any commit, and the most that touch one node.
  private func busiest(_ model: ClusterModel) -> (cluster: Int, node: Int) {
    var underWay: [MoveID: [NodeID]] = [:]
    var most = (cluster: 0, node: 0)
    for event in model.commits.flatMap(\.events) {
      switch event {
      case .moveStarted(let event): underWay[event.move] = [event.source, event.target]
      case .moveAdvanced(let event) where event.step.isOver: underWay[event.move] = nil
      default: continue
      }
      let touched = underWay.values.flatMap(\.self)
      most.cluster = max(most.cluster, underWay.count)
      most.node = max(most.node, Dictionary(grouping: touched, by: \.self).values.map(\.count).max() ?? 0)
    }
    return most
  }

  @Test func whatANodeThatCameBackWithLessCannotCarryGoesElsewhereAndNoMore() throws {
    var model = model(shards: 24, disk: 10)
    let had = model.replicas("n4")
    #expect(had > 6)
    model.join("n4", "eu/z1/r4", disk: 60, labels: [Label("disk", "ssd")])
    model.run(seconds: 0.2)
    let alarm = try #require(model.state.alarmID(named: "over-capacity/n4"))
    #expect(model.state.alarms[alarm].isRaised)
    #expect(model.state.alarms[alarm].message.hasPrefix("n4 holds disk=\(had * 10) of 60: "))
    model.run(seconds: 60)
    #expect(model.replicas("n4") == 6, "not one more than is too much")
    #expect(model.events("MoveStarted") == Int(had) - 6)
    #expect(!model.state.alarms[alarm].isRaised)
    #expect(model.isWhole)
    let why = model.commits.first { $0.events.contains { $0.name == "MoveStarted" } }?.reason
    #expect(why?.arguments == ["node=n4", "rule=capacity disk"])
  }

  @Test func whatFindsNoOtherPlaceStaysAndIsTold() throws {
    var model = model(perZone: 1, disk: 10)
    model.join("n1", "eu/z1/r1", disk: 50, labels: [Label("disk", "ssd")])
    model.run(seconds: 60)
    #expect(model.replicas("n1") == 12 && model.events("MoveStarted") == 0)
    let alarm = try #require(model.state.alarmID(named: "over-capacity/n1"))
    #expect(model.state.alarms[alarm].isRaised)
    let words = try PlacementAdvisor().explain(ExplainQuestion(collection: "orders", index: 0), 1, in: model.state)
    #expect(words.movement.hasPrefix("the replica on n1 breaks the rule capacity disk: "), "\(words.movement)")
    model.join("n1", "eu/z1/r1", disk: 500, labels: [Label("disk", "ssd")])
    model.run(seconds: 1)
    #expect(!model.state.alarms[alarm].isRaised)
  }

  @Test func replicasFollowALabelThatChanged() {
    var model = model()
    guard case .committed = change(&model, { $0.rules = [LabelRule("disk", .isIn, ["ssd"])] }) else {
      Issue.record("the policy was refused")
      return
    }
    model.run(seconds: 2)
    #expect(model.events("MoveStarted") == 0)
    #expect(model.replicas("n4") > 0)
    model.join("n4", "eu/z1/r4", labels: [Label("disk", "hdd")])
    model.run(seconds: 30)
    #expect(model.replicas("n4") == 0)
    #expect(model.isWhole)
    let why = model.commits.first { $0.events.contains { $0.name == "MoveStarted" } }?.reason
    #expect(why?.kind == .replicaMisplaced && why?.arguments == ["node=n4", "rule=require disk in (ssd)"])
  }

  @Test func replicasFollowANodeThatCameBackInAnotherZone() {
    var model = model(perZone: 3)
    let before = model.replicas("n4")
    #expect(before > 0)
    model.join("n4", "eu/z0/r4", labels: [Label("disk", "ssd")])
    model.run(seconds: 60)
    #expect(model.isWhole)
    for shard in 1..<model.state.shards.nextID {
      let zones = model.state.shards[shard].replicas.map { model.state.load($0.node).domain(.zone) }
      #expect(Set(zones).count == 3)
    }
  }

  @Test func whereThereAreTooManyTheOneThatStandsWrongGoesFirst() {
    var model = ClusterModel()
    for node in 0..<6 { model.join("n\(node)", "eu/z\(node % 3)/r\(node)") }
    guard case .committed = model.create("orders", shards: 6, replicas: 4, spread: []) else {
      Issue.record("the collection was refused")
      return
    }
    model.run(seconds: 1)
    // Every zone is taken then: the second replica of a zone finds no other place, and must not wait for one.
    guard case .committed = change(&model, { ($0.replicas, $0.spread) = (3, [SpreadRule(.zone)]) }) else {
      Issue.record("the policy was refused")
      return
    }
    model.run(seconds: 60)
    #expect(model.isWhole)
    for shard in 1..<model.state.shards.nextID {
      let zones = model.state.shards[shard].replicas.map { model.state.load($0.node).domain(.zone) }
      #expect(Set(zones).count == 3)
    }
  }

  @Test func replicasTooManyAreLetGoAndNeverTheLeaders() {
    var model = model()
    let leaders = (1..<model.state.shards.nextID).map { model.state.shards[$0].leader }
    guard case .committed(let order) = change(&model, { ($0.replicas, $0.minInSync) = (2, 1) }) else {
      Issue.record("the policy was refused")
      return
    }
    model.run(seconds: 2)
    #expect(model.isWhole)
    #expect((1..<model.state.shards.nextID).map { model.state.shards[$0].leader } == leaders)
    #expect(model.events("ReplicaRemoved") == 12 && model.events("ReplicaAdded") == 0)
    let starts = model.commits.filter { $0.events.contains { $0.name == "MoveStarted" } }
    #expect(starts.count == 12)
    #expect(starts.allSatisfy { $0.reason?.kind == .replicaSurplus && $0.cause == order.revision })
    let loads = (0..<6).map { model.replicas("n\($0)") }
    #expect((loads.max() ?? 0) - (loads.min() ?? 0) <= 1, "the fullest nodes let go first: \(loads)")
  }

  @Test func aLostReplicaIsTheFirstToBeLetGo() {
    var model = model()
    model.kill("n1")
    model.run(seconds: 10)
    _ = change(&model) { ($0.replicas, $0.minInSync) = (2, 1) }
    model.run(seconds: 20)
    #expect(model.replicas("n1") == 0)
    #expect(model.events("ReplicaAdded") == 0, "what is not needed is not copied")
    #expect(model.isWhole)
  }

  @Test func onlyWhatIsTooMuchGoesWithoutAnotherInItsPlace() {
    var model = model()
    let row = model.state.shards[1]
    for replica in row.replicas {
      let command = StartMove(collection: "orders", index: 0, source: model.state.nodeName(replica.node), target: "")
      guard case .refused(let refusal) = model.order(.startMove(command)) else {
        Issue.record("a replica that is wanted went")
        return
      }
      #expect(refusal.code == .conflict)
    }
  }

  @Test func movesKeepToTheirBudgets() {
    var model = model(shards: 30)
    key(&model, "system/moves/recovery", 5)
    key(&model, "system/moves/recovery-per-node", 2)
    model.isSlow = true
    model.order(.drainNode(DrainNode(name: "n1", isOn: true)))
    model.run(seconds: 120)
    #expect(model.state.nodes[2].state == .drained)
    #expect(busiest(model) == (2, 2), "every move reads from the node that drains")
  }

  @Test func bytesAreABudgetToo() {
    var model = model(shards: 30, disk: 1 << 30)
    key(&model, "system/moves/recovery-bytes", 3 << 30)
    model.isSlow = true
    model.order(.drainNode(DrainNode(name: "n1", isOn: true)))
    model.run(seconds: 120)
    #expect(model.state.nodes[2].state == .drained)
    #expect(busiest(model).cluster == 3)
  }

  @Test func aReplicaLargerThanTheBudgetMovesAlone() {
    var model = model(shards: 6, disk: 1 << 30)
    key(&model, "system/moves/recovery-bytes-per-zone", 1)
    model.order(.drainNode(DrainNode(name: "n1", isOn: true)))
    model.run(seconds: 120)
    #expect(model.state.nodes[2].state == .drained)
    #expect(busiest(model).cluster == 1)
  }

  @Test func aBudgetOfNothingHoldsEverythingButOrders() {
    var model = model()
    key(&model, "system/moves/recovery", 0)
    model.order(.drainNode(DrainNode(name: "n1", isOn: true)))
    model.run(seconds: 10)
    #expect(model.events("MoveStarted") == 0)
    let row = model.state.shards[1]
    let source = row.replicas.map(\.node).first { $0 == 2 || $0 == 5 } ?? 0
    let target: NodeID = source == 2 ? 5 : 2
    model.order(.drainNode(DrainNode(name: "n1", isOn: false)))
    model.order(
      .startMove(
        StartMove(
          collection: "orders", index: 0, source: model.state.nodeName(source), target: model.state.nodeName(target))))
    model.run(seconds: 5)
    #expect(model.events("MoveStarted") == 1)
    #expect(model.isWhole)
  }
}
