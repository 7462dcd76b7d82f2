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
