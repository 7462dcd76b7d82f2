import Foundation
import MusterHosting
import Testing

import MusterHosts

/// What happens to real Redis processes, and what the host makes of it.
@Suite(.enabled(if: RedisProgram.isThere, "redis-server is not installed: Tools/setup --tests"), .serialized)
struct RedisFaultTests {
  private let shard = HostedShard(number: 7, collection: "orders", index: 6)

  /// A leader and a follower of epoch 1, each on a node of its own.
  private struct Pair {
    let place: Place
    let hosts: [RedisHost]
    let leader: any HostedReplica
    let follower: any HostedReplica

    func process(_ node: String) throws -> RedisProcess {
      RedisProcess(
        directory: "\(try place.node(node))/shard-7", host: "127.0.0.1", program: "redis-server", node: node)
    }

    func end() async {
      for host in hosts { await host.shutDown() }
    }
  }

  /// - Parameters:
  ///   - program: what the leader's host starts as Redis, made from a place.
  ///   - patience: of the leader's host.
  private func withPair(
    program: (Place) throws -> String = { _ in "redis-server" }, patience: Duration = .seconds(15),
    _ body: (Pair) async throws -> Void
  ) async throws {
    let place = try Place()
    let hosts = [
      RedisHost(directory: try place.node("a"), node: "a", program: try program(place), patience: patience),
      RedisHost(directory: try place.node("b"), node: "b"),
    ]
    let leader = try await hosts[0].open(shard, mustExist: false)
    let follower = try await hosts[1].open(shard, mustExist: false)
    let pair = Pair(place: place, hosts: hosts, leader: leader, follower: follower)
    do {
      try await leader.lead(leadership(follower))
      try await follower.follow(Following(epoch: 1, source: Peer(node: "a", address: leader.address)))
      try await eventually { try await follower.look().role == .following(isAttached: true) }
      try await body(pair)
    } catch {
      await pair.end()
      throw error
    }
    await pair.end()
  }

  private func leadership(_ follower: any HostedReplica) -> Leadership {
    Leadership(
      epoch: 1, acknowledgements: 1,
      followers: [HostedFollower(peer: Peer(node: "b", address: follower.address), isCounted: true)])
  }

  private func set(_ key: String, _ replica: any HostedReplica) async throws {
    let redis = try await RedisConnection.connect(replica.address)
    defer { redis.close() }
    _ = try await redis.call("SET", key, "1")
  }

  private func isSet(_ key: String, _ replica: any HostedReplica) async throws -> Bool {
    try await set(key, replica)
    return true
  }

  private func get(_ key: String, _ replica: any HostedReplica) async throws -> String? {
    let redis = try await RedisConnection.connect(replica.address)
    defer { redis.close() }
    return try await redis.call("GET", key).text
  }

  private func eventually(_ holds: () async throws -> Bool) async throws {
    for _ in 0..<200 {
      if (try? await holds()) == true { return }
      try await Task.sleep(for: .milliseconds(50))
    }
    try #require(Bool(false), "waited 10 s")
  }

  @Test func aLeaderThatCrashedHasEverythingAndBeginsAnotherHistory() async throws {
    try await withPair { pair in
      try await eventually { try await isSet("k", pair.leader) }
      let before = try #require(try await pair.leader.look().position)
      try pair.process("a").kill()
      try await eventually { try await pair.leader.look().role == .idle }
      await #expect(throws: (any Error).self, "it takes no writes by itself") { try await set("x", pair.leader) }
      try await pair.leader.lead(leadership(pair.follower))
      #expect(try await get("k", pair.leader) == "1")
      let after = try #require(try await pair.leader.look().position)
      #expect(after.history == before.history + 1, "offsets began anew: they must not be compared with those before")
      try await eventually {
        try await pair.follower.look().position?.history == after.history
      }
    }
  }

  @Test func aLeaderThatCrashedPromisesThatNobodyHasMore() async throws {
    try await withPair { pair in
      try await eventually { try await isSet("k", pair.leader) }
      let other = try await pair.follower.promise(epoch: 2)
      for _ in 0..<2 {
        try pair.process("a").kill()
        try await eventually { try await pair.leader.look().role == .idle }
        #expect(try await pair.leader.promise(epoch: 2) > other)
      }
      let next = Leadership(epoch: 2, acknowledgements: 0, followers: [])
      try await pair.leader.lead(next)
      #expect(try await get("k", pair.leader) == "1")

      // Once it copied from another it is a follower like any.
      try await pair.follower.lead(Leadership(epoch: 3, acknowledgements: 0, followers: []))
      try await pair.leader.follow(Following(epoch: 3, source: Peer(node: "b", address: pair.follower.address)))
      try pair.process("a").kill()
      try await eventually { try await pair.leader.look().role == .idle }
      await #expect(throws: HostProblem.self) { try await pair.leader.promise(epoch: 4) }
    }
  }

  @Test func aFollowerThatCrashedPromisesNothingBeforeItCopiedAgain() async throws {
    try await withPair { pair in
      try await eventually { try await isSet("k", pair.leader) }
      try pair.process("b").kill()
      try await eventually { try await pair.follower.look().role == .idle }
      await #expect(throws: HostProblem.self) { try await pair.follower.promise(epoch: 1) }
      try await pair.follower.follow(Following(epoch: 1, source: Peer(node: "a", address: pair.leader.address)))
      try await eventually { try await pair.follower.look().position != nil }
      #expect(try await pair.follower.promise(epoch: 2).history == HostPosition.history(epoch: 1, run: 0))
    }
  }

  @Test func aProcessThatHangsIsSaidToHang() async throws {
    try await withPair { pair in
      let pid = try #require(try pair.process("a").pid)
      kill(pid, SIGSTOP)
      defer { kill(pid, SIGCONT) }
      await #expect(throws: HostProblem.self) { try await pair.leader.look() }
      let seen = try await pair.follower.look()
      #expect(seen.role == .following(isAttached: true), "that the other hangs is not its problem")
    }
  }

  /// A Redis that reads each command from its file as slowly as from a very slow disk.
  private func slowlyLoading(_ place: Place) throws -> String {
    let path = "\(place.root)/slow-redis"
    try "#!/bin/sh\nexec redis-server \"$@\" --key-load-delay 300\n".write(
      toFile: path, atomically: true, encoding: .utf8)
    try FileManager.default.setAttributes([.posixPermissions: 0o700], ofItemAtPath: path)
    return path
  }

  private let loading = HostProblem.notNow("Redis is loading its data from disk")

  @Test func whileALeaderLoadsItSaysSoAndAnotherLeads() async throws {
    try await withPair(program: slowlyLoading, patience: .seconds(3)) { pair in
      let redis = try await RedisConnection.connect(pair.leader.address)
      defer { redis.close() }
      try await eventually { try await isSet("k", pair.leader) }
      let code = "for i = 1, 20000 do redis.call('SET', 'many' .. i, i) end"
      _ = try await redis.call("EVAL", code, "0")
      try await eventually {
        try await pair.follower.look().position == pair.leader.look().position
      }
      try pair.process("a").kill()
      func seen() async throws -> HostProblem? {
        do { _ = try await pair.leader.look() } catch { return error as? HostProblem }
        return nil
      }
      try await eventually { try await seen() == loading }
      let pid = try #require(try pair.process("a").pid)
      await #expect(throws: loading) { try await pair.leader.lead(leadership(pair.follower)) }
      await #expect(throws: loading) { try await pair.leader.promise(epoch: 2) }
      await #expect(throws: loading, "so does an agent that is started meanwhile") {
        let again = RedisHost(directory: try pair.place.node("a"), node: "a", program: "redis-server")
        _ = try await again.open(shard, mustExist: true)
      }

      // The other has everything, and does not wait for one that loads.
      _ = try await pair.follower.promise(epoch: 2)
      let next = Leadership(
        epoch: 2, acknowledgements: 0,
        followers: [HostedFollower(peer: Peer(node: "a", address: pair.leader.address), isCounted: true)])
      try await pair.follower.lead(next)
      try await eventually {
        let condition = try await pair.follower.look()
        #expect(condition.followers.first?.hasEverything != true)
        return try await isSet("later", pair.follower)
      }
      #expect(try await get("many20000", pair.follower) == "20000")
      #expect(try await seen() == loading, "it loads still: the test would prove nothing otherwise")

      // It is let finish, for longer than one that says nothing is waited for, and follows then.
      try await eventually { try await seen() == nil }
      #expect(try pair.process("a").pid == pid, "nobody ended it")
      try await pair.leader.follow(Following(epoch: 2, source: Peer(node: "b", address: pair.follower.address)))
      try await eventually { try await get("later", pair.leader) == "1" }
    }
  }

  @Test func aPortThatSomebodyElseTookIsLeftToThem() async throws {
    try await withPair { pair in
      let port = try #require(RedisConnection.parts(pair.leader.address)?.port)
      try pair.process("a").kill()
      try await eventually { try pair.process("a").pid == nil }
      // Another Redis, which knows nothing of our passwords.
      let theirs = try pair.place.node("theirs")
      let stranger = RedisProcess(directory: theirs, host: "127.0.0.1", program: "redis-server", node: "x")
      _ = try stranger.start(ReplicaRecord(port: UInt16(port), password: "theirs"))
      defer { stranger.kill() }
      try await eventually { stranger.pid != nil && !Port.isFree(UInt16(port), "127.0.0.1") }
      await #expect(throws: HostProblem.self) { try await pair.leader.look() }
      let again = try await pair.hosts[0].open(shard, mustExist: true)
      #expect(again.address != pair.leader.address)
      try await again.lead(leadership(pair.follower))
      #expect(stranger.pid != nil)
    }
  }

  @Test func aDirectoryThatIsGoneIsLostDataAndNotANewReplica() async throws {
    try await withPair { pair in
      try pair.process("b").kill()
      try FileText.delete("\(try pair.place.node("b"))/shard-7")
      var problem: HostProblem?
      try await eventually {
        do { _ = try await pair.follower.look() } catch { problem = error as? HostProblem }
        return problem == .closed("its directory is gone")
      }
      let again = try await pair.hosts[1].open(shard, mustExist: true)
      await #expect(throws: HostProblem.self) { try await again.promise(epoch: 1) }
    }
  }

  /// A write that only one replica has, as a bug or a bad memory module makes it.
  @Test func dataThatDiffersAtTheSamePositionHasAnotherChecksum() async throws {
    try await withPair { pair in
      try await eventually { try await isSet("k", pair.leader) }
      try await eventually {
        let (a, b) = (try await pair.leader.checksum(), try await pair.follower.checksum())
        return a != nil && a == b
      }
      let record = try #require(try ReplicaRecord.read(try pair.process("b").directory))
      let redis = try await RedisConnection.connect(pair.follower.address)
      defer { redis.close() }
      _ = try await redis.call("AUTH", "muster", record.password)
      for words in [
        ["CONFIG", "SET", "replica-read-only", "no"], ["SET", "rotten", "1"],
        ["CONFIG", "SET", "replica-read-only", "yes"],
      ] { _ = try await redis.call(words) }
      try await eventually {
        guard let a = try await pair.leader.checksum(), let b = try await pair.follower.checksum() else { return false }
        return a.position == b.position && a.value != b.value
      }
      try await pair.follower.wipe()
      try await pair.follower.follow(Following(epoch: 1, source: Peer(node: "a", address: pair.leader.address)))
      try await eventually { try await get("k", pair.follower) == "1" }
      #expect(try await get("rotten", pair.follower) == nil)
    }
  }

  @Test func usersCannotChangeWhoLeads() async throws {
    try await withPair { pair in
      let redis = try await RedisConnection.connect(pair.leader.address)
      defer { redis.close() }
      for words in [
        ["REPLICAOF", "NO", "ONE"], ["CONFIG", "SET", "min-replicas-to-write", "0"], ["SHUTDOWN"],
        ["FUNCTION", "FLUSH"],
        ["FUNCTION", "DELETE", "muster"], ["ACL", "SETUSER", "x"], ["DEBUG", "JMAP"], ["FAILOVER"],
      ] {
        await #expect(throws: RedisError.self, "\(words)") { try await redis.call(words) }
      }
      try await eventually { try await isSet("k", pair.leader) }
      _ = try await redis.call("FLUSHALL")
      #expect(try await pair.leader.look().position?.history == HostPosition.history(epoch: 1, run: 0))
    }
  }
}
