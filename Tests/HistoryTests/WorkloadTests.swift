import MusterBytes
import MusterCluster
import MusterWorkload
import Testing

@Suite struct WorkloadTests {
  private func commits(_ seed: UInt64, _ count: Int) -> [[UInt8]] {
    var generator = HistoryGenerator(seed: seed, scale: .init(nodes: 14, shards: 200, rarity: 12))
    return (0..<count).map { _ in generator.next().encoded() }
  }

  @Test func theSameSeedGivesTheSameHistoryAndAnotherSeedAnother() {
    #expect(commits(7, 2000) == commits(7, 2000))
    #expect(commits(7, 200) != commits(8, 200))
  }

  @Test func aLongHistoryHoldsEveryKindOfEvent() {
    var generator = HistoryGenerator(seed: 9, scale: .init(nodes: 14, shards: 200, rarity: 12))
    var seen: Set<String> = []
    for _ in 0..<12_000 { for event in generator.next().events { seen.insert(event.name) } }
    // A node leaves when its agent says so, sessions are forgotten when there are too many of them, replicas are rebuilt
    // when their checksums differ, keys are erased when a tenant goes, and minima are raised, shards split and merged,
    // histories restored and cut by people: the generator has none of these.
    let missing: Set = [
      "NodeLeft", "ReplicaRebuilding", "ReplicaEmptied", "ShardBegunEmpty", "MinimumHeld", "SessionForgotten",
      "TenantKeyErased", "TimelineBegan", "RetentionChanged", "HistoryCut", "SplitStarted", "SplitAdvanced",
      "ShardSplit", "ShardPruned", "ShardCountWanted", "MergeStarted", "MergeAdvanced", "ShardsMerged",
    ]
    #expect(Set(Event.names.filter { !seen.contains($0) }) == missing)
  }

  @Test func theClusterGrowsToItsScaleAndLives() {
    var generator = HistoryGenerator(seed: 10, scale: .init(nodes: 30, shards: 1000))
    for _ in 0..<8000 { _ = generator.next() }
    let status = generator.state.statusReport()
    #expect(generator.state.nodes.count >= 30)
    #expect(status.shards >= 900)
    #expect(status.availableShards * 10 > status.shards * 8, "most shards are led by a node that lives")
  }
}
