import MusterCluster
import MusterControllers
import MusterWorkload
import Testing

/// Properties that rebalancers are known to be judged by: no goal made worse, nothing left on dead nodes, a new node
/// moves nothing among the old ones, and a fixed input reaches a fixed point.
@Suite struct BalanceTests {
  /// A cluster of collections with different weights, balanced or not.
  private func cluster(_ seed: UInt64, equal: Bool) -> ClusterModel {
    var random = SeededGenerator(seed: seed)
    var model = ClusterModel(seed: seed)
    for node in 0..<(6 + 3 * random.below(3)) {
      model.join("n\(node)", "eu/z\(node % 3)/r\(node)", disk: equal ? 10_000 : UInt64(10_000 + random.below(10_000)))
    }
    for collection in 0..<(1 + random.below(4)) {
      let weight = equal ? 10 : UInt64(1 + random.below(40))
      _ = model.create("c\(collection)", shards: UInt32(3 + random.below(30)), disk: weight)
    }
    model.run(seconds: 1)
    return model
  }

  private func fullness(_ model: ClusterModel) -> [Double] {
    (1..<model.state.nodes.nextID).map { node in
      let load = model.state.load(node)
      return Double(load.used[0]) / Double(load.capacity[0])
    }
  }

  private func balance(_ model: inout ClusterModel) {
    model.order(.setBalancing(SetBalancing(mode: .running)))
    model.run(seconds: 120)
    #expect(model.state.cluster[1].balancing == .off, "it ends")
  }

  @Test(arguments: 1...20 as ClosedRange<UInt64>)
  func nothingIsMadeWorseAndItEnds(_ seed: UInt64) {
    var model = cluster(seed, equal: false)
    model.join("x", "eu/z\(seed % 3)/x", disk: 15_000)
    model.run(seconds: 0.5)
    let before = fullness(model).max() ?? 0
    balance(&model)
    #expect(fullness(model).max() ?? 0 <= before)
    #expect(BalancePlanner.plan(model.state, limit: 100).isEmpty, "a plan after the plan is empty")
    let moves = model.events("MoveStarted")
    balance(&model)
    #expect(model.events("MoveStarted") == moves)
    #expect(model.isWhole)
  }

  @Test(arguments: 1...20 as ClosedRange<UInt64>)
  func aNewNodeMovesNothingAmongTheOldOnesAndTakesItsShare(_ seed: UInt64) {
    var model = cluster(seed, equal: true)
    balance(&model)
    let settled = model.events("MoveStarted")
    model.join("x", "eu/z0/x", disk: 10_000)
    model.run(seconds: 0.5)
    let zone = (1..<model.state.nodes.nextID).filter { model.state.nodes[$0].domain.hasPrefix("eu/z0") }
    let total = zone.reduce(0) { $0 + Int(model.state.load($1).replicas) }
    balance(&model)
    let counts = zone.map { Int(model.state.load($0).replicas) }
    #expect((counts.max() ?? 0) - (counts.min() ?? 0) <= 1, "\(counts)")
    // As few as can be: only what the new node takes, and that no more than its share.
    #expect(model.events("MoveStarted") - settled == model.replicas("x"))
    #expect(model.replicas("x") <= total / zone.count)
  }

  @Test(arguments: 1...10 as ClosedRange<UInt64>)
  func nothingIsLeftOnADeadNodeAndOnlyItsReplicasMove(_ seed: UInt64) {
    var model = cluster(seed, equal: true)
    let lost = model.replicas("n1")
    model.order(
      .setConfig(SetConfig(key: "system/repair-delay-seconds", scope: ScopeName(.cluster), value: .integer(1))))
    model.kill("n1")
    model.run(seconds: 100)
    #expect(model.replicas("n1") == 0)
    #expect(model.events("MoveStarted") == lost)
    #expect(model.isWhole)
  }
}
