import Foundation
import Testing

extension EndToEnd {
  /// Splits and growth as an operator meets them, over nodes that host nothing.
  @Suite struct SplitCommandTests {
    private func cluster() async throws -> TestCluster {
      let cluster = try await TestCluster()
      for node in 1...3 {
        try cluster.startAgent("n\(node)", domain: "eu/z\(node)/r\(node)", ["--capacity", "disk=100GiB"])
      }
      try await eventually("three nodes") { try await cluster.json("status")["nodes"]["up"].number == 3 }
      _ = try await cluster.json(
        "collection", "create", "orders", "--shards", "3", "--replicas", "3", "--spread", "zone", "--wait")
      return cluster
    }

    @Test func shardsAreSplitAndCollectionsGrowAndThePastStaysAsItWas() async throws {
      let cluster = try await cluster()
      let before = try #require(try await cluster.json("status")["revision"].number)
      _ = try await cluster.json("shard", "split", "orders/1", "--wait")
      let child = try await cluster.json("shard", "show", "orders/3")
      #expect(child["range"]["residue"].number == 4 && child["range"]["modulus"].number == 6)
      // The server dies while it grows.
      _ = try await cluster.json("collection", "set", "orders", "--shards", "8")
      cluster.kill()
      try await cluster.restart()
      _ = try await cluster.json("collection", "set", "orders", "--shards", "9", "--wait")
      let grown = try await cluster.json("collection", "show", "orders")
      #expect(grown["shards"].number == 9 && grown["foundedShards"].number == 3 && grown["wantedShards"].isNull)
      #expect(grown["splits"].list.count == 6)
      try await requireOneOwner(cluster)
      let then = try await cluster.json("collection", "show", "orders", "--at", "\(before)")
      #expect(then["shards"].number == 3 && then["splits"].list.isEmpty)
      let why = try await cluster.json("why", "shard/orders/3")
      #expect(why.text.contains("orders/3"), "\(why.text)")
    }

    @Test func aPlanShowsSplitsAndMergesAndIsAppliedAsShown() async throws {
      let cluster = try await cluster()
      let file = cluster.directory.path("plan.json")
      let plan = try await cluster.json("plan", "--shards", "orders=5", "--save", file)
      #expect(plan["steps"].list.map { $0["what"].string } == ["split", "split"])
      #expect(plan["steps"].list.map { $0["shard"].string } == ["orders/0", "orders/1"])
      #expect(plan["steps"].list.map { $0["partner"].string } == ["orders/3", "orders/4"])
      #expect(try await cluster.json("collection", "show", "orders")["shards"].number == 3)
      let applied = try await cluster.muster("plan", "apply", file, "--wait")
      #expect(applied.code == 0, "\(applied.error)")
      let grown = try await cluster.json("collection", "show", "orders")
      #expect(grown["shards"].number == 5)
      let back = try await cluster.json("plan", "--shards", "orders=4")["steps"].list
      #expect(back.map { $0["what"].string } == ["merge"])
      #expect(back.map { $0["shard"].string } == ["orders/1"])
      #expect(back.map { $0["partner"].string } == ["orders/4"])
    }

    /// What `route` says is what the ranges of the shards say.
    private func requireOneOwner(_ cluster: TestCluster) async throws {
      let shards = try await cluster.json("shard", "list")["shards"].list
      var widths = 0.0
      for shard in shards { widths += 1 / Double(try #require(shard["range"]["modulus"].number)) }
      #expect(abs(widths - 1) < 1e-9, "the ranges are all there is")
      var found: Set<String> = []
      for key in 0..<40 {
        let route = try await cluster.json("route", "orders", "key-\(key)")
        let shard = try #require(shards.first { $0["shard"].string == route["shard"].string })
        #expect(shard["range"]["modulus"].number == route["range"]["modulus"].number)
        found.insert(try #require(route["shard"].string))
      }
      #expect(found.count > 5)
    }

    @Test func whatCannotBeIsRefusedAndWhatWasBegunIsCalledOff() async throws {
      let cluster = try await cluster()
      let fewer = try await cluster.muster("collection", "set", "orders", "--shards", "2")
      #expect(fewer.code == 1 && fewer.error.contains("comes down to 3"), "\(fewer.error)")
      let idle = try await cluster.muster("shard", "split", "orders/0", "--cancel")
      #expect(idle.code == 1 && idle.error.contains("no split"), "\(idle.error)")
      let nobody = try await cluster.muster("shard", "split", "orders/7")
      #expect(nobody.code == 1, "\(nobody.error)")
    }

    /// Names of shards that came of splits are learnt from the log alone, by both verifiers.
    @Test func anExportWithSplitsIsProved() async throws {
      let cluster = try await cluster()
      _ = try await cluster.json("shard", "split", "orders/2", "--wait")
      _ = try await cluster.json("checkpoint")
      let file = cluster.directory.path("timeline.jsonl")
      _ = try await cluster.muster("export", "--format", "jsonl", "--to", file)
      let lines = try String(contentsOfFile: file, encoding: .utf8)
      #expect(lines.contains("ShardSplit") && lines.contains("orders/3"))
      #expect(try await run(.muster, ["check-proof", file + ".proof"]).code == 0)
      let script = Program.root.appending(path: "Tools/check-proof.py").path
      let theirs = try await Running(path: "/usr/bin/python3", [script, file + ".proof"]).wait()
      #expect(theirs.code == 0, "\(theirs.error)")
    }
  }
}
