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
      try await eventually("another leader") {
        // On a slow machine its agent starts it anew before anybody else is elected: then it leads on.
        redis.signal(leader, SIGSTOP)
        return !["", leader].contains(try await redis.leader())
      }
      try await redis.awaitAlarm(leader)
      // The agent ends what hangs for long, and starts it anew.
      try await redis.requireNothingLost()
      try await eventually("the alarm to be over") { try await redis.cluster.json("status")["alarms"].list.isEmpty }
    }

    @Test func aLeaderWhoseDatabaseCrashesGoesOnWithWhatItHad() async throws {
      let redis = try await RedisCluster()
      let epoch = try await redis.shard()["epoch"].number
      for _ in 0..<3 {
        let leader = try await redis.leader()
        let crashed = redis.processes(of: leader)
        redis.signal(leader, SIGKILL)
        try await eventually("another database at \(leader)") {
          let running = redis.processes(of: leader)
          return running.count == crashed.count && Set(running).isDisjoint(with: crashed)
        }
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

    @Test func dataOfAnOlderEpochIsNeitherElectedNorKept() async throws {
      let redis = try await RedisCluster()
      let (files, root) = (FileManager.default, redis.cluster.directory)
      // A node whose disk is set back to what it was an epoch ago.
      let (leader, old) = (try await redis.leader(), try await redis.follower())
      redis.cluster.killAgent(old)
      redis.signal(old, SIGKILL)
      try files.copyItem(atPath: root.path(old), toPath: root.path("kept"))
      try redis.start(old)
      try await redis.awaitWhole()
      let heir = try #require(RedisCluster.names.first { $0 != old && $0 != leader })
      _ = try await redis.cluster.json("lead", "orders/0", heir)
      try await eventually("the heir to lead") { try await redis.leader() == heir }
      try await redis.awaitWhole()
      redis.cluster.killAgent(old)
      redis.signal(old, SIGKILL)
      try files.removeItem(atPath: root.path(old))
      try files.moveItem(atPath: root.path("kept"), toPath: root.path(old))
      // The leader is lost at the same time. The third does not know alone whether it has everything: nobody leads, until
      // the leader is back and says that nobody has more.
      redis.cluster.killAgent(heir)
      redis.signal(heir, SIGKILL)
      try redis.start(old)
      try await redis.awaitProblem(old, "started anew", "earlier history", "data is gone")
      #expect(try await redis.leader() != old)
      try redis.start(heir)
      try await eventually("the heir to lead again") { try await redis.leader() == heir }
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

    @Test func ofTwoAgentsWithOneNameTheNewerWaitsUntilTheOlderIsDownWhichThenStops() async throws {
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

      // With another it is somebody else, and is refused the name of one that lives.
      let other = redis.cluster.directory.path("other")
      let stranger = try await run(.muster, second(other), environment: ["PATH": "/usr/bin:/bin"])
      #expect(stranger.code == 1)
      #expect(stranger.error.contains("node \(node) is another process"))
      #expect(first.code == nil)

      // Of one that hangs it gets it once that is down; when the older one goes on it stops, and ends its servers.
      kill(first.pid, SIGSTOP)
      let newer = try Running(.muster, second(other), environment: ["PATH": "/usr/bin:/bin"])
      defer { newer.finish(with: SIGTERM) }
      try await eventually("the newer one to join") { newer.error.contains("joined as node") }
      kill(first.pid, SIGCONT)
      try await eventually("the older one to end") { first.code != nil }
      #expect(first.code == 1)
      #expect(first.error.contains("another process joined as \(node)"))
      #expect(redis.processes(of: node).isEmpty)
      try await redis.requireNothingLost()
    }

    /// Who is killed, and at which step of a move of the leader.
    @Test(arguments: ["from", "to", "third"])
    func anAgentKilledAtAnyStepOfAMoveGoesOnWhereItWas(_ who: String) async throws {
      let redis = try await RedisCluster(nodes: RedisCluster.names + ["n4"])
      // A shard moves to and fro between the two nodes of one zone.
      let ends = ["n1", "n4"]
      for step in ["catching-up", "promoted", "handed-over", "finished"] {
        let nodes = try await redis.shard()["replicas"].list.compactMap { $0["node"].string }
        let from = try #require(ends.first { nodes.contains($0) })
        let to = try #require(ends.first { $0 != from })
        if try await redis.leader() != from {
          _ = try await redis.cluster.json("lead", "orders/0", from)
          try await eventually("\(from) to lead") { try await redis.leader() == from }
        }
        let revision = try #require(
          try await redis.cluster.json("move", "orders/0", "--from", from, "--to", to)["revision"].number)
        let victim = who == "from" ? from : who == "to" ? to : "n2"
        try await eventually("the step \(step)") {
          let events = try await redis.cluster.json("log", "--shard", "orders/0", "--from", "\(revision)")["commits"]
          return events.list.flatMap { $0["events"].list }.contains {
            ["MoveStarted", "MoveAdvanced"].contains($0["type"].string) && $0["step"].string == step
          }
        }
        redis.cluster.killAgent(victim)
        try redis.start(victim)
        try await eventually("the move to \(to) to be done") {
          let shard = try await redis.shard()
          let now = shard["replicas"].list.compactMap { $0["node"].string }
          return shard["moving"].isNull && now.contains(to) && !now.contains(from)
        }
        try await redis.awaitWhole()
      }
      try await redis.requireNothingLost()
    }
  }
}
