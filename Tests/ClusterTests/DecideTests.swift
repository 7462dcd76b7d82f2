import MusterBytes
import MusterCluster
import MusterControllers
import Testing

@Suite struct DecideTests {
  private func threeZones(beat: UInt64 = 0) -> State {
    var state = State()
    for (name, zone) in [("n1", "a"), ("n2", "b"), ("n3", "c")] {
      _ = ask(&state, join(name, zone: zone, beat: beat))
    }
    return state
  }

  @Test func aRetryHasOneEffect() throws {
    var state = State()
    let first = try #require(commit(ask(&state, set("k", "1"), id: ("app", 1))))
    _ = ask(&state, set("k", "2"), id: ("app", 2))
    #expect(ask(&state, set("k", "1"), id: ("app", 1)) == .repeated(first.revision))
    #expect(state.revision == 2)
    #expect(state.configs[1].value == .text("2"))
  }

  @Test func aRetryBelowTheRememberedWindowIsRefused() {
    var state = State()
    for sequence in 1...UInt64(Limits.requestWindow + 1) {
      #expect(commit(ask(&state, set("k", "\(sequence)"), id: ("app", sequence))) != nil)
    }
    #expect(refusal(ask(&state, set("k", "x"), id: ("app", 1))) == .requestForgotten)
    #expect(ask(&state, set("k", "x"), id: ("app", 2)) == .repeated(2))
  }

  @Test func whatChangesNothingMakesNoCommit() {
    var state = threeZones()
    _ = ask(&state, .cordonNode(CordonNode(name: "n1", isOn: true)))
    let revision = state.revision
    #expect(ask(&state, .cordonNode(CordonNode(name: "n1", isOn: true))) == .unchanged)
    #expect(ask(&state, .setMaintenance(SetMaintenance(isOn: false)), id: ("new", 1)) == .unchanged)
    #expect(state.revision == revision)
  }

  @Test func aDryRunSaysWhatWouldHappenAndDoesNothing() {
    var state = threeZones()
    let before = state.digest
    guard case .wouldCommit(let events) = ask(&state, create("c", shards: 2, replicas: 3), dryRun: true) else {
      Issue.record("a dry run answers with events")
      return
    }
    #expect(events.map(\.name).contains("CollectionCreated"))
    #expect(state.digest == before)
  }

  @Test func aBatchIsAllOrNothing() {
    var state = State()
    let good = Batch([set("a", "1"), set("a", "2"), set("b", "3")])
    #expect(commit(ask(&state, .batch(good)))?.events.count == 7 - 1)
    #expect(state.configs[1].value == .text("2"))
    let before = state.digest
    let bad = Batch([set("c", "1"), set("NOT A KEY", "2")])
    #expect(refusal(ask(&state, .batch(bad))) == .invalid)
    #expect(refusal(ask(&state, .batch(Batch([.batch(good)])))) == .invalid)
    #expect(state.digest == before)
  }

  @Test func anOldIncarnationIsFenced() throws {
    var state = threeZones()
    _ = ask(&state, join("n1", zone: "a"))
    let node = try #require(state.nodeID(named: "n1"))
    #expect(state.nodes[node].incarnation == 2)
    #expect(refusal(ask(&state, .leaveNode(LeaveNode(node: node, incarnation: 1)))) == .fenced)
    #expect(commit(ask(&state, .leaveNode(LeaveNode(node: node, incarnation: 2)))) != nil)
    #expect(state.nodes[node].state == .down)
  }

  @Test func onlyAReplicaInSyncMayLead() throws {
    var state = threeZones()
    _ = ask(&state, create("c", shards: 1, replicas: 3))
    let row = state.shards[1]
    let follower = row.replicas[1].node
    var report = ReportReplicas()
    report.node = follower
    report.incarnation = 1
    report.fellBehind = [1]
    #expect(commit(ask(&state, .reportReplicas(report))) != nil)
    let name = state.nodeName(follower)
    #expect(refusal(ask(&state, .electLeader(ElectLeader(collection: "c", index: 0, node: name)))) == .conflict)
    // Its own word does not bring it back: only the leader knows, and only in its own epoch.
    let word = FollowerWord(shard: 1, node: follower, epoch: 1, isInSync: true)
    report.fellBehind = []
    report.followers = [word]
    #expect(commit(ask(&state, .reportReplicas(report))) == nil)
    report.node = row.leader
    report.followers = [FollowerWord(shard: 1, node: follower, epoch: 2, isInSync: true)]
    #expect(commit(ask(&state, .reportReplicas(report))) == nil)
    report.followers = [word]
    #expect(commit(ask(&state, .reportReplicas(report))) != nil)
    #expect(commit(ask(&state, .electLeader(ElectLeader(collection: "c", index: 0, node: name)))) != nil)
    #expect(state.shards[1].leader == follower)
    #expect(state.shards[1].epoch == 2)
  }

  private func setMinimum(_ state: inout State, _ minimum: UInt32) {
    var policy = state.collections[1].policy
    policy.minInSync = minimum
    _ = ask(&state, .changeCollection(ChangeCollection(name: "c", policy: policy, labels: [])))
  }

  private func answersNeeded(_ state: State) -> Int { state.shards[1].answersNeeded(state.collections[1]) }

  @Test func aRaisedMinimumCountsOnlyOnceTheLeaderSaysThatItHolds() throws {
    var state = threeZones()
    _ = ask(&state, create("c", shards: 2, replicas: 3))
    #expect(answersNeeded(state) == 2, "two of three acknowledge")
    setMinimum(&state, 3)
    #expect(answersNeeded(state) == 2, "what was acknowledged before is with two")
    var report = ReportReplicas()
    (report.node, report.incarnation) = (state.shards[1].leader, 1)
    report.minima = [MinimumWord(shard: 1, epoch: 2, raise: 1)]
    #expect(commit(ask(&state, .reportReplicas(report))) == nil, "it is the word of another epoch")
    report.minima = [MinimumWord(shard: 1, epoch: 1, raise: 2), MinimumWord(shard: 9, epoch: 1, raise: 1)]
    #expect(commit(ask(&state, .reportReplicas(report))) == nil, "nobody raised it so often, and there is no shard 9")
    report.minima = [MinimumWord(shard: 1, epoch: 1, raise: 1), MinimumWord(shard: 1, epoch: 1, raise: 1)]
    #expect(commit(ask(&state, .reportReplicas(report)))?.events.map(\.name) == ["MinimumHeld"])
    #expect(answersNeeded(state) == 1, "all three have everything")
    #expect(state.shards[2].answersNeeded(state.collections[1]) == 2, "another shard is another leader's to speak of")
    #expect(state.digest == state.computedDigest())
  }

  @Test func aMinimumThatIsLoweredCountsAtOnceAndAnOldWordHoldsNoNewRaise() throws {
    var state = threeZones()
    _ = ask(&state, create("c", shards: 1, replicas: 3))
    setMinimum(&state, 1)
    #expect(answersNeeded(state) == 3)
    setMinimum(&state, 2)
    #expect(answersNeeded(state) == 3)
    var report = ReportReplicas()
    (report.node, report.incarnation) = (state.shards[1].leader, 1)
    report.minima = [MinimumWord(shard: 1, epoch: 1, raise: 1)]
    setMinimum(&state, 3)
    #expect(commit(ask(&state, .reportReplicas(report))) == nil, "it speaks of the raise to two")
    #expect(answersNeeded(state) == 3, "one replica alone may have acknowledged before either raise")
    report.minima = [MinimumWord(shard: 1, epoch: 1, raise: 2)]
    #expect(commit(ask(&state, .reportReplicas(report))) != nil)
    setMinimum(&state, 2)
    setMinimum(&state, 3)
    #expect(state.collections[1].minimumFloor == 2, "all had held the raise before")
    #expect(answersNeeded(state) == 2)
  }

  @Test func aLeaderThatLostItsDataGivesWayToThoseThatHaveTheirs() throws {
    var state = threeZones()
    _ = ask(&state, create("c", shards: 1, replicas: 3))
    let row = state.shards[1]
    var report = ReportReplicas()
    report.node = row.leader
    report.incarnation = 1
    report.fellBehind = [1, 1, 77]
    // What it says of others at the same time is not believed: it may be all that is left.
    report.followers = row.replicas.filter { $0.node != row.leader }.map {
      FollowerWord(shard: 1, node: $0.node, epoch: 1, isInSync: false)
    }
    let events = commit(ask(&state, .reportReplicas(report)))?.events.map(\.name)
    #expect(events == ["ElectionStarted", "ReplicaFellBehind"])
    #expect(state.shards[1].leader == 0 && state.shards[1].epoch == 2)
    #expect(state.shards[1].replicas.count(where: \.isInSync) == 2)
    #expect(answersNeeded(state) == 2, "one of the two that had a write may have been the one that lost it")
    #expect(state.digest == state.computedDigest())
  }

  @Test func aCopyThatIsLostCountsUntilALeaderSaysThatEnoughHaveEverything() throws {
    var state = threeZones()
    _ = ask(&state, create("c", shards: 1, replicas: 3))
    var report = ReportReplicas()
    (report.node, report.incarnation, report.fellBehind) = (state.shards[1].leader, 1, [1])
    _ = ask(&state, .reportReplicas(report))
    let next = try #require(state.shards[1].replicas.first { $0.isInSync }).node
    let election = Command.concludeElection(ConcludeElection(shard: 1, node: next, epoch: 2, isUnclean: false))
    let controller = RequestContext(
      principal: "election", kind: .controller, assurance: .own, wallTime: 1_000_000, reason: nil)
    let elected = state.execute(Request(election), controller, PlacementPlanner())
    #expect(commit(elected) != nil, "\(elected)")
    #expect(state.shards[1].leader == next && state.collections[1].mustHoldMinimum(state.shards[1]))
    (report.node, report.fellBehind, report.minima) = (next, [], [MinimumWord(shard: 1, epoch: 2, raise: 0)])
    let held = ask(&state, .reportReplicas(report))
    #expect(commit(held)?.events.map(\.name) == ["MinimumHeld"], "\(held)")
    #expect(answersNeeded(state) == 1)
    #expect(commit(ask(&state, .reportReplicas(report))) == nil, "it was said")
    #expect(state.digest == state.computedDigest())
  }

  @Test func whenTheOnlyReplicaInSyncLosesItsDataAPersonSaysWhoLeads() throws {
    var state = threeZones(beat: 500)
    _ = ask(&state, create("c", shards: 1, replicas: 3))
    let row = state.shards[1]
    var report = ReportReplicas()
    (report.node, report.incarnation) = (row.leader, 1)
    for other in row.replicas where other.node != row.leader {
      report.followers.append(FollowerWord(shard: 1, node: other.node, epoch: 1, isInSync: false))
    }
    _ = ask(&state, .reportReplicas(report))
    report.followers = []
    report.fellBehind = [1]
    #expect(commit(ask(&state, .reportReplicas(report))) == nil, "it may come back, and nobody else has everything")
    report.gone = [1]
    let events = commit(ask(&state, .reportReplicas(report)))?.events.map(\.name)
    #expect(events == ["ElectionStarted", "ReplicaFellBehind"])
    #expect(state.isBeyondElection(state.shards[1]))
    let heir = try #require(row.replicas.first { $0.node != row.leader }).node
    let order = RecoverShard(collection: "c", index: 0, node: state.nodeName(heir))
    #expect(commit(ask(&state, .recoverShard(order))) != nil)
    #expect(state.shards[1].leader == heir && state.shards[1].lostCopies == 0)
    #expect(state.shards[1].replicas.filter(\.isInSync).map(\.node) == [heir])
    #expect(state.digest == state.computedDigest())
  }

  /// Of three in sync two acknowledge; the leader and a follower lose their disks before anybody leads again.
  private func twoLostCopies(unclean: Bool) throws -> (state: State, last: NodeID) {
    var state = threeZones(beat: 500)
    var policy = Policy()
    (policy.replicas, policy.minInSync, policy.allowsUncleanElection) = (3, 2, unclean)
    let collection = CreateCollection(name: "c", shards: 1, policy: policy, labels: [], tenant: "")
    _ = ask(&state, .createCollection(collection))
    let leader = state.shards[1].leader
    for replica in state.shards[1].replicas
    where replica.node == leader || replica.node != state.shards[1].replicas[2].node {
      var report = ReportReplicas()
      (report.node, report.incarnation, report.fellBehind) = (replica.node, 1, [1])
      _ = ask(&state, .reportReplicas(report))
    }
    #expect(state.shards[1].leader == 0 && state.shards[1].lostCopies == 2)
    return (state, try #require(state.shards[1].replicas.first { $0.isInSync }).node)
  }

  @Test(arguments: [false, true])
  func whereAsManyCopiesAreLostAsAcknowledgeAWriteOnlyThePolicyOrAnOrderElects(_ isAllowed: Bool) throws {
    var (state, last) = try twoLostCopies(unclean: isAllowed)
    #expect(state.isBeyondElection(state.shards[1]) == !isAllowed)
    func elect(isUnclean: Bool) -> Outcome {
      let command = ConcludeElection(shard: 1, node: last, epoch: 2, isUnclean: isUnclean)
      let controller = RequestContext(
        principal: "election", kind: .controller, assurance: .own, wallTime: 1_000_000, reason: nil)
      return state.execute(Request(.concludeElection(command)), controller, PlacementPlanner())
    }
    #expect(refusal(elect(isUnclean: false)) == .conflict)
    if isAllowed {
      #expect(commit(elect(isUnclean: true))?.events.suffix(2).map(\.name) == ["LeaderElected", "MinimumHeld"])
    } else {
      #expect(refusal(elect(isUnclean: true)) == .conflict)
      let lost = try #require(try state.answer(.recovery(RecoveryQuestion()), PlacementAdvisor()).lost.first)
      #expect(lost.survivors.first == state.nodeName(last))
      #expect(lost.loss == "what only replicas whose data is gone (2) acknowledged")
      let order = RecoverShard(collection: "c", index: 0, node: state.nodeName(last))
      #expect(commit(ask(&state, .recoverShard(order))) != nil)
    }
    #expect(state.shards[1].leader == last && state.shards[1].lostCopies == 0)
    #expect(!state.collections[1].mayMissWrites(state.shards[1]))
    #expect(state.digest == state.computedDigest())
  }

  @Test func aFollowerWhoseDataIsGoneIsNoCopyAndElectionsReckonWithItStill() throws {
    var state = threeZones(beat: 500)
    var policy = Policy()
    (policy.replicas, policy.minInSync) = (3, 2)
    let collection = CreateCollection(name: "c", shards: 1, policy: policy, labels: [], tenant: "")
    _ = ask(&state, .createCollection(collection))
    let leader = state.shards[1].leader
    let followers = state.shards[1].replicas.filter { $0.node != leader }.map(\.node)
    var report = ReportReplicas()
    (report.node, report.incarnation, report.opened) = (followers[0], 1, [1])
    _ = ask(&state, .reportReplicas(report))
    (report.opened, report.fellBehind, report.gone) = ([], [1], [1])
    #expect(commit(ask(&state, .reportReplicas(report)))?.events.map(\.name) == ["ReplicaEmptied"])
    #expect(commit(ask(&state, .reportReplicas(report))) == nil, "it was said")
    let marked = try #require(state.shards[1].replicas.replica(on: followers[0]))
    #expect(marked.isInSync && marked.isEmptied && !marked.isCopy)
    #expect(ShardConditions(state).liveInSync(state.shards[1]) == 2)
    #expect(answersNeeded(state) == 2, "what it acknowledged may be nowhere else but with the leader")
    let electing = ElectLeader(collection: "c", index: 0, node: state.nodeName(followers[0]))
    #expect(refusal(ask(&state, .electLeader(electing))) == .conflict)
    #expect(state.digest == state.computedDigest())
    // Its leader is down: the other follower alone cannot tell.
    let controller = RequestContext(
      principal: "detector", kind: .controller, assurance: .own, wallTime: 1_000_000, reason: nil)
    for next in [NodeState.suspect, .down] {
      let health = ReportNodeHealth(node: leader, incarnation: 1, state: next, silentMilliseconds: 1)
      _ = state.execute(Request(.reportNodeHealth(health)), controller, PlacementPlanner())
    }
    #expect(state.isBeyondElection(state.shards[1]))
    let lost = try #require(try state.answer(.recovery(RecoveryQuestion()), PlacementAdvisor()).lost.first)
    #expect(lost.survivors == [followers[1], followers[0]].map { state.nodeName($0) })
    #expect(lost.missing == [state.nodeName(leader)])
  }

  /// A shard of two whose leader has its data and whose follower is down.
  private func aShardWithoutItsFollower() throws -> (state: State, leader: NodeID, follower: NodeID) {
    var state = threeZones(beat: 500)
    _ = ask(&state, create("c", shards: 1, replicas: 2))
    let leader = state.shards[1].leader
    let follower = try #require(state.shards[1].replicas.first { $0.node != leader }).node
    kill(follower, &state)
    var report = ReportReplicas()
    (report.node, report.incarnation, report.opened) = (leader, 1, [1])
    _ = ask(&state, .reportReplicas(report))
    return (state, leader, follower)
  }

  private func kill(_ node: NodeID, _ state: inout State) {
    let controller = RequestContext(
      principal: "detector", kind: .controller, assurance: .own, wallTime: 1_000_000, reason: nil)
    for next in [NodeState.suspect, .down] {
      let health = ReportNodeHealth(node: node, incarnation: 1, state: next, silentMilliseconds: 1)
      _ = state.execute(Request(.reportNodeHealth(health)), controller, PlacementPlanner())
    }
  }

  @Test func aShardOfWhichNothingIsLeftBeginsAnewByAnOrderOnly() throws {
    var (state, leader, follower) = try aShardWithoutItsFollower()
    let begins = [leader, follower].map {
      Command.recoverShard(
        RecoverShard(collection: "c", index: 0, node: state.nodeName($0), isBegunEmpty: true))
    }
    #expect(refusal(ask(&state, begins[0])) == .conflict, "it has a leader")
    var report = ReportReplicas()
    (report.node, report.incarnation, report.fellBehind, report.gone) = (leader, 1, [1], [1])
    _ = ask(&state, .reportReplicas(report))
    let lost = try #require(try state.answer(.recovery(RecoveryQuestion()), PlacementAdvisor()).lost.first)
    #expect(lost.emptyOn == state.nodeName(leader))
    let survivor = RecoverShard(collection: "c", index: 0, node: state.nodeName(leader))
    #expect(refusal(ask(&state, .recoverShard(survivor))) == .conflict, "it has nothing to lead with")
    #expect(refusal(ask(&state, begins[1])) == .conflict, "it is down")
    let epoch = state.shards[1].epoch
    let events = commit(ask(&state, begins[0]))?.events.map(\.name)
    #expect(events == ["ReplicaRemoved", "ShardBegunEmpty", "MinimumHeld"])
    let row = state.shards[1]
    #expect(row.leader == leader && row.epoch == epoch + 1 && row.replicas.map(\.node) == [leader])
    #expect(row.lostCopies == 0 && !row.replicas[0].isCopy && !row.replicas[0].isOpened)
    (report.opened, report.fellBehind, report.gone) = ([1], [], [])
    _ = ask(&state, .reportReplicas(report))
    #expect(state.shards[1].replicas[0].isCopy)
    #expect(state.digest == state.computedDigest())
  }

  @Test func aShardWhoseNodesAreAllGoneBeginsAnewWhereThereIsRoom() throws {
    var (state, leader, _) = try aShardWithoutItsFollower()
    kill(leader, &state)
    let lost = try #require(try state.answer(.recovery(RecoveryQuestion()), PlacementAdvisor()).lost.first)
    let place = try #require(state.nodeID(named: lost.emptyOn))
    #expect(lost.survivors.isEmpty && state.nodes[place].state.isAlive)
    let order = RecoverShard(collection: "c", index: 0, node: lost.emptyOn, isBegunEmpty: true)
    let events = commit(ask(&state, .recoverShard(order)))?.events.map(\.name)
    #expect(
      events == [
        "ElectionStarted", "ReplicaRemoved", "ReplicaRemoved", "ReplicaAdded", "ShardBegunEmpty", "MinimumHeld",
      ])
    #expect(state.shards[1].replicas.map { state.nodeName($0.node) } == [lost.emptyOn])
    #expect(state.digest == state.computedDigest())
  }

  @Test func whoHasEverythingAgainIsACopyAgain() throws {
    var state = threeZones(beat: 500)
    _ = ask(&state, create("c", shards: 1, replicas: 3))
    let leader = state.shards[1].leader
    let follower = try #require(state.shards[1].replicas.first { $0.node != leader }).node
    var report = ReportReplicas()
    (report.node, report.incarnation, report.opened) = (follower, 1, [1])
    _ = ask(&state, .reportReplicas(report))
    (report.opened, report.fellBehind, report.gone) = ([], [1], [1])
    _ = ask(&state, .reportReplicas(report))
    var word = ReportReplicas()
    (word.node, word.incarnation) = (leader, 1)
    word.followers = [FollowerWord(shard: 1, node: follower, epoch: 1, isInSync: true)]
    #expect(commit(ask(&state, .reportReplicas(word)))?.events.map(\.name) == ["ReplicaCaughtUp"])
    #expect(state.shards[1].replicas.replica(on: follower)?.isCopy == true)
    #expect(commit(ask(&state, .reportReplicas(word))) == nil)
    #expect(state.digest == state.computedDigest())
  }

  @Test func wordsAboutWhatIsNotTheirsAreIgnored() throws {
    var state = threeZones()
    _ = ask(&state, create("c", shards: 1, replicas: 2))
    let row = state.shards[1]
    let stranger = try #require((1...3).first { row.replicas.index(of: NodeID($0)) == nil }.map { NodeID($0) })
    for (speaker, about, shard) in [
      (stranger, row.replicas[1].node, ShardID(1)), (row.replicas[1].node, row.leader, 1), (row.leader, row.leader, 1),
      (row.leader, stranger, 1), (row.leader, 0, 1), (row.leader, row.replicas[1].node, 9), (row.leader, .max, .max),
    ] {
      var report = ReportReplicas()
      report.node = speaker
      report.incarnation = 1
      report.opened = speaker == stranger ? [1, .max] : []
      report.followers = [FollowerWord(shard: shard, node: about, epoch: 1, isInSync: false)]
      #expect(commit(ask(&state, .reportReplicas(report))) == nil)
    }
  }

  @Test func aMoveGoesStepByStep() throws {
    var state = threeZones(beat: 500)
    _ = ask(&state, join("n4", zone: "d", beat: 500))
    _ = ask(&state, create("c", shards: 1, replicas: 3))
    let source = state.nodeName(state.shards[1].leader)
    let spare = try #require(
      ["n1", "n2", "n3", "n4"].first {
        state.shards[1].replicas.index(of: state.nodeID(named: $0) ?? 0) == nil
      })
    let start = StartMove(collection: "c", index: 0, source: source, target: spare)
    #expect(commit(ask(&state, .startMove(start))) != nil)
    #expect(refusal(ask(&state, .startMove(start))) == .conflict)
    // Not before the target has caught up.
    #expect(refusal(ask(&state, .advanceMove(AdvanceMove(move: 1, step: .promoted)))) == .conflict)
    var report = ReportReplicas()
    report.node = state.shards[1].leader
    report.incarnation = 1
    report.followers = [
      FollowerWord(shard: 1, node: try #require(state.nodeID(named: spare)), epoch: 1, isInSync: true)
    ]
    _ = ask(&state, .reportReplicas(report))
    #expect(refusal(ask(&state, .advanceMove(AdvanceMove(move: 1, step: .finished)))) == .conflict)
    #expect(commit(ask(&state, .advanceMove(AdvanceMove(move: 1, step: .promoted)))) != nil)
    // The leader gives way only when it says that the other has everything, and to this request.
    #expect(refusal(ask(&state, .advanceMove(AdvanceMove(move: 1, step: .handedOver)))) == .conflict)
    #expect(commit(ask(&state, .electLeader(ElectLeader(collection: "c", index: 0, node: spare)))) != nil)
    let row = state.shards[1]
    try #require(row.heirSince > 0)
    #expect(row.leader == report.node && row.heir == state.nodeID(named: spare))
    report.followers = []
    report.yields = [Yield(shard: 1, epoch: 1, heir: row.heir, since: row.heirSince - 1)]
    #expect(commit(ask(&state, .reportReplicas(report))) == nil)
    report.yields = [Yield(shard: 1, epoch: 1, heir: row.heir, since: row.heirSince)]
    #expect(commit(ask(&state, .reportReplicas(report))) != nil)
    #expect(commit(ask(&state, .advanceMove(AdvanceMove(move: 1, step: .handedOver)))) != nil)
    // Nor does the old one go while the new leader counts on it.
    #expect(refusal(ask(&state, .advanceMove(AdvanceMove(move: 1, step: .finished)))) == .conflict)
    var word = ReportReplicas()
    word.node = row.heir
    word.incarnation = 1
    word.followers = [FollowerWord(shard: 1, node: report.node, epoch: 2, isInSync: false)]
    #expect(commit(ask(&state, .reportReplicas(word))) != nil)
    #expect(commit(ask(&state, .advanceMove(AdvanceMove(move: 1, step: .finished)))) != nil)
    #expect(state.shards[1].move == 0)
    #expect(state.shards[1].replicas.count == 3)
    #expect(state.nodeName(state.shards[1].leader) == spare)
    #expect(state.digest == state.computedDigest())
  }

  @Test func aSchemaGuardsItsKey() {
    var state = State()
    var schema = ConfigSchema()
    schema.type = .integer
    schema.minimum = 1
    schema.maximum = 10
    _ = ask(&state, .setSchema(SetSchema(key: "size", schema: schema)))
    func setSize(_ value: ConfigValue) -> Outcome {
      ask(&state, .setConfig(SetConfig(key: "size", scope: ScopeName(.cluster), value: value)))
    }
    #expect(refusal(setSize(.text("5"))) == .invalid)
    #expect(refusal(setSize(.integer(11))) == .invalid)
    #expect(commit(setSize(.integer(10))) != nil)
  }

  @Test func theNarrowestScopeWins() throws {
    var state = threeZones()
    _ = ask(&state, set("k", "everywhere"))
    let narrow = SetConfig(key: "k", scope: ScopeName(.node, "n2"), value: .text("here"))
    _ = ask(&state, .setConfig(narrow))
    let node = try #require(state.nodeID(named: "n2"))
    #expect(state.effectiveConfig("k", in: Scope(.node, node)).map { state.configs[$0].value } == .text("here"))
    #expect(state.effectiveConfig("k", in: Scope(.node, 1)).map { state.configs[$0].value } == .text("everywhere"))
  }

  @Test(arguments: [
    (Command.joinNode(JoinNode()), RefusalCode.invalid),
    (.cordonNode(CordonNode(name: "nobody", isOn: true)), .notFound),
    (.removeNode(RemoveNode(name: "nobody")), .notFound),
    (.deleteCollection(DeleteCollection(name: "none")), .notFound),
    (create("c", shards: 0, replicas: 1), .invalid),
    (create("c", shards: 1, replicas: 0), .invalid),
    (create("c", shards: 1, replicas: 8), .invalid),
    (create("UPPER", shards: 1, replicas: 1), .invalid),
    (create("c", shards: 1, replicas: 4), .unsatisfiable),
    (create("c", shards: 1, replicas: 1, disk: 1001), .unsatisfiable),
    (create("c", shards: 3001, replicas: 1, spread: nil), .unsatisfiable),
    (.setConfig(SetConfig(key: "a//b", scope: ScopeName(.cluster), value: .text(""))), .invalid),
    (.setConfig(SetConfig(key: "a", scope: ScopeName(.node, "x"), value: .text(""))), .notFound),
    (
      .setConfig(SetConfig(key: "a", scope: ScopeName(.cluster), value: .text(""), expectedVersion: 3)),
      .revisionMismatch
    ),
    (.clearAlarm(ClearAlarm(name: "none")), .notFound),
    (.advanceMove(AdvanceMove(move: 9, step: .promoted)), .notFound),
    (.leaveNode(LeaveNode(node: 77, incarnation: 1)), .fenced),
  ])
  func whatMakesNoSenseIsRefusedWithItsCode(_ command: Command, _ code: RefusalCode) {
    var state = threeZones()
    let before = state.digest
    #expect(refusal(ask(&state, command)) == code)
    #expect(state.digest == before)
  }

  // MARK: What was computed from a revision

  private func asked(
    _ state: inout State, computedAt revision: Revision, _ command: Command = .clearAlarm(ClearAlarm(name: "a"))
  ) -> Outcome {
    var request = Request(command)
    request.expectedPlacement = revision
    request.isDryRun = true
    let context = RequestContext(principal: "ops", kind: .person, assurance: .asserted, wallTime: 1)
    return state.execute(request, context, PlacementPlanner())
  }

  @Test(arguments: [
    set("app/x", "1"), .raiseAlarm(RaiseAlarm(name: "b", message: "m")), .createTenant(CreateTenant(name: "t")),
  ])
  func whatPlansAreNotComputedFromLeavesThemTrue(_ command: Command) {
    var state = threeZones()
    _ = ask(&state, create("c", shards: 2, replicas: 2))
    _ = ask(&state, .raiseAlarm(RaiseAlarm(name: "a", message: "m")))
    let revision = state.revision
    #expect(commit(ask(&state, command)) != nil)
    #expect(refusal(asked(&state, computedAt: revision)) == nil)
  }

  @Test(arguments: [
    set("system/moves/recovery", "7"), set("system/repair-delay-seconds", "7"), join("n4", zone: "a"),
    join("n1", zone: "a"), .cordonNode(CordonNode(name: "n1", isOn: true)),
    .setMaintenance(SetMaintenance(isOn: true)), .setBalancing(SetBalancing(mode: .running)),
    create("d", shards: 1, replicas: 1), .deleteCollection(DeleteCollection(name: "c")),
    .electLeader(ElectLeader(collection: "c", index: 0, node: "n9")),
  ])
  func whatPlansAreComputedFromMakesThemOld(_ command: Command) throws {
    var state = threeZones()
    _ = ask(&state, create("c", shards: 1, replicas: 2))
    _ = ask(&state, .raiseAlarm(RaiseAlarm(name: "a", message: "m")))
    let revision = state.revision
    #expect(refusal(asked(&state, computedAt: revision)) == nil)
    var command = command
    if case .electLeader(var elect) = command {
      let heir = try #require(state.shards[1].replicas.first { $0.node != state.shards[1].leader })
      elect.node = state.nodeName(heir.node)
      command = .electLeader(elect)
    }
    #expect(commit(ask(&state, command)) != nil)
    #expect(refusal(asked(&state, computedAt: revision)) == .revisionMismatch)
    #expect(refusal(asked(&state, computedAt: state.revision)) == nil)
    #expect(refusal(asked(&state, computedAt: state.revision + 1)) == .revisionMismatch)
  }

  /// Also what leaves no row behind.
  @Test func aMoveThatBeganOrIsOverMakesPlansOld() throws {
    var state = threeZones()
    _ = ask(&state, create("c", shards: 1, replicas: 1))
    _ = ask(&state, .raiseAlarm(RaiseAlarm(name: "a", message: "m")))
    let source = state.nodeName(state.shards[1].replicas[0].node)
    let target = try #require(["n1", "n2", "n3"].first { $0 != source })
    var revision = state.revision
    _ = ask(&state, .startMove(StartMove(collection: "c", index: 0, source: source, target: target)))
    #expect(refusal(asked(&state, computedAt: revision)) == .revisionMismatch)
    revision = state.revision
    #expect(refusal(asked(&state, computedAt: revision)) == nil)
    _ = ask(&state, .advanceMove(AdvanceMove(move: 1, step: .cancelled)))
    #expect(!state.moves.holds(1))
    #expect(refusal(asked(&state, computedAt: revision)) == .revisionMismatch)
  }

  // MARK: Names in use

  private func process(_ identity: String, beat: UInt64 = 500) -> Command {
    guard case .joinNode(var command) = join("n1", zone: "a", beat: beat) else { fatalError("join makes a JoinNode") }
    command.identity = identity
    return .joinNode(command)
  }

  @Test func aSecondProcessIsRefusedTheNameOfALiveNode() throws {
    var state = State()
    _ = ask(&state, process("one"))
    let before = state.digest
    let outcome = ask(&state, process("two"))
    #expect(refusal(outcome) == .alreadyExists)
    if case .refused(let refused) = outcome { #expect(refused.witness.map(\.rule) == ["name"]) }
    #expect(state.digest == before)
    // A suspect may live.
    _ = askAsController(&state, .suspect)
    #expect(refusal(ask(&state, process("two"))) == .alreadyExists)
  }

  private func askAsController(_ state: inout State, _ health: NodeState) -> Outcome {
    let report = ReportNodeHealth(node: 1, incarnation: 1, state: health, silentMilliseconds: 9)
    let context = RequestContext(
      principal: "detector", kind: .controller, assurance: .own, wallTime: 1_000_000 * (state.revision + 1))
    return state.execute(Request(.reportNodeHealth(report)), context, PlacementPlanner())
  }

  @Test func theSameProcessAndWhoeverFollowsADeadOneTakeTheNameAtOnce() {
    var state = State()
    _ = ask(&state, process("one"))
    #expect(commit(ask(&state, process("one"))) != nil)
    #expect(state.nodes[1].incarnation == 2)
    _ = ask(&state, .leaveNode(LeaveNode(node: 1, incarnation: 2)))
    #expect(commit(ask(&state, process("two"))) != nil)
    #expect(state.nodes[1].incarnation == 3)
    #expect(state.nodes[1].identity == "two")
    #expect(refusal(ask(&state, process("one"))) == .alreadyExists)
  }

  @Test func aProcessThatDoesNotSayWhoItIsIsTakenAtItsWord() {
    var state = State()
    _ = ask(&state, process(""))
    #expect(commit(ask(&state, process("two"))) != nil)
    #expect(commit(ask(&state, process(""))) != nil)
    #expect(commit(ask(&state, process("three", beat: 0))) != nil)
    // Of a node that nobody watches over nobody knows that it lives.
    #expect(commit(ask(&state, process("four"))) != nil)
    #expect(refusal(ask(&state, process("NO NAME"))) == .invalid)
  }

  @Test func aNodeWithReplicasCannotBeRemoved() {
    var state = threeZones()
    _ = ask(&state, create("c", shards: 1, replicas: 3))
    #expect(refusal(ask(&state, .removeNode(RemoveNode(name: "n1")))) == .conflict)
    _ = ask(&state, .deleteCollection(DeleteCollection(name: "c")))
    #expect(commit(ask(&state, .removeNode(RemoveNode(name: "n1")))) != nil)
    #expect(state.nodeID(named: "n1") == nil)
    // The name joins again under a new number.
    _ = ask(&state, join("n1", zone: "a"))
    #expect(state.nodeID(named: "n1") == 4)
  }
}
