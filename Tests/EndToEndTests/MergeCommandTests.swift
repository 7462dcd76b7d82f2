import Foundation
import Testing

extension EndToEnd {
  /// Merges and shrinking as an operator meets them, over nodes that host nothing.
  @Suite struct MergeCommandTests {
    private func cluster(shards: Int = 12) async throws -> TestCluster {
      let cluster = try await TestCluster()
      for node in 1...3 {
        try cluster.startAgent("n\(node)", domain: "eu/z\(node)/r\(node)", ["--capacity", "disk=100GiB"])
      }
      try await eventually("three nodes") { try await cluster.json("status")["nodes"]["up"].number == 3 }
      _ = try await cluster.json(
        "collection", "create", "orders", "--shards", "\(shards)", "--replicas", "3", "--spread", "zone", "--wait")
      return cluster
    }

    @Test func shardsArePutTogetherAndThePastStaysAsItWas() async throws {
      let cluster = try await cluster()
      let before = try #require(try await cluster.json("status")["revision"].number)
      _ = try await cluster.json("shard", "merge", "orders/7", "--wait")
      let survivor = try await cluster.json("shard", "show", "orders/1")
      #expect(survivor["range"]["residue"].number == 1 && survivor["range"]["modulus"].number == 6)
      let gone = try await cluster.muster("shard", "show", "orders/7")
      #expect(gone.code == 1, "\(gone.out)")
      // The server dies while it shrinks.
      _ = try await cluster.json("collection", "set", "orders", "--shards", "6")
      cluster.kill()
      try await cluster.restart()
      _ = try await cluster.json("collection", "set", "orders", "--shards", "5", "--wait")
      let shrunk = try await cluster.json("collection", "show", "orders")
      #expect(shrunk["shards"].number == 5 && shrunk["foundedShards"].number == 12 && shrunk["wantedShards"].isNull)
      try await requireOneOwner(cluster, shrunk)
      let then = try await cluster.json("collection", "show", "orders", "--at", "\(before)")
      #expect(then["shards"].number == 12 && then["splits"].list.isEmpty)
      #expect(try await cluster.json("shard", "show", "orders/7", "--at", "\(before)")["leader"].string != nil)
      let why = try await cluster.json("why", "shard/orders/1")
      #expect(why.text.contains("orders/7"), "\(why.text)")
      // And back again, with numbers that were never given.
      _ = try await cluster.json("collection", "set", "orders", "--shards", "7", "--wait")
      let numbers = try await cluster.json("shard", "list")["shards"].list.compactMap { $0["shard"].string }
      #expect(numbers.count == 7 && numbers.contains("orders/12") && !numbers.contains("orders/7"), "\(numbers)")
      try await requireOneOwner(cluster, try await cluster.json("collection", "show", "orders"))
    }

    /// What `route` says is what the ranges of the shards say.
    private func requireOneOwner(_ cluster: TestCluster, _ collection: Document) async throws {
      let shards = try await cluster.json("shard", "list")["shards"].list
      var widths = 0.0
      for shard in shards { widths += 1 / Double(try #require(shard["range"]["modulus"].number)) }
      #expect(abs(widths - 1) < 1e-9, "the ranges are all there is")
      for key in 0..<30 {
        let route = try await cluster.json("route", "orders", "key-\(key)")
        let shard = try #require(shards.first { $0["shard"].string == route["shard"].string })
        #expect(shard["range"]["modulus"].number == route["range"]["modulus"].number)
        #expect(shard["range"]["residue"].number == route["range"]["residue"].number)
      }
    }

    @Test func whatCannotBeIsRefusedAndWhatWasBegunIsCalledOff() async throws {
      let cluster = try await cluster(shards: 3)
      let odd = try await cluster.muster("shard", "merge", "orders/0")
      #expect(odd.code == 1 && odd.error.contains("no half"), "\(odd.error)")
      let fewer = try await cluster.muster("collection", "set", "orders", "--shards", "1")
      #expect(fewer.code == 1 && fewer.error.contains("comes down to 3"), "\(fewer.error)")
      let idle = try await cluster.muster("shard", "merge", "orders/0", "--cancel")
      #expect(idle.code == 1 && idle.error.contains("no merge"), "\(idle.error)")
    }

    /// Both verifiers read what merges leave in the log.
    @Test func anExportWithMergesIsProved() async throws {
      let cluster = try await cluster(shards: 4)
      _ = try await cluster.json("shard", "merge", "orders/2", "--wait")
      _ = try await cluster.json("collection", "set", "orders", "--shards", "2", "--wait")
      _ = try await cluster.json("checkpoint")
      let file = cluster.directory.path("timeline.jsonl")
      _ = try await cluster.muster("export", "--format", "jsonl", "--to", file)
      let lines = try String(contentsOfFile: file, encoding: .utf8)
      #expect(lines.contains("ShardsMerged") && lines.contains("MergeAdvanced"))
      #expect(try await run(.muster, ["check-proof", file + ".proof"]).code == 0)
      let script = Program.root.appending(path: "Tools/check-proof.py").path
      let theirs = try await Running(path: "/usr/bin/python3", [script, file + ".proof"]).wait()
      #expect(theirs.code == 0, "\(theirs.error)")
    }
  }
}
