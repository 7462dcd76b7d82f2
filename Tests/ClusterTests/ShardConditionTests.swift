import MusterCluster
import MusterControllers
import MusterWorkload
import Testing

/// When a shard is led, available or lost, and what is said of what may be lost.
@Suite struct ShardConditionTests {
  private var state = State()

  init() {
    for zone in 0..<3 {
      ask(
        .joinNode(
          JoinNode(
            name: "n\(zone)", domain: "eu/z\(zone)/r", labels: [], capacity: [], address: "",
            heartbeatMilliseconds: 500, abilities: .splits)), .node)
      report(NodeID(zone + 1), .up)
    }
    var policy = Policy()
    (policy.replicas, policy.minInSync) = (3, 2)
    ask(.createCollection(CreateCollection(name: "c", shards: 1, policy: policy, labels: [], tenant: "")), .person)
    for node in 1...3 as ClosedRange<NodeID> {
      var word = ReportReplicas()
      (word.node, word.incarnation, word.opened) = (node, 1, [1])
      ask(.reportReplicas(word), .node)
    }
  }

  private mutating func ask(_ command: Command, _ kind: PrincipalKind) {
    let context = RequestContext(principal: "p", kind: kind, assurance: .own, wallTime: 1_000_000, reason: nil)
    if case .refused(let refusal) = state.execute(Request(command), context, PlacementPlanner()) {
      Issue.record("\(refusal.message)")
    }
  }

  private mutating func report(_ node: NodeID, _ health: NodeState) {
    ask(
      .reportNodeHealth(ReportNodeHealth(node: node, incarnation: 1, state: health, silentMilliseconds: 1)), .controller
    )
  }

  /// The node that leads, and the two that follow.
  private var nodes: [NodeID] {
    let row = state.shards[1]
    return [row.leader] + row.replicas.filter { $0.node != row.leader }.map(\.node)
  }

  private mutating func lose(_ node: NodeID) {
    report(node, .suspect)
    report(node, .down)
  }

  private mutating func fallBehind(_ follower: NodeID) {
    var word = ReportReplicas()
    (word.node, word.incarnation) = (state.shards[1].leader, 1)
    word.followers = [FollowerWord(shard: 1, node: follower, epoch: state.shards[1].epoch, isInSync: false)]
    ask(.reportReplicas(word), .node)
  }

  private func expect(
    available: UInt64, leaderless: UInt64, underReplicated: UInt64, _ location: SourceLocation = #_sourceLocation
  ) throws {
    let status = state.statusReport()
    #expect(status.availableShards == available, sourceLocation: location)
    #expect(status.leaderlessShards == leaderless, sourceLocation: location)
    #expect(status.underReplicatedShards == underReplicated, sourceLocation: location)
    for (name, count) in [("available", available), ("leaderless", leaderless), ("underReplicated", underReplicated)] {
      #expect(try Expression("count(shards where \(name)) == \(count)").holds(in: state), sourceLocation: location)
    }
  }

  @Test mutating func aShardWhoseLeaderIsDownIsLeaderlessThoughItsRowNamesOne() throws {
    try expect(available: 1, leaderless: 0, underReplicated: 0)
    let leader = nodes[0]
    report(leader, .suspect)
    try expect(available: 0, leaderless: 0, underReplicated: 1)
    report(leader, .down)
    #expect(state.shards[1].leader == leader)
    try expect(available: 0, leaderless: 1, underReplicated: 1)
  }

  @Test mutating func aLeaderWithoutEnoughInSyncTakesNoWrites() throws {
    let (first, second) = (nodes[1], nodes[2])
    lose(first)
    try expect(available: 1, leaderless: 0, underReplicated: 1)
    lose(second)
    try expect(available: 0, leaderless: 0, underReplicated: 1)
  }

  @Test mutating func aShardThatNobodyHasOpenedIsNotAvailable() throws {
    var policy = Policy()
    policy.replicas = 1
    ask(.createCollection(CreateCollection(name: "d", shards: 1, policy: policy, labels: [], tenant: "")), .person)
    try expect(available: 1, leaderless: 0, underReplicated: 0)
  }

  // MARK: What may be lost

  private func loss() throws -> LostShard { try #require(state.lostShards().first) }

  @Test mutating func aSurvivorInSyncMayLackWhatOnlyTheOthersAcknowledged() throws {
    let (leader, follower, survivor) = (nodes[0], nodes[1], nodes[2])
    lose(leader)
    lose(follower)
    let missing = [leader, follower].sorted().map { state.nodeName($0) }
    let lost = try loss()
    #expect(lost.survivors == [state.nodeName(survivor)])
    #expect(Set(lost.missing) == Set(missing))
    let names = lost.missing.joined(separator: ", ")
    #expect(lost.loss == "what only \(names) acknowledged; bring 1 of \(names) back: that loses nothing")
  }

  @Test mutating func aSurvivorThatFellBehindLacksWhatWasWrittenSince() throws {
    let (leader, follower, behind) = (nodes[0], nodes[1], nodes[2])
    fallBehind(behind)
    lose(leader)
    lose(follower)
    let lost = try loss()
    #expect(lost.survivors == [state.nodeName(behind)])
    #expect(lost.loss.hasPrefix("what was written since \(state.nodeName(behind)) fell behind; bring "))
  }

  @Test mutating func withNobodyLeftWhoeverComesBackLosesNothing() throws {
    let all = nodes
    fallBehind(all[1])
    fallBehind(all[2])
    for node in all { lose(node) }
    let lost = try loss()
    let leader = state.nodeName(all[0])
    #expect(lost.survivors.isEmpty && lost.missing == [leader])
    #expect(lost.loss == "everything, unless one comes back; bring \(leader) back: it loses nothing")
  }

  @Test mutating func anEmptyLearnerIsTheLastOfTheSurvivors() throws {
    ask(
      .joinNode(
        JoinNode(
          name: "n3", domain: "eu/z3/r", labels: [], capacity: [], address: "", heartbeatMilliseconds: 500,
          abilities: .splits)), .node)
    report(4, .up)
    let (leader, follower, behind) = (nodes[0], nodes[1], nodes[2])
    ask(
      .startMove(StartMove(collection: "c", index: 0, source: state.nodeName(leader), target: "n3")), .person)
    fallBehind(behind)
    lose(leader)
    lose(follower)
    #expect(try loss().survivors == [state.nodeName(behind), "n3"])
    lose(behind)
    let lost = try loss()
    #expect(lost.survivors == ["n3"])
    #expect(lost.loss.hasPrefix("everything: n3 never had the data; bring "))
  }
}
