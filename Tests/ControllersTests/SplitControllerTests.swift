import MusterCluster
import MusterControllers
import MusterWorkload
import Testing

/// Splits and growth under the real controllers.
@Suite struct SplitControllerTests {
  private func cluster(seed: UInt64 = 1, nodes: Int = 6, splits: Bool = true) -> ClusterModel {
    var model = ClusterModel(seed: seed)
    for number in 1...nodes { model.join("n\(number)", "eu/z\(number % 3)/r\(number)", splits: splits) }
    _ = model.create("orders", shards: 4)
    model.run(seconds: 2)
    return model
  }

  private func grow(_ model: inout ClusterModel, _ shards: UInt32) -> Outcome {
    model.order(.setShardCount(SetShardCount(name: "orders", shards: shards)))
  }

  private func ranges(_ state: State) -> [KeyRange] {
    let row = state.collections[1]
    return row.owners.map { row.range(of: state.shards[$0].index) }.sorted(by: KeyRange.isWider)
  }

  @Test func aCollectionGrowsTheWidestAndLowestFirst() throws {
    var model = cluster()
    #expect(model.state.collections[1].owningCount == 4)
    _ = grow(&model, 11)
    model.run(seconds: 60)
    #expect(model.isWhole)
    let row = model.state.collections[1]
    #expect(row.owningCount == 11 && row.wantedShards == 0)
    // All four were split once, then the three lowest halves again.
    #expect(ranges(model.state).map(\.modulus) == [8, 8, 8, 8, 8] + Array(repeating: 16, count: 6))
    #expect(ranges(model.state).prefix(5).map(\.residue) == [3, 4, 5, 6, 7])
    #expect(!row.owners.contains { row.isPruningDue($0) })
    #expect(grow(&model, 11) == .unchanged)
  }

  @Test func growthThatIsInterruptedComesToTheSameShards() throws {
    var expected: [KeyRange]?
    for seed in 1...12 as ClosedRange<UInt64> {
      var model = cluster(seed: seed)
      var random = SeededGenerator(seed: seed)
      model.isSlow = true
      _ = grow(&model, 9)
      for _ in 0..<30 {
        model.run(seconds: Double(random.below(30)) / 10)
        switch random.below(4) {
        case 0: model.restartServer()
        case 1:
          let node = "n\(1 + random.below(6))"
          model.kill(node)
          model.run(seconds: Double(1 + random.below(80)) / 10)
          model.revive(node)
        case 2:
          let move = 1 + random.below(max(1, Int(model.state.moves.nextID) - 1))
          model.order(.advanceMove(AdvanceMove(move: MoveID(move), step: .cancelled)))
        default: break
        }
      }
      model.isSlow = false
      model.run(seconds: 300)
      #expect(model.isWhole, "seed \(seed)")
      #expect(model.state.digest == model.state.computedDigest())
      let found = ranges(model.state)
      #expect(found.count == 9)
      #expect(expected == nil || expected == found, "seed \(seed): \(found.map(\.words))")
      expected = found
    }
  }

  @Test func aSplitWhoseNodeIsLostIsCalledOffAndTheShardGoesOn() {
    var model = cluster()
    model.isSlow = true
    model.order(.splitShard(SplitShard(collection: "orders", index: 0)))
    let leader = model.state.nodeName(model.state.shards[1].leader)
    model.kill(leader)
    model.run(seconds: 90)
    #expect(model.isWhole)
    #expect(model.state.collections[1].owningCount == 4, "it was called off, or its node was not lost")
    #expect(model.state.shards[1].epoch > 1)
  }

  @Test func hostsThatCannotSplitAreNamedInAnAlarm() throws {
    var model = cluster()
    _ = grow(&model, 8)
    // One comes back with another host before anything was split.
    let name = model.state.nodeName(model.state.shards[4].replicas[0].node)
    model.order(
      .joinNode(
        JoinNode(
          name: name, domain: "eu/z\(Int(name.dropFirst())! % 3)/r\(name.dropFirst())", labels: [],
          capacity: [Amount("disk", 1 << 40)], address: "", heartbeatMilliseconds: 500)), by: name, .node)
    model.run(seconds: 60)
    let alarm = try #require(model.state.alarmID(named: "growth/orders"))
    #expect(model.state.alarms[alarm].isRaised)
    #expect(model.state.alarms[alarm].message.contains(name))
    model.join(name, "eu/z\(Int(name.dropFirst())! % 3)/r\(name.dropFirst())")
    model.run(seconds: 120)
    #expect(!model.state.alarms[alarm].isRaised)
    #expect(model.state.collections[1].owningCount == 8)
  }

  /// What the controllers do is what was planned: the same shards with the same ranges.
  @Test(arguments: [5, 7, 8, 11, 16, 33] as [UInt32])
  func growthIsDoneAsItIsPlanned(_ shards: UInt32) throws {
    var model = cluster()
    let plan = try model.plan(shards: shards)
    #expect(plan.steps.count == Int(shards) - 4 && plan.obstacles.isEmpty)
    #expect(plan.steps.allSatisfy { $0.isSplit && $0.redundancy == 3 })
    #expect(plan.lowestRedundancy == 3)
    #expect(model.state.collections[1].wantedShards == 0, "a plan writes nothing")
    _ = grow(&model, shards)
    // What is under way is no step any more, and what it leads to is.
    model.run(seconds: 3)
    let rest = try PlacementAdvisor().plan(PlanQuestion(), in: model.state).steps
    if !rest.isEmpty { #expect(rest.map(\.shard) == plan.steps.suffix(rest.count).map(\.shard)) }
    model.run(seconds: 120)
    let row = model.state.collections[1]
    #expect(row.owningCount == shards)
    let made = row.children.enumerated().map { place, child in
      "\(model.state.shardName(child.parent)) orders/\(Int(row.shardCount) + place)"
    }
    #expect(Set(plan.steps.map { "\($0.shard) \($0.partner)" }) == Set(made))
  }

  @Test func whatKeepsAShardFromBeingSplitIsAnObstacleOfThePlan() throws {
    var model = cluster()
    let node = model.state.nodeName(model.state.shards[1].leader)
    model.order(.cordonNode(CordonNode(name: node, isOn: true)))
    var question = PlanQuestion()
    question.shards = [SetShardCount(name: "orders", shards: 8)]
    let plan = try PlacementAdvisor().plan(question, in: model.state)
    #expect(plan.obstacles.contains { $0.hasPrefix("orders/0 cannot be split: node \(node)") }, "\(plan.obstacles)")
    question.shards = [SetShardCount(name: "orders", shards: 0)]
    #expect(throws: Refusal.self) { try PlacementAdvisor().plan(question, in: model.state) }
  }

  @Test func growthIsCalledOffWithThePresentNumber() {
    var model = cluster()
    _ = grow(&model, 400)
    model.run(seconds: 3)
    let now = model.state.collections[1].owningCount
    #expect(now > 4 && now < 400)
    _ = grow(&model, now)
    model.run(seconds: 30)
    #expect(model.state.collections[1].owningCount <= now + 4, "what was under way came to its end")
    #expect(model.state.collections[1].wantedShards == 0)
    #expect(model.isWhole)
  }
}
