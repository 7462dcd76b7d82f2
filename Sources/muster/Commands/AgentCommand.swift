internal import MusterKernel

import ArgumentParser
import Glibc
import MusterAgent
import MusterClient
import MusterCluster
import MusterServer

struct AgentCommand: AsyncParsableCommand {
  enum Host: String, ExpressibleByArgument, CaseIterable { case none }

  static let configuration = CommandConfiguration(
    commandName: "agent", abstract: "Joins as a node, beats, and hosts what it is assigned.",
    discussion: "Example: muster agent --name n1 --domain eu/a/r1 --label disk=ssd --capacity disk=100GiB,cpu=8")
  @Option(help: "The node's name.") var name: String
  @Option(help: "HOST:PORT[,HOST:PORT…] (default 127.0.0.1:7400, or MUSTER_SERVER).") var server: String?
  @Option(help: "Its fault domains: region/zone/rack, or with /host.") var domain: String
  @Option(help: "What it can carry; without it the machine's cores, memory and disk.") var capacity: [String] = []
  @Option(help: "LABEL=VALUE; may be repeated.") var label: [String] = []
  @Option(help: "Where its data would be.") var data = "."
  @Option(help: "What hosts the replicas: none accepts assignments at once and holds no data.") var host = Host.none
  @Option(help: "The address that clients find it at.") var address = ""
  @Option(help: "How often it says that it lives, in milliseconds.") var heartbeat = Agent.heartbeatMilliseconds

  func run() async throws {
    let text = server ?? Terminal.environment("MUSTER_SERVER") ?? "127.0.0.1:7400"
    guard let servers = ServerList(text) else {
      throw Failure.usage("\"\(text)\" is no list of servers: give HOST:PORT[,HOST:PORT…]")
    }
    let given = try capacity.flatMap(PolicyOptions.amounts)
    let join = JoinNode(
      name: name, domain: domain, labels: try label.map(PolicyOptions.label),
      capacity: given.isEmpty ? Machine.capacity(dataAt: data) : given, address: address,
      heartbeatMilliseconds: heartbeat)
    let agent = Agent(join, servers, software: Connection.software) { Terminal.error("\(join.name): \($0)\n") }
    Task { await leaveOnSignal(agent) }
    do {
      try await agent.run { Clock.now().wall }
    } catch {
      Terminal.error("muster: \(error)\n")
    }
    // Waiting for a signal cannot be cancelled, and need not be: the process ends here.
    Glibc.exit(Failure.Code.refused.rawValue)
  }

  private func leaveOnSignal(_ agent: Agent) async {
    await Signals.wait()
    await agent.leave { Clock.now().wall }
    Glibc.exit(0)
  }
}
