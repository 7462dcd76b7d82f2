import MusterCluster
import Testing

/// Who copies from whom.
@Suite struct ShardSourceTests {
  /// A shard led by node 1, with these others.
  private func shard(inSync: [NodeID], behind: [NodeID]) -> ShardRow {
    var row = ShardRow(collection: 1, index: 0)
    row.leader = 1
    row.replicas = ReplicaList(
      [Replica(node: 1, role: .leader, isInSync: true)]
        + inSync.map { Replica(node: $0, role: .follower, isInSync: true) }
        + behind.map { Replica(node: $0, role: .learner) })
    return row
  }

  private func sources(_ row: ShardRow, dead: Set<NodeID> = [], learnersCount: Bool = false) -> [NodeID] {
    row.replicas.map { row.source(of: $0.node, learnersCount: learnersCount) { !dead.contains($0) } }
  }

  @Test func aLearnerInSyncCopiesFromTheLeaderOnlyWhereItsWordCounts() {
    var row = shard(inSync: [2], behind: [3, 4])
    row.replicas[2].isInSync = true
    #expect(sources(row) == [0, 1, 2, 2])
    #expect(sources(row, learnersCount: true) == [0, 1, 1, 2])
    #expect(sources(row, dead: [2]) == [0, 1, 1, 3], "nobody else is there")
  }

  @Test func whoIsInSyncCopiesFromTheLeaderAndOthersFromOneOfThose() {
    #expect(sources(shard(inSync: [2, 3], behind: [4, 5])) == [0, 1, 1, 2, 2])
  }

  @Test func whoIsDownIsNotCopiedFrom() {
    #expect(sources(shard(inSync: [2, 3], behind: [4]), dead: [2]) == [0, 1, 1, 3])
  }

  @Test func besideALoneLeaderOneCopiesFromItAndTheRestFromThatOne() {
    #expect(sources(shard(inSync: [], behind: [2, 3, 4])) == [0, 1, 2, 2])
    #expect(sources(shard(inSync: [], behind: [2, 3, 4]), dead: [2]) == [0, 3, 1, 3])
    #expect(sources(shard(inSync: [2], behind: [3]), dead: [2]) == [0, 1, 1])
  }

  @Test func withoutALeaderNobodyCopies() {
    var row = shard(inSync: [2], behind: [3])
    row.leader = 0
    #expect(sources(row) == [0, 0, 0])
  }
}
