internal import MusterHosting

/// What Muster relies on, as checks that any host can be run against: call ``run(_:)`` with each of ``Check/allCases``
/// from a test of yours.
public struct HostConformance: Sendable {
  public enum Check: String, CaseIterable, Sendable {
    case freshReplicasServeNothing
    case followersGetWhatTheLeaderTakes
    case followersTakeNoWrites
    case callsAreIdempotent
    case aPromiseFencesTheOldLeader
    case aPromiseOutlivesTheAgent
    case positionsSayWhoIsFarther
    case aNewLeadersHistoryIsLater
    case anAgentFindsItsReplicasAgain
    case aPausedLeaderTakesNothing
    case lostDataIsNotElected
    case wipedReplicasAreCopiedAnew
    case checksumsCompareData
    case withdrawnReplicasAreGone
    /// Only of hosts that can split shards.
    case aSplitShardsKeysAreDivided
    /// Only of hosts that can put shards together.
    case anAbsorbedShardsKeysAreCopied
    case aCopyThatIsCalledOffIsForgotten
    case aNewLeaderCopiesAnew
  }

  let subject: any ConformanceSubject
  let shard = HostedShard(number: 7, collection: "things", index: 6)
  /// How often something is looked at until it must hold: every 100 ms.
  private static let looks = 200

  public init(_ subject: any ConformanceSubject) { self.subject = subject }

  /// - Throws: a ``ConformanceFailure``, or what the host throws.
  public func run(_ check: Check) async throws {
    let names = ["a", "b", "c"]
    var hosts: [any ShardHost] = []
    for name in names { hosts.append(try await subject.host(node: name)) }
    let failure: (any Error)?
    do {
      try await run(check, hosts)
      failure = nil
    } catch {
      failure = error
    }
    for name in names { await (try subject.host(node: name)).shutDown() }
    for host in hosts { await host.shutDown() }
    if let failure { throw failure }
  }

  private func run(_ check: Check, _ hosts: [any ShardHost]) async throws {
    switch check {
    case .aSplitShardsKeysAreDivided: if hosts[0].canSplit { try await checkSplit(hosts) }
    case .anAbsorbedShardsKeysAreCopied: if hosts[0].canMerge { try await checkMerge(hosts) }
    case .aCopyThatIsCalledOffIsForgotten: if hosts[0].canMerge { try await checkCancelledMerge(hosts) }
    case .aNewLeaderCopiesAnew: if hosts[0].canMerge { try await checkInterruptedMerge(hosts) }
    case .freshReplicasServeNothing:
      let replica = try await hosts[0].open(shard, mustExist: false)
      try require(try await replica.look().role == .idle, "a fresh replica is idle")
      try await requireRefused(replica, "a", "a fresh replica takes no writes")
    case .followersGetWhatTheLeaderTakes:
      let replicas = try await trio(hosts)
      try await write("1", replicas[0])
      for (place, replica) in replicas.enumerated() { try await awaitValues(["1"], replica, names[place]) }
      try await eventually("the leader sees that its followers have everything") {
        let followers = try await replicas[0].look().followers
        return followers.count == 2 && followers.allSatisfy(\.hasEverything)
      }
    case .followersTakeNoWrites:
      let replicas = try await trio(hosts)
      try await requireRefused(replicas[1], "b", "a follower takes no writes")
    case .callsAreIdempotent:
      let replicas = try await trio(hosts)
      try await write("1", replicas[0])
      for _ in 0..<2 {
        try await replicas[0].lead(leadership(1, replicas))
        try await replicas[1].follow(following(1, replicas[0]))
      }
      try await write("2", replicas[0])
      try await awaitValues(["1", "2"], replicas[1], "b")
    case .aPromiseFencesTheOldLeader: try await checkFence(hosts)
    case .aPromiseOutlivesTheAgent:
      let replicas = try await trio(hosts)
      _ = try await eventualPromise(replicas[1], 3)
      let again = try await subject.host(node: "b").open(shard, mustExist: true)
      try await requireThrows("an epoch before the promised one is not led") {
        try await again.lead(Leadership(epoch: 2, acknowledgements: 0, followers: []))
      }
      try await requireThrows("a leader of an epoch before the promised one is not followed") {
        try await again.follow(following(2, replicas[0]))
      }
    case .positionsSayWhoIsFarther: try await checkPositions(hosts)
    case .aNewLeadersHistoryIsLater:
      let replicas = try await trio(hosts)
      try await write("1", replicas[0])
      try await awaitValues(["1"], replicas[1], "b")
      let before = try await eventualPromise(replicas[1], 2)
      try await replicas[1].lead(Leadership(epoch: 2, acknowledgements: 0, followers: []))
      let after = try await eventualPromise(replicas[1], 3)
      try require(after.history > before.history, "history \(after.history) follows \(before.history)")
    case .anAgentFindsItsReplicasAgain:
      let replicas = try await trio(hosts)
      try await write("1", replicas[0])
      let again = try await subject.host(node: "a").open(shard, mustExist: true)
      try require(try await again.look().role == .leading(epoch: 1), "it leads as before")
      try await again.lead(leadership(1, replicas))
      // It may be reached elsewhere now.
      try await replicas[1].follow(following(1, again))
      try await write("2", again)
      try await awaitValues(["1", "2"], replicas[1], "b")
    case .aPausedLeaderTakesNothing:
      let replicas = try await trio(hosts)
      var conditions = leadership(1, replicas)
      conditions.isPaused = true
      try await replicas[0].lead(conditions)
      try await requireRefused(replicas[0], "a", "a paused leader takes no writes")
      conditions.isPaused = false
      try await replicas[0].lead(conditions)
      try await write("1", replicas[0])
    case .lostDataIsNotElected: try await checkLoss(hosts)
    case .wipedReplicasAreCopiedAnew:
      let replicas = try await trio(hosts)
      try await write("1", replicas[0])
      try await awaitValues(["1"], replicas[1], "b")
      try await replicas[1].wipe()
      try await requireThrows("who was wiped promises nothing before it copied") {
        _ = try await replicas[1].promise(epoch: 1)
      }
      try await replicas[1].follow(following(1, replicas[0]))
      try await awaitValues(["1"], replicas[1], "b")
      _ = try await eventualPromise(replicas[1], 2)
    case .checksumsCompareData: try await checkChecksums(hosts)
    case .withdrawnReplicasAreGone:
      let replica = try await hosts[0].open(shard, mustExist: false)
      try await replica.lead(Leadership(epoch: 1, acknowledgements: 0, followers: []))
      try await write("1", replica)
      try await replica.drop()
      let fresh = try await hosts[0].open(shard, mustExist: false)
      try require(try await fresh.look().role == .idle, "what is opened after a drop is new")
      try await fresh.lead(Leadership(epoch: 1, acknowledgements: 0, followers: []))
      try require(try await subject.read(fresh, of: shard, node: "a").isEmpty, "it has nothing")
      try await subject.host(node: "a").keepOnly([])
      try await requireThrows("what is not kept is gone") { _ = try await fresh.look() }
    }
  }

  // MARK: Longer checks

  private func checkFence(_ hosts: [any ShardHost]) async throws {
    let replicas = try await trio(hosts)
    try await write("1", replicas[0])
    for (place, replica) in replicas.enumerated() { try await awaitValues(["1"], replica, names[place]) }
    let positions = [try await eventualPromise(replicas[1], 2), try await eventualPromise(replicas[2], 2)]
    if subject.hasFence {
      // The old leader was told nothing: its agent may be dead.
      try await requireRefused(replicas[0], "a", "a leader that its followers left takes no writes")
    }
    let (winner, other) = positions[0] >= positions[1] ? (1, 2) : (2, 1)
    try await replicas[winner].lead(
      Leadership(
        epoch: 2, acknowledgements: 1,
        followers: [
          HostedFollower(peer: peer(replicas, 0), isCounted: true),
          HostedFollower(peer: peer(replicas, other), isCounted: true),
        ]))
    try await replicas[other].follow(following(2, replicas[winner]))
    try await eventually("the new leader takes writes") {
      // Agents look at all replicas: hosts may copy while they are looked at.
      _ = try? await replicas[other].look()
      return (try? await subject.write("2", to: replicas[winner], of: shard, node: names[winner])) != nil
    }
    try await replicas[0].follow(following(2, replicas[winner]))
    for (place, replica) in replicas.enumerated() { try await awaitValues(["1", "2"], replica, names[place]) }
  }

  private func checkPositions(_ hosts: [any ShardHost]) async throws {
    let replicas = try await trio(hosts)
    try await write("1", replicas[0])
    try await awaitValues(["1"], replicas[1], "b")
    try await awaitValues(["1"], replicas[2], "c")
    // One lets go early, and the other copies on.
    let early = try await eventualPromise(replicas[1], 2)
    try await write("2", replicas[0])
    try await awaitValues(["1", "2"], replicas[2], "c")
    let late = try await eventualPromise(replicas[2], 2)
    try require(late > early, "\(late) is farther than \(early)")
    try require(late.history == early.history, "both are of one history")
  }

  private func checkLoss(_ hosts: [any ShardHost]) async throws {
    let replicas = try await trio(hosts)
    try await write("1", replicas[0])
    try await awaitValues(["1"], replicas[1], "b")
    try await subject.destroy(shard, node: "b")
    let host = try await subject.host(node: "b")
    var empty: (any HostedReplica)?
    try await eventually("what is lost is opened empty") {
      empty = try? await host.open(shard, mustExist: true)
      return empty != nil
    }
    guard let empty else { return }
    try await requireThrows("who lost its data does not lead") {
      try await empty.lead(Leadership(epoch: 2, acknowledgements: 0, followers: []))
    }
    try await requireThrows("who lost its data promises nothing") { _ = try await empty.promise(epoch: 1) }
    try require(try await empty.look().isEmptied, "who lost its data says so")
    var conditions = leadership(1, replicas)
    conditions.followers[0].peer.address = empty.address
    try await replicas[0].lead(conditions)
    try await empty.follow(following(1, replicas[0]))
    try await awaitValues(["1"], empty, "b")
    try await eventually("who copied everything has data again") { try await !empty.look().isEmptied }
    _ = try await eventualPromise(empty, 2)
  }

  private func checkChecksums(_ hosts: [any ShardHost]) async throws {
    let replicas = try await trio(hosts)
    try await write("1", replicas[0])
    try await awaitValues(["1"], replicas[1], "b")
    var before: ReplicaChecksum?
    try await eventually("checksums of equal data are equal") {
      guard let leader = try await replicas[0].checksum(), let follower = try await replicas[1].checksum() else {
        return false
      }
      before = leader
      return leader == follower
    }
    try await write("2", replicas[0])
    try await eventually("other data has another checksum") {
      guard let after = try await replicas[0].checksum() else { return false }
      return after.value != before?.value && after.position != before?.position
    }
  }

  // MARK: Replicas

  var names: [String] { ["a", "b", "c"] }

  /// A leader of epoch 1 with two followers that copy from it.
  func trio(_ hosts: [any ShardHost], of other: HostedShard? = nil) async throws -> [any HostedReplica] {
    var replicas: [any HostedReplica] = []
    for host in hosts { replicas.append(try await host.open(other ?? shard, mustExist: false)) }
    try await replicas[0].lead(leadership(1, replicas))
    for replica in replicas.dropFirst() { try await replica.follow(following(1, replicas[0])) }
    for replica in replicas.dropFirst() {
      try await eventually("a follower receives what its leader receives") {
        try await replica.look().role == .following(isAttached: true)
      }
    }
    return replicas
  }

  func peer(_ replicas: [any HostedReplica], _ place: Int) -> Peer {
    Peer(node: names[place], address: replicas[place].address)
  }

  func leadership(_ epoch: UInt32, _ replicas: [any HostedReplica]) -> Leadership {
    Leadership(
      epoch: epoch, acknowledgements: 1,
      followers: [1, 2].map { HostedFollower(peer: peer(replicas, $0), isCounted: true) })
  }

  func following(_ epoch: UInt32, _ leader: any HostedReplica) -> Following {
    Following(epoch: epoch, source: Peer(node: "leader", address: leader.address))
  }

  // MARK: Requirements

  func write(_ value: String, _ replica: any HostedReplica) async throws {
    try await eventually("the leader takes a write") {
      (try? await subject.write(value, to: replica, of: shard, node: "a")) != nil
    }
  }

  func eventualPromise(_ replica: any HostedReplica, _ epoch: UInt32) async throws -> HostPosition {
    var position: HostPosition?
    try await eventually("a promise of epoch \(epoch)") {
      // What has just been attached may still have to note that it is.
      _ = try? await replica.look()
      position = try? await replica.promise(epoch: epoch)
      return position != nil
    }
    guard let position else { throw ConformanceFailure("there is no promise") }
    return position
  }

  func awaitValues(_ values: Set<String>, _ replica: any HostedReplica, _ node: String) async throws {
    try await eventually("\(node) has \(values.sorted())") {
      _ = try await replica.look()
      return try await subject.read(replica, of: shard, node: node) == values
    }
  }

  func requireRefused(_ replica: any HostedReplica, _ node: String, _ what: String) async throws {
    try await requireThrows(what) { try await subject.write("refused", to: replica, of: shard, node: node) }
  }

  func requireThrows(_ what: String, _ body: () async throws -> Void) async throws {
    do { try await body() } catch { return }
    throw ConformanceFailure("not so: \(what)")
  }

  func require(_ holds: Bool, _ what: String) throws {
    guard holds else { throw ConformanceFailure("not so: \(what)") }
  }

  func eventually(_ what: String, _ holds: () async throws -> Bool) async throws {
    var last: (any Error)?
    for _ in 0..<HostConformance.looks {
      do {
        if try await holds() { return }
        last = nil
      } catch {
        last = error
      }
      try await Task.sleep(for: .milliseconds(100))
    }
    throw ConformanceFailure("not so: \(what)\(last.map { ": \($0)" } ?? "")")
  }
}
