internal import MusterKernel

import ArgumentParser
import Glibc
import MusterAgent
import MusterClient
import MusterCluster
import MusterHosting
import MusterHosts
import MusterRendering
import MusterServer

struct AgentCommand: AsyncParsableCommand {
  enum Host: String, ExpressibleByArgument, CaseIterable { case none, redis, directory }

  static let configuration = CommandConfiguration(
    commandName: "agent", abstract: "Joins as a node, beats, and hosts what it is assigned.",
    discussion: "Example: muster agent --name n1 --domain eu/a/r1 --label disk=ssd --capacity disk=100GiB,cpu=8")
  @Option(help: "The node's name.") var name: String
  @Option(help: "HOST:PORT[,HOST:PORT…] (default 127.0.0.1:7400, or MUSTER_SERVER).") var server: String?
  @Option(help: "Its fault domains: region/zone/rack, or with /host.") var domain: String
  @Option(help: "What it can carry; without it the machine's cores, memory and disk.") var capacity: [String] = []
  @Option(help: "LABEL=VALUE; may be repeated.") var label: [String] = []
  @Option(help: "The directory of its data and of who it is; made if there is none.") var data: String?
  @Option(
    help: "What hosts the replicas: redis runs a Redis server for each, directory keeps files; none holds no data.")
  var host = Host.none
  @Option(help: "FIRST-LAST: the ports that its replicas listen on; without it any that are free.") var ports: String?
  @Option(help: "The address that its replicas listen on; loopback only.") var bind = "127.0.0.1"
  @Option(help: "How often replicas are compared by checksums: 10m, 1h; 0s for never.") var checksums = "10m"
  @Option(help: "The address that clients find it at.") var address = ""
  @Option(help: "How often it says that it lives, in milliseconds.") var heartbeat = Agent.heartbeatMilliseconds

  func run() async throws {
    let text = server ?? Terminal.environment("MUSTER_SERVER") ?? "127.0.0.1:7400"
    guard let servers = ServerList(text) else {
      throw Failure.usage("\"\(text)\" is no list of servers: give HOST:PORT[,HOST:PORT…]")
    }
    let directory = try directory()
    let hosting = try hosting(directory)
    // What hosts no data has no keys to move.
    var abilities: Abilities = []
    if hosting?.host.canSplit ?? true { abilities.insert(.splits) }
    if hosting?.host.canMerge ?? true { abilities.insert(.merges) }
    let given = try capacity.flatMap(PolicyOptions.amounts)
    let join = JoinNode(
      name: name, domain: domain, labels: try label.map(PolicyOptions.label),
      capacity: given.isEmpty ? Machine.capacity(dataAt: data ?? ".") : given, address: address,
      heartbeatMilliseconds: heartbeat, abilities: abilities,
      identity: try identity(directory))
    let agent = Agent(join, servers, software: Connection.software, hosting: hosting) {
      Terminal.error("\(join.name): \($0)\n")
    }
    Task { await leaveOnSignal(agent, hosting) }
    do {
      try await agent.run { Clock.now().wall }
    } catch {
      Terminal.error("muster: \(error)\n")
    }
    // Whoever was replaced must not go on serving.
    await hosting?.host.shutDown()
    // Waiting for a signal cannot be cancelled, and need not be: the process ends here.
    Glibc.exit(Failure.Code.refused.rawValue)
  }

  /// Kept with its data; who has none is another at each start.
  private func identity(_ directory: NodeDirectory?) throws -> String {
    do { return try directory?.identity() ?? NodeDirectory.newIdentity() } catch { throw Failure(.refused, "\(error)") }
  }

  private func directory() throws -> NodeDirectory? {
    guard let data else { return nil }
    do { return try NodeDirectory(data) } catch { throw Failure(.refused, "\(error)") }
  }

  private func hosting(_ directory: NodeDirectory?) throws -> Hosting? {
    guard host != .none else { return nil }
    guard let directory else {
      throw Failure.usage("--host \(host.rawValue) needs --data DIR, where the data of the node is")
    }
    guard let interval = Quantity.parseDuration(checksums) else {
      throw Failure.usage("--checksums is a duration such as 10m, not \"\(checksums)\"")
    }
    guard Port.isLoopback(bind) else {
      throw Failure.usage("--bind is a loopback address such as 127.0.0.1, not \"\(bind)\"")
    }
    let ports = try portRange()
    let host: any ShardHost =
      host == .redis
      ? RedisHost(directory: directory.path, node: name, host: bind, ports: ports)
      : DirectoryHost(directory: directory.path, host: bind, ports: ports)
    return Hosting(host, checksums: interval == 0 ? nil : .microseconds(Int64(clamping: interval))) {
      try directory.bind(to: $0)
    }
  }

  private func portRange() throws -> ClosedRange<UInt16>? {
    guard let ports else { return nil }
    let parts = ports.split(separator: "-", omittingEmptySubsequences: false).map { UInt16($0) }
    guard parts.count == 2, let first = parts[0], let last = parts[1], first > 0, first <= last else {
      throw Failure.usage("--ports is FIRST-LAST, such as 7500-7599, not \"\(ports)\"")
    }
    return first...last
  }

  private func leaveOnSignal(_ agent: Agent, _ hosting: Hosting?) async {
    await Signals.wait()
    await agent.leave { Clock.now().wall }
    await hosting?.host.shutDown()
    Glibc.exit(0)
  }
}
