import MusterCluster
import MusterControllers
import Testing

/// Alarms about shards that are short of what their collection promises.
@Suite struct AvailabilityTests {
  /// One node in each of three zones, and a collection of three replicas of which two acknowledge.
  private func model(shards: UInt32 = 5) throws -> ClusterModel {
    var model = ClusterModel()
    // Else most of the cluster would fall silent at once, and not be believed.
    for spare in 0..<4 { model.join("spare\(spare)", "eu/z3/r", disk: 0) }
    for zone in 0..<3 { model.join("n\(zone)", "eu/z\(zone)/r") }
    guard case .committed = model.create("orders", shards: shards) else {
      Issue.record("the collection was refused")
      return model
    }
    model.run(seconds: 3)
    try #require(model.isWhole)
    return model
  }

  private func raised(_ model: ClusterModel) -> [String: String] {
    Dictionary(uniqueKeysWithValues: model.state.raisedAlarms().map { ($0.name, $0.message) })
  }

  /// How often an alarm was raised and cleared.
  private func changes(_ model: ClusterModel, of name: String) -> Int {
    model.commits.flatMap(\.events).count { event in
      switch event {
      case .alarmRaised(let event): event.name == name
      case .alarmCleared(let event): event.name == name
      default: false
      }
    }
  }

  @Test func shardsThatNoElectionBringsBackAreAnAlarmUntilTheyAreLedAgain() throws {
    var model = try model()
    for zone in 0..<3 { model.kill("n\(zone)") }
    model.run(seconds: 30)
    let message = try #require(raised(model)["unavailable/orders"])
    #expect(
      message.hasPrefix("5 shards of orders have no leader, and no election brings one back: orders/0, orders/1, "))
    #expect(message.contains("and 2 more") && message.contains("muster recover plan"))
    #expect(raised(model)["min-in-sync/orders"] == nil, "they are counted once")
    #expect(changes(model, of: "unavailable/orders") == 1)
    for zone in 0..<3 { model.revive("n\(zone)") }
    model.run(seconds: 30)
    #expect(raised(model).isEmpty, "\(raised(model))")
    #expect(changes(model, of: "unavailable/orders") == 2)
  }

  @Test func shardsThatTakeNoWritesAreAnAlarm() throws {
    var model = try model(shards: 1)
    let row = model.state.shards[1]
    for replica in row.replicas where replica.node != row.leader { model.kill(model.state.nodeName(replica.node)) }
    model.run(seconds: 30)
    let message = raised(model)["min-in-sync/orders"]
    #expect(message == "1 shard of orders takes no writes: fewer than 2 replicas in sync live: orders/0")
    #expect(raised(model)["unavailable/orders"] == nil)
  }

  @Test func aReplicaWithoutAPlaceIsAnAlarmOnceRepairShouldHaveBegun() throws {
    var model = try model(shards: 2)
    model.kill("n0")
    model.run(seconds: 50)
    #expect(raised(model).isEmpty, "repair waits still: \(raised(model))")
    model.run(seconds: 40)
    let message = try #require(raised(model)["no-place/orders"])
    #expect(message.hasPrefix("2 shards of orders lack a replica and there is no place for one: orders/0, orders/1; "))
    model.restartServer()
    model.run(seconds: 90)
    #expect(changes(model, of: "no-place/orders") == 1, "a new run takes over what was said")
    model.join("n9", "eu/z0/r")
    model.run(seconds: 60)
    #expect(raised(model).isEmpty && changes(model, of: "no-place/orders") == 2)
  }

  @Test func shardsThatFindNoFirstPlaceAreAnAlarm() throws {
    var model = ClusterModel()
    for zone in 0..<3 { model.join("n\(zone)", "eu/z\(zone)/r") }
    model.run(seconds: 1)
    // One commit places a thousand.
    _ = model.create("wide", shards: 1003)
    for zone in 0..<3 { model.order(.cordonNode(CordonNode(name: "n\(zone)", isOn: true))) }
    model.run(seconds: 8)
    let message = try #require(raised(model)["unplaced/wide"])
    #expect(message.hasPrefix("3 shards of wide find no first place: wide/1000, wide/1001, wide/1002; "))
    let question = ExplainQuestion(collection: "wide", index: 1000)
    let report = try PlacementAdvisor().explain(question, 1001, in: model.state)
    #expect(
      report.movement.hasPrefix("the shard is not placed: replicas 3: needs 3 nodes that can be used, there are 0"))
    for zone in 0..<3 { model.order(.cordonNode(CordonNode(name: "n\(zone)", isOn: false))) }
    model.run(seconds: 8)
    #expect(raised(model).isEmpty && changes(model, of: "unplaced/wide") == 2)
  }

  @Test func anElectionOrAShortAbsenceIsNoAlarm() throws {
    var model = try model()
    for _ in 0..<3 {
      model.kill("n0")
      model.run(seconds: 8)
      model.revive("n0")
      model.run(seconds: 10)
    }
    for kind in ["unavailable", "min-in-sync", "no-place"] { #expect(changes(model, of: "\(kind)/orders") == 0) }
  }

  @Test func theAlarmOfACollectionThatIsGoneIsCleared() throws {
    var model = try model()
    for zone in 0..<3 { model.kill("n\(zone)") }
    model.run(seconds: 30)
    #expect(raised(model)["unavailable/orders"] != nil)
    model.order(.deleteCollection(DeleteCollection(name: "orders")))
    model.run(seconds: 2)
    #expect(raised(model)["unavailable/orders"] == nil)
  }
}
