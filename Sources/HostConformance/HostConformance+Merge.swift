internal import MusterHosting

/// A shard that goes into another: its keys are copied while both serve, and those of its leader's pause are all there.
extension HostConformance {
  private var other: HostedShard { HostedShard(number: 8, collection: "things", index: 7) }
  private var own: HostedKeys { HostedKeys(residue: 0, modulus: 2) }
  private var theirs: HostedKeys { HostedKeys(residue: 1, modulus: 2) }
  private var everything: HostedKeys { HostedKeys(residue: 0, modulus: 1) }

  /// The two shards, and what was written to each.
  private struct Pair {
    var survivor: [any HostedReplica]
    var absorbed: [any HostedReplica]
    var mine: Set<String> = []
    var theirs: Set<String> = []
  }

  private func pair(_ hosts: [any ShardHost]) async throws -> Pair {
    var pair = Pair(survivor: try await trio(hosts), absorbed: try await trio(hosts, of: other))
    try await pair.survivor[0].lead(leadership(pair.survivor, own))
    try await pair.absorbed[0].lead(leadership(pair.absorbed, theirs))
    for value in (0..<60).map({ "key-\($0)" }) {
      let isMine = own.holds(Array(value.utf8))
      try await write(value, to: isMine ? pair.survivor : pair.absorbed, of: isMine ? shard : other)
      if isMine { pair.mine.insert(value) } else { pair.theirs.insert(value) }
    }
    return pair
  }

  private func leadership(
    _ replicas: [any HostedReplica], _ keys: HostedKeys, epoch: UInt32 = 1, isPaused: Bool = false
  ) -> Leadership {
    var conditions = leadership(epoch, replicas)
    (conditions.keys, conditions.isPaused) = (keys, isPaused)
    return conditions
  }

  private func absorption(
    _ absorbed: [any HostedReplica], leader: Int = 0, epoch: UInt32 = 1, pause: UInt64 = 0
  ) -> HostedAbsorption {
    HostedAbsorption(
      shard: other.number, source: peer(absorbed, leader), epoch: epoch, keys: theirs, own: own, pause: pause)
  }

  private func write(
    _ value: String, to replicas: [any HostedReplica], of shard: HostedShard, leader: Int = 0
  ) async throws {
    try await eventually("\(shard) takes a write") {
      for replica in replicas { _ = try? await replica.look() }
      return (try? await subject.write(value, to: replicas[leader], of: shard, node: names[leader])) != nil
    }
  }

  private func copy(
    _ replicas: [any HostedReplica], leader: Int = 0, _ absorption: HostedAbsorption, until wanted: AbsorptionProgress
  ) async throws {
    try await eventually("the copy is \(wanted)") {
      for replica in replicas { _ = try? await replica.look() }
      let progress = try await replicas[leader].absorb(absorption)
      try require(absorption.pause != 0 || progress != .complete, "nothing is complete while the source takes writes")
      return progress == wanted
    }
  }

  private func awaitEverywhere(
    _ values: Set<String>, _ replicas: [any HostedReplica], of shard: HostedShard
  ) async throws {
    for (place, replica) in replicas.enumerated() {
      try await eventually("\(names[place]) has all of \(shard) and no more") {
        _ = try await replica.look()
        return try await subject.read(replica, of: shard, node: names[place]) == values
      }
    }
  }

  func checkMerge(_ hosts: [any ShardHost]) async throws {
    var pair = try await pair(hosts)
    try require(!pair.mine.isEmpty && !pair.theirs.isEmpty, "the keys are divided at all")
    try await copy(pair.survivor, absorption(pair.absorbed), until: .near)
    // Both serve on, and what happens to the keys happens to the copies.
    let late = (0..<100).map { "late-\($0)" }.first { theirs.holds(Array($0.utf8)) } ?? ""
    try await write(late, to: pair.absorbed, of: other)
    pair.theirs.insert(late)
    let gone = pair.theirs.sorted()[0]
    try await subject.delete(gone, from: pair.absorbed[0], of: other, node: "a")
    pair.theirs.remove(gone)
    let fresh = (0..<100).map { "fresh-\($0)" }.first { own.holds(Array($0.utf8)) } ?? ""
    try await write(fresh, to: pair.survivor, of: shard)
    pair.mine.insert(fresh)
    try await pair.absorbed[0].lead(leadership(pair.absorbed, theirs, isPaused: true))
    try await requireThrows("a leader that is paused for a merge takes no writes") {
      try await subject.write(late, to: pair.absorbed[0], of: other, node: "a")
    }
    try await copy(pair.survivor, absorption(pair.absorbed, pause: 9), until: .complete)
    let values = pair.mine.union(pair.theirs)
    try require(
      try await subject.read(pair.survivor[0], of: shard, node: "a") == values, "complete is what has everything")
    try await eventually("the leader sees that its followers have the copies") {
      for replica in pair.survivor.dropFirst() { _ = try await replica.look() }
      let followers = try await pair.survivor[0].look().followers
      return followers.count == 2 && followers.allSatisfy(\.hasEverything)
    }
    try await pair.survivor[0].lead(leadership(pair.survivor, everything, epoch: 2))
    for replica in pair.survivor.dropFirst() { try await replica.follow(following(2, pair.survivor[0])) }
    for replica in pair.absorbed { try await replica.drop() }
    try await write(gone, to: pair.survivor, of: shard)
    try await awaitEverywhere(values.union([gone]), pair.survivor, of: shard)
  }

  func checkCancelledMerge(_ hosts: [any ShardHost]) async throws {
    let pair = try await pair(hosts)
    try await copy(pair.survivor, absorption(pair.absorbed), until: .near)
    try await awaitEverywhere(pair.mine.union(pair.theirs), pair.survivor, of: shard)
    try await eventually("what was copied is forgotten") {
      for replica in pair.survivor { _ = try await replica.look() }
      return try await pair.survivor[0].prune(keeping: own)
    }
    try await awaitEverywhere(pair.mine, pair.survivor, of: shard)
    try await awaitEverywhere(pair.theirs, pair.absorbed, of: other)
  }

  /// Another leads either shard by the time: what was copied before, and is gone since, does not come back.
  func checkInterruptedMerge(_ hosts: [any ShardHost]) async throws {
    var pair = try await pair(hosts)
    try await copy(pair.survivor, absorption(pair.absorbed), until: .near)
    try await awaitEverywhere(pair.mine.union(pair.theirs), pair.survivor, of: shard)
    try await change(leaderOf: pair.survivor, own)
    let gone = pair.theirs.sorted()[0]
    try await subject.delete(gone, from: pair.absorbed[0], of: other, node: "a")
    pair.theirs.remove(gone)
    try await awaitEverywhere(pair.theirs, pair.absorbed, of: other)
    try await change(leaderOf: pair.absorbed, theirs)
    try await requireThrows("who does not lead any more is not copied") {
      for _ in 0..<20 { _ = try await pair.survivor[1].absorb(absorption(pair.absorbed)) }
    }
    try await pair.absorbed[1].lead(paused(pair.absorbed, theirs))
    try await copy(
      pair.survivor, leader: 1, absorption(pair.absorbed, leader: 1, epoch: 2, pause: 12), until: .complete)
    try await awaitEverywhere(pair.mine.union(pair.theirs), pair.survivor, of: shard)
  }

  private func second(_ replicas: [any HostedReplica], _ keys: HostedKeys) -> Leadership {
    Leadership(
      epoch: 2, acknowledgements: 1,
      followers: [0, 2].map { HostedFollower(peer: peer(replicas, $0), isCounted: true) }, keys: keys)
  }

  private func paused(_ replicas: [any HostedReplica], _ keys: HostedKeys) -> Leadership {
    var conditions = second(replicas, keys)
    conditions.isPaused = true
    return conditions
  }

  /// The second leads in epoch 2, and the others follow it.
  private func change(leaderOf replicas: [any HostedReplica], _ keys: HostedKeys) async throws {
    for place in [1, 2] { _ = try await eventualPromise(replicas[place], 2) }
    try await replicas[1].lead(second(replicas, keys))
    for place in [0, 2] { try await replicas[place].follow(following(2, replicas[1])) }
    try await eventually("the second takes writes, and the others have them") {
      for replica in replicas { _ = try await replica.look() }
      let condition = try await replicas[1].look()
      return !condition.isFencing && condition.followers.allSatisfy(\.hasEverything)
    }
  }
}
