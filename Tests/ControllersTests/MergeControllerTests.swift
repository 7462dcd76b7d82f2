import MusterCluster
import MusterControllers
import MusterWorkload
import Testing

/// Merges and shrinking under the real controllers.
@Suite struct MergeControllerTests {
  private func cluster(seed: UInt64 = 1, shards: UInt32 = 12, splits: Bool = true) -> ClusterModel {
    var model = ClusterModel(seed: seed)
    for number in 1...6 { model.join("n\(number)", "eu/z\(number % 3)/r\(number)", splits: splits) }
    _ = model.create("orders", shards: shards)
    model.run(seconds: 2)
    return model
  }

  @discardableResult
  private func want(_ model: inout ClusterModel, _ shards: UInt32) -> Outcome {
    model.order(.setShardCount(SetShardCount(name: "orders", shards: shards)))
  }

  private func ranges(_ state: State) -> [KeyRange] {
    let row = state.collections[1]
    return row.owners.map { row.range(of: state.shards[$0].index) }.sorted(by: KeyRange.isWider)
  }

  @Test func aCollectionShrinksTheNarrowestAndHighestFirst() {
    var model = cluster()
    want(&model, 9)
    model.run(seconds: 60)
    #expect(model.isWhole)
    let row = model.state.collections[1]
    #expect(row.owningCount == 9 && row.wantedShards == 0 && !row.wantsFewer)
    #expect(row.splitRanges.map(\.index) == [3, 4, 5])
    want(&model, 4)
    model.run(seconds: 60)
    #expect(ranges(model.state).map(\.words) == ["1 of 3", "2 of 3", "0 of 6", "3 of 6"])
    want(&model, 3)
    model.run(seconds: 60)
    #expect(ranges(model.state).map(\.words) == ["0 of 3", "1 of 3", "2 of 3"])
    want(&model, 7)
    model.run(seconds: 60)
    #expect(model.isWhole && model.state.collections[1].owningCount == 7)
    #expect(model.state.digest == model.state.computedDigest())
  }

  @Test(arguments: [11, 9, 7, 5, 4, 3] as [UInt32])
  func shrinkingIsDoneAsItIsPlanned(_ shards: UInt32) throws {
    var model = cluster()
    let plan = try model.plan(shards: shards)
    #expect(plan.steps.count == 12 - Int(shards) && plan.obstacles.isEmpty)
    #expect(plan.steps.allSatisfy { $0.isMerge && !$0.isSplit && $0.redundancy == 3 })
    want(&model, shards)
    model.run(seconds: 120)
    let row = model.state.collections[1]
    #expect(row.owningCount == shards)
    let gone = (0..<row.indexCount).filter { row.isGone($0) }.map { "orders/\($0)" }
    #expect(Set(plan.steps.map(\.partner)) == Set(gone))
  }

  @Test func shrinkingThatIsInterruptedComesToTheSameShards() {
    var expected: [KeyRange]?
    for seed in 1...12 as ClosedRange<UInt64> {
      var model = cluster(seed: seed)
      var random = SeededGenerator(seed: seed)
      model.isSlow = true
      want(&model, 5)
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
      #expect(found.count == 5)
      #expect(expected == nil || expected == found, "seed \(seed): \(found.map(\.words))")
      expected = found
    }
  }

  @Test func aMergeWhoseNodeIsLostIsCalledOffAndBothGoOn() {
    var model = cluster(shards: 2)
    model.isSilentOfMerges = true
    model.order(.mergeShards(MergeShards(collection: "orders", index: 0)))
    model.kill(model.state.nodeName(model.state.shards[2].leader))
    model.run(seconds: 90)
    #expect(model.isWhole)
    #expect(model.state.collections[1].owningCount == 2)
    #expect(model.state.shards[1].move == 0 && model.state.shards[2].move == 0)
  }

  /// The survivor takes no writes before it has more replicas, and gets none while it merges.
  @Test func aMergeUnderAPolicyThatAsksForMoreReplicasThanThereAreIsCalledOff() throws {
    var model = cluster(shards: 2)
    model.isSilentOfMerges = true
    model.order(.mergeShards(MergeShards(collection: "orders", index: 0)))
    var policy = model.state.collections[1].policy
    (policy.replicas, policy.minInSync, policy.spread) = (4, 4, [])
    guard case .committed = model.order(.changeCollection(ChangeCollection(name: "orders", policy: policy, labels: [])))
    else {
      Issue.record("the policy is possible")
      return
    }
    guard case .refused(let why) = model.order(.mergeShards(MergeShards(collection: "orders", index: 0))) else {
      Issue.record("one is under way")
      return
    }
    #expect(why.code == .conflict)
    model.run(seconds: 90)
    #expect(model.isWhole)
    #expect(model.state.shards[1].move == 0 && model.state.shards[1].replicas.count == 4)
    #expect(model.state.collections[1].owningCount == 2)
    // The same once more, before it begins.
    (policy.replicas, policy.minInSync) = (5, 5)
    model.order(.changeCollection(ChangeCollection(name: "orders", policy: policy, labels: [])))
    let early = model.order(.mergeShards(MergeShards(collection: "orders", index: 0)))
    guard case .refused(let reason) = early else {
      Issue.record("it takes no writes")
      return
    }
    #expect(reason.message.contains("4 of the 5"), "\(reason.message)")
  }

  /// The absorbed shard takes no writes meanwhile.
  @Test func aPauseThatComesToNothingIsGivenUp() {
    var model = cluster(shards: 2)
    model.order(.mergeShards(MergeShards(collection: "orders", index: 0)))
    model.run(seconds: 0.1)
    while model.state.moves[1].step != .absorbing { model.step() }
    model.isSilentOfMerges = true
    let since = model.now
    while model.state.moves[1].step == .absorbing, model.now < since + 60_000 { model.step() }
    #expect(model.state.moves[1].step == .copying)
    #expect(model.now >= since + 3000)
    model.isSilentOfMerges = false
    model.run(seconds: 5)
    #expect(model.state.collections[1].owningCount == 1)
  }

  @Test func aPausedLeaderThatIsReplacedIsNotWaitedFor() {
    var model = cluster(shards: 2)
    model.order(.mergeShards(MergeShards(collection: "orders", index: 0)))
    while model.state.moves[1].step != .absorbing { model.step() }
    model.isSilentOfMerges = true
    let row = model.state.shards[2]
    let other = row.replicas.first { $0.node != row.leader }!.node
    model.order(.electLeader(ElectLeader(collection: "orders", index: 1, node: model.state.nodeName(other))))
    model.run(seconds: 1)
    #expect(model.state.shards[2].leader == other && model.state.moves[1].step == .copying)
  }

  @Test func hostsThatCannotMergeAreNamedInAnAlarm() throws {
    var model = cluster(shards: 8)
    want(&model, 4)
    let name = model.state.nodeName(model.state.shards[8].replicas[0].node)
    let domain = "eu/z\(Int(name.dropFirst())! % 3)/r\(name.dropFirst())"
    model.join(name, domain, splits: false)
    model.run(seconds: 60)
    let alarm = try #require(model.state.alarmID(named: "growth/orders"))
    #expect(model.state.alarms[alarm].isRaised)
    #expect(model.state.alarms[alarm].message.contains(name))
    model.join(name, domain)
    model.run(seconds: 120)
    #expect(!model.state.alarms[alarm].isRaised)
    #expect(model.state.collections[1].owningCount == 4)
  }

  @Test func shrinkingIsCalledOffWithThePresentNumber() {
    var model = cluster()
    model.isSlow = true
    want(&model, 3)
    model.run(seconds: 3)
    let now = model.state.collections[1].owningCount
    #expect(now > 3)
    want(&model, now)
    model.run(seconds: 60)
    #expect(model.state.collections[1].owningCount + 4 >= now, "what was under way came to its end")
    #expect(model.state.collections[1].wantedShards == 0 && model.isWhole)
  }

  /// Splits that people ordered meanwhile are no reason to put anything together.
  @Test func growthThatIsOvertakenDoesNotShrink() {
    var model = cluster(shards: 4)
    want(&model, 5)
    for index in 0..<4 { model.order(.splitShard(SplitShard(collection: "orders", index: UInt32(index)))) }
    model.run(seconds: 60)
    #expect(model.state.collections[1].owningCount >= 8 && model.state.collections[1].wantedShards == 0)
  }
}
