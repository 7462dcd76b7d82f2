import Foundation
import Testing

extension EndToEnd {
  /// Shards of real databases are split while clients write, and nothing that they were told is safe is lost.
  @Suite(
    .enabled(
      if: RedisCluster.isPossible && FileManager.default.isExecutableFile(atPath: "/usr/bin/redis-cli"),
      "redis-server is not installed: Tools/setup --tests"))
  struct RedisSplitTests {
    @Test func aShardIsSplitUnderLoadAndACollectionGrows() async throws {
      let redis = try await RedisCluster()
      _ = try await redis.cluster.json("shard", "split", "orders/0", "--wait")
      let (parent, child) = (try await redis.shard(0), try await redis.shard(1))
      #expect(parent["range"]["modulus"].number == 2 && parent["range"]["residue"].number == 0)
      #expect(child["range"]["modulus"].number == 2 && child["range"]["residue"].number == 1)
      #expect(child["epoch"].number == parent["epoch"].number)
      _ = try await redis.cluster.json("collection", "set", "orders", "--shards", "4", "--wait")
      #expect(try await redis.cluster.json("collection", "show", "orders")["shards"].number == 4)
      try await redis.requireNothingLost()
      try await requireKeysAreAtHome(redis, shards: 4)
    }

    @Test func aLeaderThatDiesInASplitTakesNothingAlong() async throws {
      let redis = try await RedisCluster()
      _ = try await redis.cluster.json("shard", "split", "orders/0")
      redis.signal(try await redis.leader(), SIGKILL)
      try await eventually(seconds: 90, "the split to be over") {
        try await redis.shard(0)["moving"].isNull
      }
      try await redis.requireNothingLost()
    }

    /// What a shard's leader has is what `route` says is its own.
    private func requireKeysAreAtHome(_ redis: RedisCluster, shards: Int) async throws {
      var seen = 0
      for index in 0..<shards {
        let shard = try await redis.shard(index)
        let leader = try #require(
          shard["replicas"].list.first { $0["role"].string == "leader" }?["address"].string?.split(separator: ":").last)
        let scan = try await Running(path: "/usr/bin/redis-cli", ["-p", String(leader), "--scan"]).wait()
        let keys = scan.lines.map(String.init)
        seen += keys.count
        for key in keys.prefix(40) {
          let route = try await redis.cluster.json("route", "orders", key)
          #expect(route["shard"].string == "orders/\(index)", "\(key)")
        }
      }
      #expect(seen > 0)
    }
  }
}
