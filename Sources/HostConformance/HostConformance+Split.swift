internal import MusterHosting

/// A shard that is split: copies get all that it has, count for nothing, and each of the two keeps its own keys.
extension HostConformance {
  private var child: HostedShard { HostedShard(number: 8, collection: "things", index: 9) }

  func checkSplit(_ hosts: [any ShardHost]) async throws {
    let parents = try await trio(hosts)
    var copies: [any HostedReplica] = []
    for host in hosts { copies.append(try await host.open(child, mustExist: false)) }
    let before = (0..<40).map { "key-\($0)" }
    for value in before { try await write(value, parents[0]) }
    try await connect(parents, copies, isPaused: false)
    try await eventually("copies receive what is written") {
      for copy in copies where try await copy.look().role != .following(isAttached: true) { return false }
      return true
    }
    try await write("late", parents[0])
    try await checkThatCopiesCountForNothing(parents, copies)
    try await connect(parents, copies, isPaused: true)
    try await requireRefused(parents[0], "a", "a leader that is paused for a split takes no writes")
    var seen: [ReplicaCondition] = []
    do {
      try await eventually("the leader sees that the copies have everything") {
        seen = []
        for replica in copies + parents { seen.append(try await replica.look()) }
        return seen[3].copies.count == 3 && seen[3].copies.allSatisfy(\.hasEverything)
      }
    } catch {
      throw ConformanceFailure("\(error); copies and replicas were last \(seen)")
    }
    try await divide(parents, copies, Set(before + ["late"]))
  }

  /// The first copy reads from another node's follower, the others from the replica on their own node.
  private func connect(
    _ parents: [any HostedReplica], _ copies: [any HostedReplica], isPaused: Bool
  ) async throws {
    var conditions = leadership(1, parents)
    conditions.isPaused = isPaused
    func told(_ readers: [String]) -> HostedCopies {
      HostedCopies(shard: child.number, peers: (0..<3).map { peer(copies, $0) }, readers: readers)
    }
    conditions.copies = told([])
    try await parents[0].lead(conditions)
    for (place, readers) in [(1, ["a", "b"]), (2, ["c"])] {
      var following = following(1, parents[0])
      following.copies = told(readers)
      try await parents[place].follow(following)
    }
    for (place, source) in [(0, 1), (1, 1), (2, 2)] {
      var following = following(1, parents[source])
      following.parent = 7
      try await copies[place].follow(following)
    }
  }

  /// With its followers gone the leader takes no write, whatever copies are still attached.
  private func checkThatCopiesCountForNothing(
    _ parents: [any HostedReplica], _ copies: [any HostedReplica]
  ) async throws {
    guard subject.hasFence else { return }
    let nobody = Following(epoch: 1, source: Peer(node: "nobody", address: ""))
    for place in [1, 2] {
      var following = nobody
      following.source = nil
      _ = try await parents[place].look()
      try await parents[place].follow(following)
    }
    var conditions = leadership(1, parents)
    conditions.copies = HostedCopies(shard: child.number, peers: (0..<3).map { peer(copies, $0) }, readers: [])
    for place in conditions.followers.indices { conditions.followers[place].isCounted = false }
    try await parents[0].lead(conditions)
    try await requireRefused(parents[0], "a", "what copies have does not count")
  }

  /// The cut: both lead in a new epoch, the child elsewhere, and forget what is not theirs.
  private func divide(
    _ parents: [any HostedReplica], _ copies: [any HostedReplica], _ values: Set<String>
  ) async throws {
    let keys = [HostedKeys(residue: 0, modulus: 2), HostedKeys(residue: 1, modulus: 2)]
    for (leader, replicas, keys) in [(1, copies, keys[1]), (0, parents, keys[0])] {
      let others = (0..<3).filter { $0 != leader }
      try await replicas[leader].lead(
        Leadership(
          epoch: 2, acknowledgements: 1,
          followers: others.map { HostedFollower(peer: peer(replicas, $0), isCounted: true) }, keys: keys))
      for other in others { try await replicas[other].follow(following(2, replicas[leader])) }
      let owned = values.filter { keys.holds(Array($0.utf8)) }
      try require(!owned.isEmpty && owned.count < values.count, "the keys are divided at all")
      try await eventually("what is not its own is forgotten") {
        for other in others { _ = try await replicas[other].look() }
        return try await replicas[leader].prune(keeping: keys)
      }
      let shard = leader == 0 ? shard : child
      for (place, replica) in replicas.enumerated() {
        try await eventually("\(names[place]) has its own keys and no others") {
          _ = try await replica.look()
          return try await subject.read(replica, of: shard, node: names[place]) == owned
        }
      }
      let more = (0..<100).map { "more-\($0)" }.first { keys.holds(Array($0.utf8)) } ?? ""
      try await eventually("\(shard) takes a write") {
        (try? await subject.write(more, to: replicas[leader], of: shard, node: names[leader])) != nil
      }
    }
    let positions = [try await eventualPromise(copies[1], 3), try await eventualPromise(parents[0], 3)]
    try require(positions.allSatisfy { $0.history >> 32 == 2 }, "both began a history of their own")
  }
}
