import MusterCluster
import MusterControllers
import MusterWorkload
import Testing

/// What controllers make of what nodes say of their replicas.
@Suite struct HostingTests {
  /// Three nodes, and one shard of three replicas that are all open.
  private func shard() throws -> ClusterModel {
    var model = ClusterModel()
    for zone in 0..<3 { model.join("n\(zone)", "eu/z\(zone)/r") }
    _ = model.create("c", shards: 1)
    model.run(seconds: 3)
    try #require(model.state.shards[1].replicas.allSatisfy { $0.isOpened && $0.isInSync })
    return model
  }

  private func status(_ value: String, at offset: UInt64) -> ReplicaStatus {
    var status = ReplicaStatus(shard: 1)
    status.checksum = value
    status.checksumPosition = ReplicaPosition(shard: 1, epoch: 1, history: 1 << 32, offset: offset)
    return status
  }

  /// What the controllers want after these words, by nodes in the order of replicas, the leader first.
  private func proposals(_ values: [String?], _ state: State, at offset: UInt64 = 7) -> [Proposal] {
    var controllers = Controllers()
    _ = controllers.tick(state: state, now: 1000)
    for (place, value) in values.enumerated() {
      guard let value else { continue }
      let node = state.shards[1].replicas[place].node
      controllers.heard(status(value, at: offset), of: node, incarnation: state.nodes[node].incarnation, now: 1000)
    }
    return controllers.tick(state: state, now: 1100).filter { $0.controller == "checksums" }
  }

  @Test func aFollowerThatDiffersFromTheOthersIsRebuilt() throws {
    let state = try shard().state
    let found = proposals(["x", "x", "y"], state)
    let node = state.shards[1].replicas[2].node
    #expect(found.map(\.command) == [.rebuildReplica(RebuildReplica(shard: 1, node: node))])
    #expect(found.first?.reason.kind == .checksumMismatch)
    #expect(found.first?.reason.arguments.contains("\(state.nodeName(node))=y") == true, "the inputs are in the reason")
  }

  @Test func theLastWordOfAReplicaCounts() throws {
    let state = try shard().state
    var controllers = Controllers()
    for (place, value) in [(0, "x"), (2, "x"), (1, "x"), (2, "y")] {
      controllers.heard(status(value, at: 7), of: state.shards[1].replicas[place].node, incarnation: 1, now: 1)
    }
    let found = controllers.tick(state: state, now: 2).filter { $0.controller == "checksums" }
    let node = state.shards[1].replicas[2].node
    #expect(found.map(\.command) == [.rebuildReplica(RebuildReplica(shard: 1, node: node))])
    #expect(found.first?.reason.arguments.count { $0.hasPrefix("\(state.nodeName(node))=") } == 1)
  }

  @Test func aLeaderThatDiffersHandsOverFirst() throws {
    let state = try shard().state
    guard case .electLeader(let command)? = proposals(["y", "x", "x"], state).first?.command else {
      Issue.record("the leader keeps leading")
      return
    }
    #expect(command.node == state.nodeName(state.shards[1].replicas[1].node))
  }

  @Test func oneAgainstOneIsForAPersonToJudge() throws {
    let found = proposals(["x", "y", nil], try shard().state)
    guard case .raiseAlarm(let alarm)? = found.first?.command else {
      Issue.record("no alarm: \(found)")
      return
    }
    #expect(alarm.name == "checksums/c/0")
  }

  @Test func equalDataAndOtherPositionsAreNoFinding() throws {
    let state = try shard().state
    #expect(proposals(["x", "x", "x"], state).isEmpty)
    var controllers = Controllers()
    for (place, replica) in state.shards[1].replicas.enumerated() {
      controllers.heard(status("v\(place)", at: UInt64(place)), of: replica.node, incarnation: 1, now: 1)
    }
    #expect(controllers.tick(state: state, now: 2).allSatisfy { $0.controller != "checksums" })
  }

  @Test func aRebuiltReplicaIsOpenedAndCaughtUpAnew() throws {
    var model = try shard()
    let node = model.state.shards[1].replicas[2].node
    model.order(.rebuildReplica(RebuildReplica(shard: 1, node: node)), by: "checksums", .controller)
    let replica = try #require(model.state.shards[1].replicas.replica(on: node))
    #expect(!replica.isOpened && !replica.isInSync)
    model.run(seconds: 5)
    #expect(model.state.shards[1].replicas.allSatisfy { $0.isOpened && $0.isInSync })
    let leader = model.state.shards[1].leader
    let refused = model.order(.rebuildReplica(RebuildReplica(shard: 1, node: leader)), by: "checksums", .controller)
    guard case .refused = refused else {
      Issue.record("a leader's data is the truth: \(refused)")
      return
    }
  }

  @Test func aProblemThatLastsBecomesAnAlarmAndGoes() throws {
    let state = try shard().state
    let node = state.shards[1].replicas[0].node
    var controllers = Controllers()
    var sick = ReplicaStatus(shard: 1)
    sick.problem = "it hangs"
    func alarms(_ now: UInt64) -> [Command] {
      controllers.tick(state: state, now: now).filter { $0.controller == "hosting" }.map(\.command)
    }
    controllers.heard(sick, of: node, incarnation: 1, now: 1000)
    #expect(alarms(2000).isEmpty)
    controllers.heard(sick, of: node, incarnation: 1, now: 11_500)
    guard case .raiseAlarm(let alarm)? = alarms(11_500).first else {
      Issue.record("no alarm")
      return
    }
    #expect(alarm.name == "host/\(state.nodeName(node))")
    #expect(alarm.message.contains("it hangs"))
    controllers.heard(ReplicaStatus(shard: 1), of: node, incarnation: 1, now: 12_000)
    #expect(alarms(12_000).isEmpty)
  }

  @Test func anAlarmThatAnEarlierRunRaisedGoesWhenNothingIsHeardOfItsProblem() throws {
    var model = try shard()
    let node = model.state.shards[1].replicas[0].node
    for name in ["host/\(model.state.nodeName(node))", "host/gone", "else"] {
      model.order(.raiseAlarm(RaiseAlarm(name: name, message: "it hung")))
    }
    let state = model.state
    var controllers = Controllers()
    func cleared(_ now: UInt64) -> [String] {
      controllers.tick(state: state, now: now).compactMap {
        if case .clearAlarm(let command) = $0.command, $0.controller == "hosting" { command.name } else { nil }
      }
    }
    #expect(cleared(1000) == ["host/gone"], "of a member it is waited for what its node says")
    #expect(cleared(10_000) == ["host/gone"])
    #expect(cleared(11_000) == ["host/gone", "host/\(state.nodeName(node))"])
    var sick = ReplicaStatus(shard: 1)
    sick.problem = "it hangs"
    controllers.heard(sick, of: node, incarnation: 1, now: 11_500)
    #expect(cleared(12_000) == ["host/gone"])
  }
}
