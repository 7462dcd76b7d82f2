import Foundation
import Testing

extension EndToEnd {
  /// What an operator is told by the real programs while things are broken.
  @Suite struct OperatorTests {
    private func refused(_ cluster: TestCluster, _ code: Int32, _ words: String, _ arguments: [String]) async throws {
      let finished = try await run(.muster, arguments, environment: ["MUSTER_SERVER": cluster.address])
      #expect(finished.code == code, "\(arguments): \(finished.error)")
      #expect(finished.error.contains(words), "\(arguments): \(finished.error)")
    }

    @Test func policiesGrowAndLoseTheirRules() async throws {
      let cluster = try await TestCluster()
      try await cluster.startAgents()
      _ = try await cluster.json(
        "collection", "create", "k", "--shards", "4", "--replicas", "3", "--spread", "zone", "--require", "disk=ssd",
        "--lead-on", "disk=ssd", "--weight", "disk=1GiB", "--label", "team=a", "--wait")
      _ = try await cluster.json("collection", "set", "k", "--replicas", "2", "--wait", "--timeout", "60s")
      for shard in try await cluster.json("shard", "list")["shards"].list {
        #expect(shard["replicas"].list.count == 2 && shard["moving"].isNull)
      }
      _ = try await cluster.json(
        "collection", "set", "k", "--require", "none", "--spread", "none", "--lead-on", "none", "--weight", "none",
        "--apart", "none", "--label", "none")
      let shown = try await cluster.muster("collection", "show", "k")
      #expect(!shown.out.contains("ssd") && !shown.out.contains("zone") && !shown.out.contains("team"))
      try await refused(
        cluster, 2, "stands alone", ["collection", "set", "k", "--require", "none", "--require", "a=b"])
      try await refused(cluster, 2, "at least 1", ["collection", "set", "k", "--min-in-sync", "0"])
      let apart = try await cluster.muster("collection", "set", "k", "--apart", "nope")
      #expect(apart.code == 0 && apart.error.contains("there is no collection \"nope\""))
      try await refused(
        cluster, 1, "contradict each other",
        [
          "collection", "create", "x", "--shards", "1", "--replicas", "1", "--require", "disk=ssd", "--require",
          "disk=hdd",
        ])
      try await refused(
        cluster, 1, "there are system/repair-delay-seconds,", ["config", "set", "system/repair-delay-second", "5"])
      try await refused(
        cluster, 1, "is a whole number from 0 to 86400, not \"soon\"",
        ["config", "set", "system/repair-delay-seconds", "soon"])
      try await refused(cluster, 1, "there is a node \"n1\" already", ["plan", "--add", "name=n1,domain=eu/a/r1"])
      #expect(try await cluster.muster("plan", "--output", "table").out == "nothing would move\n")
    }

    @Test func whatIsOutIsToldAsSuch() async throws {
      let cluster = try await TestCluster()
      try await cluster.startAgents()
      for name in ["n4", "n5", "n6"] { try cluster.startAgent(name, domain: "eu/d/r1", ["--capacity", "cpu=1"]) }
      try await eventually("six nodes") { try await cluster.json("status")["nodes"]["up"].number == 6 }
      _ = try await cluster.json(
        "collection", "create", "all", "--shards", "3", "--replicas", "3", "--min-in-sync", "3", "--require",
        "disk=ssd", "--wait")
      _ = try await cluster.json(
        "collection", "create", "one", "--shards", "3", "--replicas", "1", "--require", "disk=ssd", "--spread", "zone",
        "--wait")
      let key = try await keyOn("n3", cluster)
      cluster.killAgent("n3")
      try await eventually("n3 to be down") {
        try await cluster.json("route", "one", key)["leaderState"].string == "down"
      }
      let route = try await cluster.muster("route", "one", key, "--output", "table")
      #expect(route.out.contains("n3, which leads one/") && route.out.contains("is down: it may take no writes"))
      try await eventually("the others to be led") {
        try await cluster.json("status")["shards"]["leaderless"].number == 1
      }
      #expect(try await cluster.muster("check", "count(shards where leaderless) == 1").code == 0)
      #expect(try await cluster.json("status")["shards"]["available"].number == 2, "of `all` none takes writes")
      try await eventually("the alarms") {
        let alarms = try await cluster.json("alarm", "list")["alarms"].list.compactMap { $0["name"].string }
        return alarms.contains("unavailable/one") && alarms.contains("min-in-sync/all")
      }
      let lost = try await cluster.json("recover", "plan")["shards"].list
      #expect(lost.map { $0["loss"].string } == ["everything, unless one comes back; bring n3 back: it loses nothing"])
      // What is broken already is not the fault of who stops next; the last copy is.
      let stop = try await cluster.json("node", "can-stop", "n4")
      #expect(stop["violations"].list.isEmpty && stop["present"].list.isEmpty)
      let other = try await cluster.muster("node", "can-stop", "n1")
      let verdict = try other.document()
      #expect(verdict["present"].list.count == 3)
      #expect(verdict["violations"].list.allSatisfy { $0["shard"].string?.hasPrefix("one/") == true })
      #expect(other.code == 1)
      try cluster.startAgent("n3", domain: "eu/c/r1", ["--capacity", "disk=100GiB,cpu=8", "--label", "disk=ssd"])
      try await eventually("the alarms to be cleared") {
        try await cluster.json("alarm", "list")["alarms"].list.isEmpty
      }
    }

    /// A key of the shard of `one` that a node leads.
    private func keyOn(_ node: String, _ cluster: TestCluster) async throws -> String {
      for number in 0..<100 {
        let key = "key-\(number)"
        if try await cluster.json("route", "one", key)["leader"].string == node { return key }
      }
      Issue.record("no key of a shard on \(node)")
      return ""
    }

    @Test func anAgentThatWasRemovedIsToldSo() async throws {
      let cluster = try await TestCluster()
      try await cluster.startAgents()
      _ = try await cluster.json("node", "remove", "n3")
      let agent = try #require(cluster.agent("n3"))
      try await eventually("the agent to end") { agent.code != nil }
      #expect(agent.error.contains("n3 was removed from the cluster"), "\(agent.error)")
      #expect(!agent.error.contains("another process"))
    }
  }
}
