import Foundation
import Testing

extension EndToEnd {
  @Suite struct CommandLineTests {
    /// Every reading command whose answer is one document.
    static let readings: [[String]] = [
      ["status"], ["node", "list"], ["node", "show", "n1"], ["node", "can-stop", "n1"], ["collection", "list"],
      ["collection", "show", "orders"], ["shard", "list"], ["shard", "list", "--collection", "orders", "--node", "n2"],
      ["shard", "show", "orders/0"], ["route", "orders", "customer-4711"], ["config", "get", "cache/size"],
      ["config", "list"], ["config", "history", "cache/size"], ["config", "schema", "cache/size"], ["alarm", "list"],
      ["explain", "orders/0"], ["plan"], ["recover", "plan"], ["why", "shard/orders/1"], ["rebalance", "status"],
      ["log"], ["log", "--shard", "orders/1"], ["log", "--oldest-first", "--limit", "2"], ["show", "2"], ["diff", "2"],
    ]

    private func populated() async throws -> TestCluster {
      let cluster = try await TestCluster()
      try await cluster.startAgents()
      _ = try await cluster.json(
        "collection", "create", "orders", "--shards", "4", "--replicas", "2", "--spread", "zone", "--weight",
        "disk=1GiB", "--min-in-sync", "1", "--wait")
      _ = try await cluster.json("config", "schema", "cache/size", "--type", "integer", "--minimum", "1")
      _ = try await cluster.json("config", "set", "cache/size", "4096")
      _ = try await cluster.json("config", "set", "cache/size", "8192", "--scope", "node:n3", "--reason", "more memory")
      return cluster
    }

    /// At a terminal, which `script` is one for.
    @Test func aPersonSeesHowLongAgoItWas() async throws {
      let cluster = try await TestCluster()
      _ = try await cluster.json("config", "set", "k", "1")
      let words = "\(Program.muster.path) log --limit 1 --output table"
      let shown = try await Running(
        path: "/usr/bin/script", ["-qec", words, "/dev/null"],
        environment: ["MUSTER_SERVER": cluster.address, "PAGER": "cat", "PATH": "/usr/bin:/bin"]
      ).wait()
      #expect(shown.code == 0)
      // Hours of a slow machine, but no years of another clock.
      let isToday =
        shown.out.contains("just now)") || shown.out.contains("econds ago)") || shown.out.contains("inutes ago)")
      #expect(isToday, "\(shown.out)")
    }

    @Test func aTimeThatHasNotComeIsRefused() async throws {
      let cluster = try await TestCluster()
      _ = try await cluster.json("config", "set", "k", "1")
      for place in [["--server", cluster.address], ["--data", cluster.data]] {
        let future = try await run(.muster, ["status", "--at", "2999-01-01T00:00:00Z"] + place)
        #expect(future.code == 1 && future.error.contains("in the future"), "\(future)")
      }
    }

    @Test func everyDocumentBeginsWithItsMomentAndIsTheSameFromTheServerAndFromTheFiles() async throws {
      let cluster = try await populated()
      let revision = try #require(try await cluster.json("status")["revision"].number)
      for words in CommandLineTests.readings {
        let served = try await run(.muster, words + ["--at", "\(revision)", "--server", cluster.address])
        try #require(served.code == 0, "\(words): \(served.error)")
        let document = try served.document()
        #expect(document.text.hasPrefix("{\"schema\":\"muster."), "\(words)")
        #expect(document.text.contains("\",\"timeline\":1,\"revision\":"), "\(words)")
        #expect(document["time"].string?.hasSuffix("Z") == true, "\(words)")
        let beside = try await run(.muster, words + ["--at", "\(revision)", "--data", cluster.data])
        #expect(withoutCost(beside.out) == withoutCost(served.out), "\(words)")
      }
    }

    /// What a question cost to answer is not the same everywhere.
    private func withoutCost(_ text: String) -> String {
      let text = text.components(separatedBy: ",\"blocksRead\"")[0]
      return text.components(separatedBy: ",\"cost\"")[0].trimmingCharacters(in: ["}", "\n"])
    }

    @Test func theStateSurvivesAKillAndThePastStaysAsItWas() async throws {
      let cluster = try await populated()
      let before = try await cluster.json("maintenance", "on")
      let past = try #require(before["revision"].number)
      let shards = try await cluster.json("shard", "list")
      let digest = try await cluster.json("status")["digest"].string
      cluster.kill()
      let dead = try await run(.muster, ["status", "--data", cluster.data])
      #expect(try dead.document()["digest"].string == digest)
      #expect(try await cluster.muster("status").code == 3)
      try await cluster.restart()
      let after = try await cluster.json("status")
      #expect(after["revision"].number == past)
      #expect(after["digest"].string == digest)
      #expect(after["clusterID"].string == (try dead.document()["clusterID"].string))
      _ = try await cluster.json("config", "delete", "cache/size", "--scope", "node:n3")
      let then = try await cluster.json("shard", "list", "--at", "\(past)")
      #expect(withoutCost(then.text) == withoutCost(shards.text))
      let won = try await cluster.json("config", "get", "cache/size", "--scope", "node:n3", "--at", "\(past)")
      #expect(won["value"].number == 8192)
      #expect(won["scope"].string == "node:n3")
      let now = try await cluster.json("config", "get", "cache/size", "--scope", "node:n3")
      #expect(now["value"].number == 4096)
      #expect(now["scope"].string == "cluster")
      let time = try #require(after["time"].string)
      #expect(try await cluster.json("node", "list", "--at", time)["revision"].number == past)
    }

    @Test func aMutationHasOneEffectHoweverOftenItIsSent() async throws {
      let cluster = try await TestCluster()
      let first = try await cluster.json("config", "set", "a", "1", "--request-id", "job:7")
      #expect(first["outcome"].string == "committed")
      cluster.kill()
      try await cluster.restart()
      let again = try await cluster.json("config", "set", "a", "1", "--request-id", "job:7")
      #expect(again["outcome"].string == "repeated")
      #expect(again["commit"].number == first["commit"].number)
      #expect(try await cluster.muster("config", "set", "a", "1", "--output", "table").out == "unchanged\n")
      let would = try await cluster.json("config", "set", "a", "2", "--dry-run")
      #expect(would["events"].list.last?["type"].string == "ConfigSet")
      let stale = try await cluster.muster("config", "set", "a", "2", "--expect-revision", "0")
      #expect(stale.code == 1)
      #expect(stale.out.isEmpty)
      #expect(try await cluster.muster("config", "set", "a", "2", "--output", "table").out == "revision 2\n")
      #expect(try await cluster.json("config", "get", "a")["version"].number == 2)
    }

    @Test func commandsAtTheSameTimeDoNotMeetEachOthersRequestIds() async throws {
      let cluster = try await TestCluster()
      let runs = try (0..<20).map { number in
        try Running(.muster, ["config", "set", "k\(number)", "v", "--server", cluster.address])
      }
      for run in runs { #expect(try await run.wait().code == 0) }
      #expect(try await cluster.json("config", "list")["configs"].list.count == 20)
      let log = try await cluster.json("log")
      #expect(Set(log["commits"].list.compactMap { $0["requestID"].string }).count == 20)
    }

    @Test func aPolicyThatCannotHoldIsRefusedWithItsWitness() async throws {
      let cluster = try await TestCluster()
      try await cluster.startAgents()
      try cluster.startAgent("n4", domain: "eu/a/r2", ["--capacity", "disk=100GiB"])
      try await eventually("a fourth node") { try await cluster.json("status")["nodes"]["up"].number == 4 }
      let wide = try await cluster.muster(
        "collection", "create", "wide", "--shards", "1", "--replicas", "4", "--spread", "zone")
      #expect(wide.code == 1)
      #expect(wide.out.isEmpty)
      #expect(wide.error.contains("spread zone") && wide.error.contains("1 short"))
      let big = try await cluster.muster(
        "collection", "create", "big", "--shards", "1", "--replicas", "1", "--weight", "disk=1TiB")
      #expect(big.code == 1)
      #expect(big.error.contains("capacity disk"))
      #expect(try await cluster.json("collection", "list")["collections"].list.isEmpty)
    }

    @Test func whetherANodeCanStopIsAnExitCode() async throws {
      let cluster = try await populated()
      #expect(try await cluster.json("node", "can-stop", "n1")["canStop"].flag == true)
      _ = try await cluster.json("collection", "set", "orders", "--min-in-sync", "2")
      let strict = try await cluster.muster("node", "can-stop", "n1")
      #expect(strict.code == 1)
      #expect(try strict.document()["violations"].list.first?["rule"].string?.contains("min-in-sync 2") == true)
      let busy = try await cluster.muster("node", "remove", "n1")
      #expect(busy.code == 1)
      #expect(busy.error.contains("drain it first"))
    }

    /// Names are a contract.
    @Test(arguments: [
      "serve", "agent", "status", "alarm list", "alarm clear", "version", "node list", "node show", "node cordon",
      "node uncordon", "node drain", "node undrain", "node remove", "node can-stop", "collection create",
      "collection list", "collection show", "collection set", "collection delete", "shard list", "shard show", "route",
      "maintenance", "config get", "config set", "config delete", "config list", "config history", "config schema",
      "watch", "log", "show", "diff", "export", "verify", "inspect", "bench append", "bench read", "bench watch",
      "bench heartbeat", "bench replay", "bench asof", "bench generate",
    ])
    func commandsAreCalledAsTheyArePromised(_ name: String) async throws {
      let words = name.split(separator: " ").map(String.init)
      let help = try await run(.muster, words + ["--help"])
      #expect(help.code == 0)
      #expect(help.out.contains("USAGE: muster \(name)"))
    }

    @Test func everyCommandHasHelpWithAnExample() async throws {
      let help = try await run(.muster, ["--experimental-dump-help"]).document()["command"]
      var missing: [String] = []
      func look(_ command: Document, _ path: [String]) {
        let name = path + [command["commandName"].string ?? "?"]
        if name.last == "help" { return }
        if command["discussion"].string?.contains("muster") != true { missing.append(name.joined(separator: " ")) }
        for inner in command["subcommands"].list { look(inner, name) }
      }
      look(help, [])
      #expect(missing.isEmpty)
      #expect(help["subcommands"].list.count > 10)
    }

    @Test func aWatchBeginsAtAnyRevisionAndGoesOn() async throws {
      let cluster = try await TestCluster()
      for number in 1...3 { _ = try await cluster.json("config", "set", "k", "v\(number)") }
      let watch = try Running(.muster, ["watch", "config", "--from", "2", "--server", cluster.address])
      let revisions = {
        try watch.out.split(separator: "\n").map { try Document(String($0)) }.filter { !$0["events"].isNull }
          .compactMap { $0["revision"].number }
      }
      try await eventually("two commits") { try revisions().count >= 2 }
      _ = try await cluster.json("config", "set", "k", "v4")
      try await eventually("a third") { try revisions().count >= 3 }
      #expect(try revisions() == [2, 3, 4])
      cluster.kill()
      let end = try await watch.wait()
      #expect(end.code == 3)
      #expect(end.error.contains("--from 5"))
    }
  }
}
