internal import MusterProtocol

import ArgumentParser
import MusterCluster
import MusterRendering

struct NodeCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "node", abstract: "The members.", discussion: "Example: muster node list",
    subcommands: [
      List.self, Show.self, Cordon.self, Uncordon.self, Drain.self, Undrain.self, Down.self, Remove.self, CanStop.self,
    ])

  struct List: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "All members.", discussion: "Example: muster node list --at 1234")
    @OptionGroup var options: ReadOptions

    func run() async throws {
      let reply = try await options.place.source().answer(.nodes(NodesQuestion()), at: try options.moment)
      let nodes = reply.answer.nodes.sorted { $0.name < $1.name }
      let head = DocumentHead(schema: "node-list", reply)
      options.output.show(head, "nodes", nodes.lazy.map(\.members)) {
        var table = Table(["NAME", "STATE", "DOMAIN", "REPLICAS", "LEADERS", "INCARNATION", "SINCE"])
        for node in nodes {
          table.add([
            node.name, node.state.name + (node.isCordoned ? ",cordoned" : ""), node.domain, String(node.replicas),
            String(node.leaders), String(node.incarnation), Timestamp.format(node.since),
          ])
        }
        return table.text
      }
    }
  }

  struct Show: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "One member.", discussion: "Example: muster node show n3 --output json")
    @Argument(help: "The node's name.") var name: String
    @OptionGroup var options: ReadOptions

    func run() async throws {
      let reply = try await options.place.source().answer(.nodes(NodesQuestion(name: name)), at: try options.moment)
      guard let node = reply.answer.nodes.first else { throw Failure(.refused, "there is no node \(name)") }
      let head = DocumentHead(schema: "node", reply)
      options.output.show(head, node.members) { Details.text(node.members) }
    }
  }

  struct Cordon: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Gives a node nothing new; it keeps what it has.",
      discussion: "Example: muster node cordon n3 --reason \"disk is noisy\"")
    @Argument(help: "The node's name.") var name: String
    @OptionGroup var options: MutationOptions
    func run() async throws { try await options.run(.cordonNode(CordonNode(name: name, isOn: true))) }
  }

  struct Uncordon: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Takes a cordon back.", discussion: "Example: muster node uncordon n3")
    @Argument(help: "The node's name.") var name: String
    @OptionGroup var options: MutationOptions
    func run() async throws { try await options.run(.cordonNode(CordonNode(name: name, isOn: false))) }
  }

  struct Drain: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Asks for all replicas to leave a node.",
      discussion: "Example: muster node drain n3 --wait --timeout 30m")
    @Argument(help: "The node's name.") var name: String
    @OptionGroup var waiting: WaitOptions
    @OptionGroup var options: MutationOptions

    func run() async throws {
      let connection = try await options.run(.drainNode(DrainNode(name: name, isOn: true)))
      guard !options.dryRun else { return }
      try await waiting.until(ServerSource(connection)) { try await undrained($0) }
    }

    private func undrained(_ source: any Source) async throws -> String? {
      let reply = try await source.answer(.nodes(NodesQuestion(name: name)), at: .now)
      guard let node = reply.answer.nodes.first, node.state != .drained else { return nil }
      // Nobody is there who could become drained, and there is nothing to wait for.
      if node.state == .down, node.replicas == 0 { return nil }
      return "\(name) is \(node.state.name) and has \(node.replicas) replicas"
    }
  }

  struct Undrain: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Takes a drain back.", discussion: "Example: muster node undrain n3")
    @Argument(help: "The node's name.") var name: String
    @OptionGroup var options: MutationOptions
    func run() async throws { try await options.run(.drainNode(DrainNode(name: name, isOn: false))) }
  }

  struct Down: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Declares silent nodes dead that are not believed to be.",
      discussion: """
        Example: muster node down n3 n4 --reason "zone a burned down"
        When most nodes fall silent at once none is declared down, and an alarm says so: the network may be at fault. Who
        knows that they are dead says it with this; then their leaders are replaced. A node that is heard again is up again.
        """)
    @Argument(help: "The nodes' names; they must be suspect.") var names: [String]
    @OptionGroup var options: MutationOptions

    func run() async throws {
      let connection = try Connection(options.server)
      let nodes = try await ServerSource(connection).answer(.nodes(NodesQuestion()), at: .now).answer.nodes
      let commands = try names.map { name -> Command in
        guard let node = nodes.first(where: { $0.name == name }) else {
          throw Failure(.refused, "there is no node \(name)")
        }
        guard node.state == .suspect else {
          throw Failure(.refused, "node \(name) is \(node.state.name): only a suspect one is declared down")
        }
        return .reportNodeHealth(
          ReportNodeHealth(node: node.id, incarnation: node.incarnation, state: .down, silentMilliseconds: 0))
      }
      try await options.run(commands.count == 1 ? commands[0] : .batch(Batch(commands)), on: connection)
    }
  }

  struct Remove: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Ends a membership; the node must be empty.", discussion: "Example: muster node remove n3")
    @Argument(help: "The node's name.") var name: String
    @OptionGroup var options: MutationOptions
    func run() async throws { try await options.run(.removeNode(RemoveNode(name: name))) }
  }
}

/// The fields of one thing, a line each.
enum Details {
  static func text(_ members: [JSON.Member]) -> String {
    let width = members.map(\.name.count).max() ?? 0
    return members.map { member in
      "\(member.name)\(String(repeating: " ", count: width - member.name.count + 2))\(words(member.value))\n"
    }.joined()
  }

  private static func words(_ value: JSON) -> String {
    switch value {
    case .null: "-"
    case .text(let text): text
    case .object(let members):
      members.isEmpty ? "-" : members.map { "\($0.name)=\(words($0.value))" }.joined(separator: " ")
    case .list(let list): list.isEmpty ? "-" : list.map(words).joined(separator: ", ")
    case .flag(let flag): flag ? "yes" : "no"
    case .number, .signed, .millionths, .written: value.line
    }
  }
}
