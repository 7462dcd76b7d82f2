import Foundation
import Testing

/// Three nodes in three zones that host Redis, a collection of three replicas each, and a load whose writes are waited
/// for. Whatever is done to it, no acknowledged write may be lost.
final class RedisCluster {
  static let isPossible = ["/usr/bin/redis-server", "/usr/local/bin/redis-server"].contains {
    FileManager.default.isExecutableFile(atPath: $0)
  }
  static let names = ["n1", "n2", "n3"]

  let cluster: TestCluster
  private let load: Running

  /// - Parameter wrapper: what starts the agent of a node, if it is not started as it is.
  init(nodes: [String] = names, shards: Int = 1, wrapper: (String, TestCluster) throws -> [String] = { _, _ in [] })
    async throws
  {
    cluster = try await TestCluster()
    for name in nodes { try RedisCluster.start(name, cluster, try wrapper(name, cluster)) }
    let count = UInt64(nodes.count)
    try await eventually("the nodes") { [cluster] in
      try await cluster.json("status")["nodes"]["up"].number == count
    }
    _ = try await cluster.json("config", "set", "system/repair-delay-seconds", "600")
    _ = try await cluster.json(
      "collection", "create", "orders", "--shards", "\(shards)", "--replicas", "3", "--spread", "zone",
      "--min-in-sync", "2")
    load = try Running(.redisLoad, ["--server", cluster.address, "--collection", "orders", "--pause", "5"])
    try await awaitWhole()
  }

  deinit {
    load.finish(with: SIGKILL)
    for name in RedisCluster.names + ["n4"] { cluster.killAgent(name) }
    for pid in processes(under: cluster.directory.root) { kill(pid, SIGKILL) }
  }

  // MARK: Nodes

  private static func start(_ name: String, _ cluster: TestCluster, _ wrapper: [String] = []) throws {
    // Nodes of the same zone differ by three.
    let number = Int(name.dropFirst()) ?? 0
    try cluster.startAgent(
      name, domain: "eu/z\((number - 1) % 3)/r\(number)",
      ["--capacity", "disk=100GiB", "--host", "redis", "--data", cluster.directory.path(name)], wrapper: wrapper,
      environment: ["PATH": "/usr/local/bin:/usr/bin:/bin"])
  }

  func start(_ name: String) throws { try RedisCluster.start(name, cluster) }

  /// The Redis servers of a node.
  func processes(of node: String) -> [pid_t] { processes(under: cluster.directory.path(node)) }

  private func processes(under place: String) -> [pid_t] {
    guard let real = realpath(place, nil) else { return [] }
    defer { free(real) }
    let prefix = String(cString: real)
    return ((try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []).compactMap { pid_t($0) }.filter {
      let command = try? String(contentsOfFile: "/proc/\($0)/comm", encoding: .utf8)
      let directory = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\($0)/cwd")
      return command == "redis-server\n" && directory?.hasPrefix(prefix + "/") == true
    }
  }

  func signal(_ node: String, _ number: Int32) { for pid in processes(of: node) { kill(pid, number) } }

  // MARK: What the control plane says

  func shard(_ index: Int = 0) async throws -> Document { try await cluster.json("shard", "show", "orders/\(index)") }

  func leader(_ index: Int = 0) async throws -> String { try await shard(index)["leader"].string ?? "" }

  func follower(_ index: Int = 0) async throws -> String {
    try #require(
      try await shard(index)["replicas"].list.first { $0["role"].string == "follower" }?["node"].string)
  }

  func problem(_ node: String) async throws -> String {
    try await shard()["replicas"].list.first { $0["node"].string == node }?["problem"].string ?? ""
  }

  func awaitProblem(_ node: String, _ words: String...) async throws {
    var last = ""
    try await eventually("a problem of \(node) that says \(words), last \(last)") {
      last = try await problem(node)
      return words.contains { last.contains($0) }
    }
  }

  /// What is wrong lastingly is an alarm, and part of what `explain` says.
  func awaitAlarm(_ node: String) async throws {
    try await eventually("an alarm for \(node)") {
      try await cluster.json("status")["alarms"].list.contains { $0["name"].string == "host/\(node)" }
    }
    let explained = try await cluster.json("explain", "orders/0")
    #expect(explained["movement"].string?.contains("\(node): ") == true, "\(explained.text)")
  }

  func awaitWhole(_ shards: Int? = nil) async throws {
    try await eventually(seconds: 90, "every replica to be in sync, and no problem left") {
      let list = try await cluster.json("shard", "list")["shards"].list
      let replicas = list.flatMap { $0["replicas"].list }
      let isWhole =
        list.allSatisfy { $0["leader"].string != nil && $0["replicas"].list.count == 3 }
        && replicas.allSatisfy { $0["inSync"].flag == true && ($0["problem"].string ?? "").isEmpty }
      return !list.isEmpty && isWhole
    }
  }

  /// Writes go on for a moment, then everything that was acknowledged is read back.
  func requireNothingLost() async throws {
    try await awaitWhole()
    try await Task.sleep(for: .seconds(1))
    kill(load.pid, SIGTERM)
    let finished = try await load.wait()
    #expect(finished.code == 0, "\(finished.out) \(finished.error)")
    let counts = try finished.document()
    #expect(counts["lost"].number == 0)
    #expect((counts["acknowledged"].number ?? 0) > 10, "\(counts.text)")
  }
}
