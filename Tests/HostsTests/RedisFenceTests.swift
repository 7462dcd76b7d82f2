import Foundation
import MusterHosting
import Synchronization
import Testing

import MusterHosts

/// Two leaders never take writes at the same time, whatever the network does.
@Suite(.enabled(if: RedisProgram.isThere, "redis-server is not installed: Tools/setup --tests"), .serialized)
struct RedisFenceTests {
  private let shard = HostedShard(number: 7, collection: "orders", index: 6)

  private struct Trio {
    let place: Place
    var hosts: [RedisHost] = []
    var replicas: [any HostedReplica] = []
    /// How b and c reach a, and a them.
    var links: [CutLink] = []

    func peer(_ index: Int) -> Peer { Peer(node: ["a", "b", "c"][index], address: replicas[index].address) }
  }

  /// A leader whose two followers reach it, and are reached, over links that can be cut.
  private func withTrio(_ body: (Trio) async throws -> Void) async throws {
    var trio = Trio(place: try Place())
    for node in ["a", "b", "c"] {
      let host = RedisHost(directory: try trio.place.node(node), node: node)
      trio.hosts.append(host)
      trio.replicas.append(try await host.open(shard, mustExist: false))
    }
    trio.links = [try CutLink(to: trio.replicas[0].address), try CutLink(to: trio.replicas[0].address)]
    do {
      try await trio.replicas[0].lead(
        Leadership(
          epoch: 1, acknowledgements: 1,
          followers: [1, 2].map { HostedFollower(peer: trio.peer($0), isCounted: true) }))
      for (link, follower) in zip(trio.links, trio.replicas.dropFirst()) {
        try await follower.follow(Following(epoch: 1, source: Peer(node: "a", address: link.address)))
      }
      for follower in trio.replicas.dropFirst() {
        try await eventually {
          let seen = try await follower.look()
          return seen.role == .following(isAttached: true) && seen.position != nil
        }
      }
      try await body(trio)
    } catch {
      await end(trio)
      throw error
    }
    await end(trio)
  }

  private func end(_ trio: Trio) async {
    for link in trio.links { link.close() }
    for host in trio.hosts { await host.shutDown() }
  }

  private func eventually(_ holds: () async throws -> Bool) async throws {
    for _ in 0..<300 {
      if (try? await holds()) == true { return }
      try await Task.sleep(for: .milliseconds(50))
    }
    try #require(Bool(false), "waited 15 s")
  }

  /// A client of the old leader, on its side of the cut.
  private struct Client {
    var lastTaken: ContinuousClock.Instant?
    var taken = 0
    /// How many replicas had a write that was sent after the cut, at most.
    var acknowledged: Int64 = 0

    mutating func write(to address: String) async throws {
      let redis = try await RedisConnection.connect(address)
      defer { redis.close() }
      guard (try? await redis.call("SET", "cut", "\(taken)")) != nil else { return }
      lastTaken = .now
      taken += 1
      guard case .integer(let count) = try await redis.call("WAIT", "1", "50") else { return }
      acknowledged = max(acknowledged, count)
    }
  }

  @Test func aLeaderThatIsCutOffTakesNoWritesBeforeTheNextOneTakesTheFirst() async throws {
    try await withTrio { trio in
      let isOver = Mutex(false)
      for link in trio.links { link.sever() }
      let address = trio.replicas[0].address
      async let client = {
        var client = Client()
        while !isOver.withLock({ $0 }) {
          try await client.write(to: address)
          try await Task.sleep(for: .milliseconds(20))
        }
        return client
      }()

      // Its own agent hears of nothing. The others promise at once, and one of them is elected.
      let positions = [try await trio.replicas[1].promise(epoch: 2), try await trio.replicas[2].promise(epoch: 2)]
      #expect(positions[0].history == positions[1].history)
      let cutOff = Peer(node: "a", address: trio.links[0].address)
      let leadership = Leadership(
        epoch: 2, acknowledgements: 1,
        followers: [HostedFollower(peer: cutOff, isCounted: true), HostedFollower(peer: trio.peer(2), isCounted: true)])
      try await trio.replicas[1].lead(leadership)
      try await trio.replicas[2].follow(Following(epoch: 2, source: trio.peer(1)))
      let waiting = try await trio.replicas[1].look()
      #expect(waiting.problem.contains("waits until"), "who asks is told why it takes no writes: \(waiting.problem)")
      #expect(waiting.followers.allSatisfy { !$0.hasEverything }, "it hands over to nobody meanwhile")

      try await eventually {
        _ = try await trio.replicas[1].look()
        let redis = try await RedisConnection.connect(trio.replicas[1].address)
        defer { redis.close() }
        _ = try await redis.call("SET", "new", "1")
        return true
      }
      let firstOfTheNext = ContinuousClock.now
      // The old one goes on being asked for a while.
      try await Task.sleep(for: .milliseconds(500))
      isOver.withLock { $0 = true }
      let old = try await client
      #expect(old.taken > 0, "cut off, it took writes for a while: the test would prove nothing otherwise")
      #expect(old.acknowledged == 0, "nobody ever acknowledged one of them")
      #expect(try #require(old.lastTaken) < firstOfTheNext)
      #expect(try await trio.replicas[1].look().problem.isEmpty)
    }
  }

  @Test func aLeaderThatIsGoneIsNotWaitedFor() async throws {
    try await withTrio { trio in
      RedisProcess(
        directory: "\(try trio.place.node("a"))/shard-7", host: "127.0.0.1", program: "redis-server", node: "a"
      ).kill()
      _ = try await trio.replicas[1].promise(epoch: 2)
      _ = try await trio.replicas[2].promise(epoch: 2)
      try await trio.replicas[1].lead(
        Leadership(
          epoch: 2, acknowledgements: 0,
          followers: [0, 2].map { HostedFollower(peer: trio.peer($0), isCounted: true) }))
      #expect(try await trio.replicas[1].look().problem.isEmpty, "that nobody listens there was seen at once")
      let redis = try await RedisConnection.connect(trio.replicas[1].address)
      defer { redis.close() }
      _ = try await redis.call("SET", "new", "1")
    }
  }

  @Test func whoWaitsIsCutOffBeforeAStrangerCopiesWhatIsNotAcknowledged() async throws {
    try await withTrio { trio in
      let leader = trio.replicas[0]
      func lead(_ other: HostedFollower?, isPaused: Bool) async throws {
        let followers = [HostedFollower(peer: trio.peer(1), isCounted: true)] + (other.map { [$0] } ?? [])
        try await leader.lead(
          Leadership(epoch: 1, acknowledgements: 1, followers: followers, isPaused: isPaused))
      }
      func stranger() async throws -> FollowerProgress? {
        try await leader.look().followers.first { $0.node == "c" }
      }
      try await lead(nil, isPaused: false)
      let writer = try await RedisConnection.connect(leader.address)
      _ = try await writer.call("SET", "key", "value")
      // Two replicas shall have it, and only one is there that may.
      let waiting = Task { try? await writer.call("WAIT", "2", "0") }
      func isWaiting() async throws -> Bool {
        let other = try await RedisConnection.connect(leader.address)
        defer { other.close() }
        return try await other.call("INFO", "clients").text?.contains("blocked_clients:1") == true
      }
      try await eventually { try await isWaiting() }
      try await lead(HostedFollower(peer: trio.peer(2), isCounted: false, isStranger: true), isPaused: true)
      #expect(try await !isWaiting())
      #expect(await waiting.value == nil, "it hears nothing of replicas")
      try await eventually { try await stranger()?.hasEverything == true }
      let another = try await RedisConnection.connect(leader.address)
      await #expect(throws: (any Error).self) { try await another.call("SET", "key", "other") }
      try await lead(HostedFollower(peer: trio.peer(2), isCounted: true), isPaused: false)
      #expect(try await another.call("SET", "key", "other").text == "OK")
      another.close()
    }
  }

  @Test func anAgentThatIsStartedMeanwhileWaitsAnew() async throws {
    try await withTrio { trio in
      for link in trio.links { link.sever() }
      _ = try await trio.replicas[1].promise(epoch: 2)
      let cutOff = Peer(node: "a", address: trio.links[0].address)
      let leadership = Leadership(
        epoch: 2, acknowledgements: 0, followers: [HostedFollower(peer: cutOff, isCounted: true)])
      try await trio.replicas[1].lead(leadership)
      let again = RedisHost(directory: try trio.place.node("b"), node: "b")
      let replica = try await again.open(shard, mustExist: true)
      try await replica.lead(leadership)
      let redis = try await RedisConnection.connect(replica.address)
      defer { redis.close() }
      await #expect(throws: RedisError.self) { try await redis.call("SET", "new", "1") }
      try await eventually {
        _ = try await replica.look()
        _ = try await redis.call("SET", "new", "1")
        return true
      }
    }
  }
}
