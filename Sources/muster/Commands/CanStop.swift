internal import MusterProtocol

import ArgumentParser
import MusterCluster
import MusterRendering

extension NodeCommand {
  struct CanStop: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "can-stop", abstract: "Whether stopping a node now breaks a rule, and which.",
      discussion: "Example: muster node can-stop n3 && ssh n3 reboot\nExit code 1 when it would break a rule.")
    @Argument(help: "The node's name.") var name: String
    @OptionGroup var options: ReadOptions

    func run() async throws {
      let source = try options.place.source()
      let nodes = try await source.answer(.nodes(NodesQuestion()), at: try options.moment)
      guard nodes.answer.nodes.contains(where: { $0.name == name }) else {
        throw Failure(.refused, "there is no node \"\(name)\"")
      }
      // Every part of the answer speaks of one revision.
      let moment = Moment.revision(nodes.revision)
      let shards = try await source.answer(.shards(ShardsQuestion(collection: "", node: name)), at: moment)
      let collections = try await source.answer(.collections(CollectionsQuestion()), at: moment)
      let broken = violations(nodes.answer.nodes, shards.answer.shards, collections.answer.collections)
      let head = DocumentHead(schema: "can-stop", nodes)
      let members: [JSON.Member] = [
        .init("node", .text(name)), .init("canStop", .flag(broken.isEmpty)),
        .init("violations", .list(broken.map { .members(["shard": .text($0.shard), "rule": .text($0.rule)]) })),
      ]
      options.output.show(head, members) {
        broken.isEmpty
          ? "\(name) can stop\n" : broken.map { "\($0.shard): \($0.rule)\n" }.joined()
      }
      if !broken.isEmpty { throw Failure(.refused, "stopping \(name) now would break \(broken.count) rules") }
    }

    private func violations(
      _ nodes: [NodeReport], _ shards: [ShardReport], _ collections: [CollectionReport]
    ) -> [(shard: String, rule: String)] {
      let alive = Set(nodes.filter { $0.state.isAlive && $0.name != name }.map(\.name))
      let needed = Dictionary(collections.map { ($0.name, Int($0.policy.minInSync)) }, uniquingKeysWith: { a, _ in a })
      return shards.compactMap { shard in
        let left = shard.replicas.filter { $0.isInSync && $0.role != .learner && alive.contains($0.node) }.count
        let minimum = max(1, needed[shard.collection] ?? 1)
        guard left < minimum else { return nil }
        return (shard.name, "min-in-sync \(minimum): \(left) live replicas in sync would be left")
      }
    }
  }
}
