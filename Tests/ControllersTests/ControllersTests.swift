import MusterCluster
import MusterControllers
import MusterWorkload
import Testing

private func asked(_ state: inout State, _ command: Command) -> Outcome {
  let context = RequestContext(principal: "t", kind: .controller, assurance: .own, wallTime: 0)
  return state.execute(Request(command), context, PlacementPlanner())
}

private func cluster(_ count: Int, heartbeat: UInt64 = 0, disk: (Int) -> UInt64 = { _ in 1000 }) -> State {
  var state = State()
  for number in 0..<count {
    let node = JoinNode(
      name: "n\(number)", domain: "eu/z\(number % 3)/r\(number % 7)", labels: [],
      capacity: [Amount("disk", disk(number))],
      address: "", heartbeatMilliseconds: heartbeat)
    _ = asked(&state, .joinNode(node))
  }
  return state
}

@Suite struct PlacementTests {
  @Test(arguments: [UInt64(1), 2, 3, 4, 5, 6, 7, 8])
  func noCapacityIsExceededAndNoSpreadIsBroken(seed: UInt64) {
    var random = SeededGenerator(seed: seed)
    var state = cluster(9 + random.below(30)) { _ in 1000 }
    var refused = 0
    for number in 0..<200 {
      var policy = Policy()
      policy.replicas = UInt32(1 + random.below(3))
      policy.spread = [SpreadRule(.zone)]
      policy.weights = [Amount("disk", UInt64(1 + random.below(400)))]
      let command = CreateCollection(
        name: "c\(number)", shards: UInt32(1 + random.below(5)), policy: policy, labels: [], tenant: "")
      if case .refused(let refusal) = asked(&state, .createCollection(command)) {
        #expect(refusal.code == .unsatisfiable)
        #expect(!refusal.witness.isEmpty)
        refused += 1
      }
    }
    #expect(refused > 0)
    for node in 1...UInt32(state.nodes.count) {
      #expect(state.load(node).used[0] <= state.load(node).capacity[0])
    }
    state.shards.forEach { _, shard in
      let zones = shard.replicas.map { state.load($0.node).domains[1] }
      #expect(Set(zones).count == zones.count)
    }
  }

  @Test func equalNodesAreBalancedWithinOneReplica() {
    var state = cluster(9)
    var policy = Policy()
    policy.replicas = 3
    policy.spread = [SpreadRule(.zone)]
    let command = CreateCollection(name: "c", shards: 100, policy: policy, labels: [], tenant: "")
    #expect({ if case .committed = asked(&state, .createCollection(command)) { true } else { false } }())
    let counts = (1...9).map { state.load($0).replicas }
    #expect((counts.max() ?? 0) - (counts.min() ?? 0) <= 1)
    let leaders = (1...9).map { state.load($0).leaders }
    #expect((leaders.max() ?? 0) - (leaders.min() ?? 0) <= 2)
  }

  @Test func theWitnessNamesTheRuleAndWhatIsShort() {
    let state = cluster(6)
    var policy = Policy()
    policy.replicas = 4
    policy.spread = [SpreadRule(.zone)]
    guard case .failure(let refusal) = PlacementPlanner().place(1, of: 1, under: policy, in: state) else {
      Issue.record("four zones are needed, and there are three")
      return
    }
    #expect(refusal.witness.first?.rule == "spread zone")
    #expect(refusal.witness.first?.needed == 4)
    #expect(refusal.witness.first?.available == 3)
  }
}

@Suite struct DetectorTests {
  private func states(_ proposals: [Proposal]) -> [NodeState] {
    proposals.compactMap { if case .reportNodeHealth(let report) = $0.command { report.state } else { nil } }
  }

  @Test func aSilentNodeIsSuspectedThenDownThenUpAgain() {
    var state = cluster(6, heartbeat: 500)
    var detector = FailureDetector()
    var seen: [NodeState] = []
    for now in stride(from: UInt64(0), through: 20_000, by: 100) {
      for node in 1...6 as ClosedRange<UInt32> where node != 3 || now < 2000 || now > 12_000 {
        detector.heard(node: node, incarnation: 1, now: now)
      }
      let proposals = detector.tick(state: state, now: now)
      for proposal in proposals { _ = asked(&state, proposal.command) }
      seen += states(proposals)
    }
    #expect(seen == [.suspect, .down, .up])
    #expect(state.nodes[3].state == .up)
  }

  @Test func ourOwnStallIsNotTheirDeath() {
    let state = cluster(6, heartbeat: 500)
    var detector = FailureDetector()
    for node in 1...6 as ClosedRange<UInt32> { detector.heard(node: node, incarnation: 1, now: 0) }
    #expect(detector.tick(state: state, now: 100).isEmpty)
    #expect(states(detector.tick(state: state, now: 60_100)).isEmpty)
  }

  /// Ticks every 100 ms but while it stands still, with every node heard.
  private func alarms(of stalls: [(from: UInt64, to: UInt64)], until end: UInt64) -> [(at: UInt64, command: Command)] {
    var state = cluster(6, heartbeat: 500)
    var detector = FailureDetector()
    var seen: [(at: UInt64, command: Command)] = []
    for now in stride(from: UInt64(0), through: end, by: 100)
    where !stalls.contains(where: { $0.from < now && now < $0.to }) {
      for node in 1...6 as ClosedRange<UInt32> { detector.heard(node: node, incarnation: 1, now: now) }
      for proposal in detector.tick(state: state, now: now) {
        _ = asked(&state, proposal.command)
        #expect(proposal.reason.kind == .ownStall)
        seen.append((now, proposal.command))
      }
    }
    return seen
  }

  @Test func ourOwnStallIsToldOnceWhenItIsOver() throws {
    let told = alarms(of: [(1000, 8000)], until: 60_000)
    #expect(told.map(\.at) == [8000, 38_000])
    guard case .raiseAlarm(let raised)? = told.first?.command, case .clearAlarm? = told.last?.command else {
      Issue.record("\(told)")
      return
    }
    #expect(raised.name == "own-stall")
    #expect(raised.message.hasPrefix("this server stood still for 7000 ms"))
    // A stall shortly after belongs to the same alarm; one much later has its own. A hiccup is nothing to tell.
    #expect(alarms(of: [(1000, 8000), (9000, 20_000)], until: 60_000).map(\.at) == [8000, 50_000])
    #expect(alarms(of: [(1000, 8000), (50_000, 53_000)], until: 90_000).map(\.at) == [8000, 38_000, 53_000, 83_000])
    #expect(alarms(of: [(1000, 2500)], until: 60_000).isEmpty)
  }

  @Test func aMassFailureIsNotBelieved() {
    var state = cluster(6, heartbeat: 500)
    var detector = FailureDetector()
    for node in 1...6 as ClosedRange<UInt32> { detector.heard(node: node, incarnation: 1, now: 0) }
    var seen: [Proposal] = []
    for now in stride(from: UInt64(0), through: 20_000, by: 100) {
      let proposals = detector.tick(state: state, now: now)
      for proposal in proposals { _ = asked(&state, proposal.command) }
      seen += proposals
    }
    #expect(!states(seen).contains(.down))
    #expect(state.alarmID(named: FailureDetector.massFailureAlarm).map { state.alarms[$0].isRaised } == true)
  }

  @Test func unwatchedNodesAreLeftAlone() {
    let state = cluster(3, heartbeat: 0)
    var detector = FailureDetector()
    for now in stride(from: UInt64(0), through: 60_000, by: 500) {
      #expect(detector.tick(state: state, now: now).isEmpty)
    }
  }
}
