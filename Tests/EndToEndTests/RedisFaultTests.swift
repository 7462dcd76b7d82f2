import Foundation
import Testing

extension EndToEnd {
  /// What goes wrong with real databases under a control plane: each ends in a state that it knows and explains, and no
  /// acknowledged write is lost.
  @Suite(.enabled(if: RedisCluster.isPossible, "redis-server is not installed: Tools/setup --tests"))
  struct RedisFaultTests {
    @Test func aLeaderWhoseDatabaseHangsGivesWayAndComesBackAsAFollower() async throws {
      let redis = try await RedisCluster()
      let leader = try await redis.leader()
      redis.signal(leader, SIGSTOP)
      try await redis.awaitProblem(leader, "no answer", "nothing answers", "hangs")
      try await eventually("another leader") { !["", leader].contains(try await redis.leader()) }
      try await redis.awaitAlarm(leader)
      // The agent ends what hangs for long, and starts it anew.
      try await redis.requireNothingLost()
      try await eventually("the alarm to be over") { try await redis.cluster.json("status")["alarms"].list.isEmpty }
    }

    @Test func aLeaderWhoseDatabaseCrashesGoesOnWithWhatItHad() async throws {
      let redis = try await RedisCluster()
      let epoch = try await redis.shard()["epoch"].number
      for _ in 0..<3 {
        redis.signal(try await redis.leader(), SIGKILL)
        try await redis.awaitWhole()
      }
      #expect(try await redis.shard()["epoch"].number == epoch, "it is the same leader")
      try await redis.requireNothingLost()
    }

    @Test func aLeaderWhoseDataIsGoneGivesWayAndIsCopiedAnew() async throws {
      let redis = try await RedisCluster()
      let leader = try await redis.leader()
      let epoch = try #require(try await redis.shard()["epoch"].number)
      redis.signal(leader, SIGSTOP)
      try FileManager.default.removeItem(atPath: redis.cluster.directory.path("\(leader)/shard-1"))
      redis.signal(leader, SIGKILL)
      try await eventually("another leader") { !["", leader].contains(try await redis.leader()) }
      #expect(try #require(try await redis.shard()["epoch"].number) > epoch)
      try await redis.requireNothingLost()
    }

    @Test func aFullDiskEndsTheDatabaseAndNotTheData() async throws {
      try #require(geteuid() == 0, "a small disk is mounted")
      let redis = try await RedisCluster { name, cluster in
        // A disk of its own, in a name space of its own.
        let place = cluster.directory.path(name)
        try FileManager.default.createDirectory(atPath: place, withIntermediateDirectories: true)
        return [
          "/usr/bin/unshare", "--mount", "/bin/sh", "-c",
          "mount -t tmpfs -o size=16m none \"\(place)\" && exec \"$@\"", "sh",
        ]
      }
      let leader = try await redis.leader()
      let agent = try #require(redis.cluster.agent(leader)?.pid)
      let filler = "/proc/\(agent)/root\(redis.cluster.directory.path(leader))/filler"
      let isMade = FileManager.default.createFile(atPath: filler, contents: nil)
      try #require(isMade)
      let handle = try #require(FileHandle(forWritingAtPath: filler))
      while (try? handle.write(contentsOf: Data(repeating: 7, count: 4096))) != nil {}
      try handle.close()
      try await redis.awaitProblem(leader, "disk is full", "No space left")
      try await eventually("another leader") { !["", leader].contains(try await redis.leader()) }
      try await redis.awaitAlarm(leader)
      try FileManager.default.removeItem(atPath: filler)
      try await redis.requireNothingLost()
    }

    @Test func ofTwoAgentsWithOneNameTheOlderOneStops() async throws {
      let redis = try await RedisCluster()
      let node = try await redis.leader()
      let first = try #require(redis.cluster.agent(node))
      let place = redis.cluster.directory.path(node)

      // With the same directory the newer one does not start.
      let number = Int(node.dropFirst()) ?? 0
      func second(_ data: String) -> [String] {
        [
          "agent", "--name", node, "--server", redis.cluster.address, "--domain", "eu/z\(number - 1)/r\(number)",
          "--capacity", "disk=100GiB", "--host", "redis", "--data", data,
        ]
      }
      let refused = try await run(.muster, second(place), environment: ["PATH": "/usr/bin:/bin"])
      #expect(refused.code == 1)
      #expect(refused.error.contains("another agent works in"))
      #expect(first.code == nil)

      // With another it is the node from now on; the older one stops, and ends its servers.
      let other = redis.cluster.directory.path("other")
      let newer = try Running(.muster, second(other), environment: ["PATH": "/usr/bin:/bin"])
      defer { newer.finish(with: SIGTERM) }
      try await eventually("the older one to end") { first.code != nil }
      #expect(first.code == 1)
      #expect(first.error.contains("another process joined as \(node)"))
      #expect(redis.processes(of: node).isEmpty)
      try await redis.requireNothingLost()
    }
  }
}
