import MusterHosting
import Synchronization

/// A whole host, as an example, and as a proof that the protocols ask for no more than they say.
struct MemoryHost: ShardHost {
  let name = "memory"
  let canSplit = true
  let canMerge = true
  let node: String
  let database: MemoryDatabase

  func open(_ shard: HostedShard, mustExist: Bool) async throws -> any HostedReplica {
    let address = "\(node):\(shard.number)"
    database.replicas.withLock { $0[address] = $0[address] ?? MemoryDatabase.Replica(isLost: mustExist) }
    return MemoryReplica(address: address, database: database)
  }

  func keepOnly(_ shards: Set<UInt32>) async throws {
    let kept = Set(shards.map { "\(node):\($0)" })
    database.replicas.withLock { all in all = all.filter { !$0.key.hasPrefix("\(node):") || kept.contains($0.key) } }
  }

  func shutDown() async {
    database.replicas.withLock { all in
      for place in all.keys where place.hasPrefix("\(node):") {
        all[place]?.leadership = nil
        all[place]?.following = nil
      }
    }
  }
}

struct MemoryReplica: HostedReplica {
  let address: String
  let database: MemoryDatabase

  private func change<T>(_ body: (inout MemoryDatabase.Replica, [String: MemoryDatabase.Replica]) throws -> T) throws
    -> T
  {
    try database.replicas.withLock { all in
      guard var mine = all[address] else { throw HostProblem.closed("there is no such replica") }
      defer { all[address] = mine }
      return try body(&mine, all)
    }
  }

  func look() async throws -> ReplicaCondition {
    try change { mine, all in
      var condition = ReplicaCondition(role: mine.following == nil ? .idle : .following(isAttached: false))
      if let leadership = mine.leadership {
        condition.role = .leading(epoch: leadership.epoch)
        let position = mine.position
        func progress(_ peer: Peer, _ isAttached: (MemoryDatabase.Replica) -> Bool) -> FollowerProgress {
          let theirs = all[peer.address].flatMap { isAttached($0) ? $0.position : nil }
          let lag = theirs.flatMap { $0.history == position.history ? position.offset - $0.offset : nil }
          return FollowerProgress(node: peer.node, hasEverything: lag == 0, lag: lag)
        }
        condition.followers = leadership.followers.map { progress($0.peer) { $0.source == address } }
        condition.copies = (leadership.copies?.peers ?? []).map {
          progress($0) { $0.following?.parent != nil && $0.promised == leadership.epoch }
        }
      } else if let source = mine.source.flatMap({ all[$0] }), source.promised == mine.promised {
        // Only a replica of the same epoch is copied from, and then all of it.
        (mine.values, mine.position, mine.isLost) = (source.values, source.position, source.isLost)
        condition.role = .following(isAttached: true)
      }
      condition.isEmptied = mine.isLost
      condition.position = mine.isLost ? nil : mine.position
      return condition
    }
  }

  func lead(_ leadership: Leadership) async throws {
    try change { mine, _ in
      try mine.requirePromise(leadership.epoch)
      try mine.requireData()
      if mine.leadership?.epoch != leadership.epoch {
        // A history of its own begins before the first write.
        let run =
          mine.position.history >> 32 == UInt64(leadership.epoch)
          ? UInt32(truncatingIfNeeded: mine.position.history) &+ 1 : 0
        mine.position = HostPosition(history: HostPosition.history(epoch: leadership.epoch, run: run), offset: 0)
      }
      (mine.leadership, mine.following, mine.promised) = (leadership, nil, leadership.epoch)
    }
  }

  func follow(_ following: Following) async throws {
    try change { mine, _ in
      try mine.requirePromise(following.epoch)
      (mine.leadership, mine.following, mine.promised) = (nil, following, following.epoch)
    }
  }

  func promise(epoch: UInt32) async throws -> HostPosition {
    try change { mine, _ in
      (mine.leadership, mine.following, mine.promised) = (nil, nil, max(mine.promised, epoch))
      try mine.requireData()
      return mine.position
    }
  }

  func prune(keeping keys: HostedKeys) async throws -> Bool {
    try database.prune(keeping: keys, at: address)
    return true
  }

  func absorb(_ absorption: HostedAbsorption) async throws -> AbsorptionProgress {
    try database.absorb(absorption, at: address)
    return absorption.pause == 0 ? .near : .complete
  }

  func checksum() async throws -> ReplicaChecksum? {
    try change { mine, _ in
      guard !mine.isLost, mine.position.history > 0 else { return nil }
      let bytes = mine.values.sorted().joined(separator: "\n").utf8
      let digest = bytes.reduce(0xcbf2_9ce4_8422_2325 as UInt64) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
      return ReplicaChecksum(position: mine.position, value: String(digest, radix: 16))
    }
  }

  func wipe() async throws {
    try change { mine, _ in mine = MemoryDatabase.Replica(promised: mine.promised, isLost: true) }
  }

  func drop() async throws { database.replicas.withLock { $0[address] = nil } }
}
