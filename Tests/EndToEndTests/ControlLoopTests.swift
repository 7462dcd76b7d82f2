import Foundation
import Testing

extension EndToEnd {
  /// The control loops as an operator meets them: real processes, real kills.
  @Suite struct ControlLoopTests {
    /// Six nodes in three zones, and twelve shards of three replicas.
    private func cluster() async throws -> TestCluster {
      let cluster = try await TestCluster()
      for node in 1...6 {
        try cluster.startAgent("n\(node)", domain: "eu/z\(node % 3)/r\(node)", ["--capacity", "disk=100GiB"])
      }
      try await eventually("six nodes") { try await cluster.json("status")["nodes"]["up"].number == 6 }
      _ = try await cluster.json("config", "set", "system/repair-delay-seconds", "1")
      _ = try await cluster.json(
        "collection", "create", "orders", "--shards", "12", "--replicas", "3", "--spread", "zone", "--weight",
        "disk=1GiB",
        "--wait")
      return cluster
    }

    private func node(_ name: String, _ cluster: TestCluster) async throws -> Document {
      try #require(try await cluster.json("node", "list")["nodes"].list.first { $0["name"].string == name })
    }

    private func isWhole(_ cluster: TestCluster) async throws -> Bool {
      let shards = try await cluster.json("status")["shards"]
      return shards["available"].number == 12 && shards["underReplicated"].number == 0 && shards["moving"].number == 0
    }

    @Test func aKilledNodeLosesItsLeadersThenItsReplicasAndWhyTellsIt() async throws {
      let cluster = try await cluster()
      #expect(try #require(try await node("n2", cluster)["leaders"].number) > 0)
      let before = try #require(try await cluster.json("status")["revision"].number)
      cluster.killAgent("n2")
      try await eventually("no replica left on n2") { try await node("n2", cluster)["replicas"].number == 0 }
      try await eventually("everything whole again") { try await isWhole(cluster) }

      let elections = try await cluster.json(
        "log", "--principal", "election", "--type", "LeaderElected", "--from", "\(before)")["commits"].list
      #expect(!elections.isEmpty)
      let shard = try #require(
        elections.first?["events"].list.first { $0["type"].string == "LeaderElected" }?["shard"].string)
      let why = try await cluster.json("why", "shard/\(shard)")
      let principals = why["chain"].list.compactMap { $0["principal"].string }
      #expect(principals.last == "detector", "the chain leads back to the failure: \(principals)")
      #expect(why["words"].string?.contains("n2 was declared down after") == true)
      #expect(why["origin"].string == "failure")

      // The past explains itself as well.
      let then = try await cluster.json("explain", shard, "--at", "\(before)")
      #expect(then["nodes"].list.contains { $0["node"].string == "n2" && $0["replica"].flag == true })
      let now = try await cluster.json("explain", shard, "--node", "n2")
      #expect(now["nodes"].list.count == 1)
      #expect(now["nodes"].list.first?["allowed"].flag == false)
    }

    @Test func aSecondAgentDoesNotTakeTheNameOfALiveOne() async throws {
      let cluster = try await TestCluster()
      let place = ["--domain", "eu/a/r1", "--name", "n1", "--server", cluster.address]
      let data = cluster.directory.path("n1")
      let first = try Running(.muster, ["agent", "--data", data] + place)
      try await eventually("n1") { try await cluster.json("status")["nodes"]["up"].number == 1 }

      let second = try Running(.muster, ["agent"] + place)
      try await eventually("the second to be refused") { second.code != nil }
      #expect(second.code == 1)
      #expect(second.error.contains("node n1 is another process"))
      #expect(first.code == nil, "\(first.error)")
      #expect(try await cluster.json("node", "show", "n1")["incarnation"].number == 1)

      // With its data it is the same node, before anybody missed it.
      first.finish(with: SIGKILL)
      let again = try Running(.muster, ["agent", "--data", data] + place)
      try await eventually("n1 again") { try await cluster.json("node", "show", "n1")["incarnation"].number == 2 }
      #expect(!again.error.contains("waiting"))

      // Without it somebody else, once this one is missed.
      again.finish(with: SIGKILL)
      let other = try Running(.muster, ["agent", "--data", cluster.directory.path("other")] + place)
      try await eventually("the other n1") { try await cluster.json("node", "show", "n1")["incarnation"].number == 3 }
      #expect(other.error.contains("waiting in case that one is gone"))
    }

    @Test func aPlanIsAppliedAsShownOrRefusedBecauseTheStateMovedOn() async throws {
      let cluster = try await cluster()
      let file = cluster.directory.path("plan.json")
      let plan = try await cluster.json("plan", "--drain", "n3", "--save", file)
      let steps = plan["steps"].list
      #expect(steps.count == Int(try #require(try await node("n3", cluster)["replicas"].number)))
      #expect(steps.allSatisfy { $0["from"].string == "n3" && $0["redundancy"].number == 3 })
      #expect(plan["lowestRedundancy"].number == 3)
      #expect(try await node("n3", cluster)["state"].string == "up", "a plan writes nothing")

      // What the plan was not computed from leaves it as it was.
      _ = try await cluster.json("config", "set", "app/limit", "7")
      let applied = try await cluster.muster("plan", "apply", file, "--wait")
      #expect(applied.code == 0, "\(applied.error)")
      try await eventually("n3 to be drained") { try await node("n3", cluster)["state"].string == "drained" }
      for step in steps {
        let shard = try await cluster.json("shard", "show", try #require(step["shard"].string))
        #expect(shard["replicas"].list.contains { $0["node"].string == step["to"].string })
      }
      let again = try await cluster.muster("plan", "apply", file)
      #expect(again.code == 1)
      #expect(again.error.contains("revision"))
    }

    @Test func loadsAreMadeEvenWhenAskedAndOrdersAreObeyed() async throws {
      let cluster = try await cluster()
      try cluster.startAgent("n7", domain: "eu/z1/r7", ["--capacity", "disk=100GiB"])
      try await eventually("n7") { try await cluster.json("status")["nodes"]["up"].number == 7 }
      _ = try await cluster.json("rebalance", "start", "--wait", "--timeout", "1m")
      let counts = try await cluster.json("node", "list")["nodes"].list.filter {
        $0["domain"].string?.hasPrefix("eu/z1") == true
      }
      .compactMap { $0["replicas"].number }
      #expect(counts.sorted() == [4, 4, 4])
      _ = try await cluster.json("rebalance", "revert", "--wait", "--timeout", "1m")
      #expect(try await cluster.json("node", "show", "n7")["replicas"].number == 0)
      #expect(try await cluster.muster("rebalance", "revert").code == 1)

      let shard = try await cluster.json("shard", "show", "orders/0")
      let zone1 = ["n1", "n4", "n7"]
      let from = try #require(shard["replicas"].list.compactMap { $0["node"].string }.first { zone1.contains($0) })
      let to = try #require(zone1.first { $0 != from })
      _ = try await cluster.json("move", "orders/0", "--from", from, "--to", to, "--wait")
      _ = try await cluster.json("move", "orders/0", "--revert", "--wait")
      func holders() async throws -> [String] {
        try await cluster.json("shard", "show", "orders/0")["replicas"].list.compactMap { $0["node"].string }
      }
      #expect(try await holders().contains(from))
      _ = try await cluster.json("move", "orders/0", "--revert", "--wait")
      #expect(try await holders().contains(to), "what was reverted was an order too")
      #expect(try await cluster.muster("move", "orders/0", "--pause").code == 1, "nothing is under way")
      #expect(try await cluster.muster("move", "orders/0", "--pause", "--to", from).code == 2)
      #expect(try await cluster.muster("move", "orders/1", "--revert").code == 1, "nothing was ordered")
      _ = try await cluster.json("lead", "orders/0", to)
      #expect(try await cluster.json("shard", "show", "orders/0")["leader"].string == to)
      let holders = shard["replicas"].list.compactMap { $0["node"].string }
      let elsewhere = try #require(["n2", "n5"].first { !holders.contains($0) })
      let wrong = try await cluster.muster("move", "orders/0", "--from", to, "--to", elsewhere)
      #expect(wrong.code == 1)
      #expect(wrong.error.contains("spread zone"))
      #expect(try await cluster.json("rebalance", "status")["mode"].string == "off")
    }

    @Test func aPolicyIsTriedInAPlanAndAppliedAsShown() async throws {
      let cluster = try await cluster()
      let (policy, plan) = (cluster.directory.path("policy.json"), cluster.directory.path("plan.json"))
      try #"{"name": "orders", "replicas": 2, "minInSync": 1}"#.write(toFile: policy, atomically: true, encoding: .utf8)
      let shown = try await cluster.json("plan", "--policy", policy, "--save", plan)
      #expect(shown["steps"].list.count == 12)
      #expect(shown["steps"].list.allSatisfy { $0["what"].string == "remove" && $0["redundancy"].number == 2 })
      #expect(try await cluster.json("collection", "show", "orders")["replicas"].number == 3, "a plan writes nothing")
      _ = try await cluster.json("plan", "apply", plan)
      try await eventually("two replicas each") {
        try await cluster.json("shard", "list")["shards"].list.allSatisfy { $0["replicas"].list.count == 2 }
      }
      try #"{"name": "orders", "rules": ["disk in (ssd)"]}"#.write(toFile: policy, atomically: true, encoding: .utf8)
      let impossible = try await cluster.muster("plan", "--policy", policy)
      #expect(impossible.code == 1)
      #expect(impossible.error.contains("require disk in (ssd)"), "\(impossible.error)")
      try "{".write(toFile: policy, atomically: true, encoding: .utf8)
      #expect(try await cluster.muster("plan", "--policy", policy).code == 2)
    }
  }
}
