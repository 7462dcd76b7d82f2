import Foundation
import Testing

extension EndToEnd {
  /// Shards of real databases are put together while clients write, and nothing that they were told is safe is lost.
  @Suite(
    .enabled(
      if: RedisCluster.isPossible && FileManager.default.isExecutableFile(atPath: "/usr/bin/redis-cli"),
      "redis-server is not installed: Tools/setup --tests"))
  struct RedisMergeTests {
    @Test func shardsArePutTogetherUnderLoad() async throws {
      let redis = try await RedisCluster(shards: 4)
      _ = try await redis.cluster.json("shard", "merge", "orders/3", "--wait", "--timeout", "90s")
      let survivor = try await redis.shard(1)
      #expect(survivor["range"]["modulus"].number == 2 && survivor["range"]["residue"].number == 1)
      _ = try await redis.cluster.json("collection", "set", "orders", "--shards", "1", "--wait", "--timeout", "120s")
      try await redis.requireNothingLost()
      #expect(try await redis.cluster.json("shard", "list")["shards"].list.count == 1)
    }

    /// Whichever of the two leaders dies, and whenever: the merge is called off or goes on, and nothing is lost.
    @Test(arguments: [0, 1])
    func aLeaderThatDiesInAMergeTakesNothingAlong(_ index: Int) async throws {
      let redis = try await RedisCluster(shards: 2)
      _ = try await redis.cluster.json("shard", "merge", "orders/0")
      redis.signal(try await redis.leader(index), SIGKILL)
      try await eventually(seconds: 90, "the merge to be over") {
        try await redis.shard(0)["moving"].isNull
      }
      try await redis.requireNothingLost()
    }

    /// What is called off leaves each key where it was, and nowhere else.
    @Test func aMergeThatIsCalledOffLeavesNothingBehind() async throws {
      let redis = try await RedisCluster(shards: 2)
      _ = try await redis.cluster.json("shard", "merge", "orders/0")
      _ = try? await redis.cluster.json("shard", "merge", "orders/0", "--cancel")
      try await eventually(seconds: 60, "the merge to be over") { try await redis.shard(0)["moving"].isNull }
      try await redis.requireNothingLost()
      let shards = try await redis.cluster.json("shard", "list")["shards"].list
      for shard in shards {
        let name = try #require(shard["shard"].string)
        try await eventually(seconds: 30, "\(name) to have its own keys alone") {
          let port = shard["replicas"].list.first { $0["role"].string == "leader" }?["address"].string?
            .split(separator: ":").last
          let scan = try await Running(path: "/usr/bin/redis-cli", ["-p", String(try #require(port)), "--scan"]).wait()
          for key in scan.lines.map(String.init).prefix(30) {
            guard try await redis.cluster.json("route", "orders", key)["shard"].string == name else { return false }
          }
          return !scan.lines.isEmpty
        }
      }
    }
  }
}
