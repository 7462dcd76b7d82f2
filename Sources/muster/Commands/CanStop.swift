internal import MusterProtocol

import ArgumentParser
import MusterCluster
import MusterRendering

extension NodeCommand {
  struct CanStop: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "can-stop", abstract: "Whether stopping a node now breaks a rule, and which.",
      discussion: """
        Example: muster node can-stop n3 && ssh n3 reboot
        Exit code 1 when it would break a rule. What is broken already is listed apart, and is not the node's fault.
        """)
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
      let verdict = StopVerdict(
        stopping: name, nodes.answer.nodes, shards.answer.shards, collections.answer.collections)
      let head = DocumentHead(schema: "can-stop", nodes)
      let members: [JSON.Member] = [
        .init("node", .text(name)), .init("canStop", .flag(verdict.added.isEmpty)),
        .init("violations", .list(verdict.added.map(\.json))), .init("present", .list(verdict.present.map(\.json))),
      ]
      options.output.show(head, members) { verdict.words(name) }
      let count = verdict.added.count
      guard count == 0 else {
        throw Failure(.refused, "stopping \(name) now would break \(count == 1 ? "a rule" : "\(count) rules")")
      }
    }
  }
}

/// What stopping a node would break, and what is broken already on the shards that it has replicas of.
struct StopVerdict {
  struct Fault: Equatable {
    var shard: String
    var rule: String

    fileprivate var json: JSON { .members(["shard": .text(shard), "rule": .text(rule)]) }
  }

  private(set) var added: [Fault] = []
  private(set) var present: [Fault] = []

  init(stopping name: String, _ nodes: [NodeReport], _ shards: [ShardReport], _ collections: [CollectionReport]) {
    let alive = Set(nodes.filter(\.state.isAlive).map(\.name))
    let needed = Dictionary(collections.map { ($0.name, Int($0.policy.minInSync)) }, uniquingKeysWith: { a, _ in a })
    for shard in shards {
      let live = shard.replicas.filter {
        $0.isInSync && !$0.isEmptied && $0.role != .learner && alive.contains($0.node)
      }.map(\.node)
      let left = live.count { $0 != name }
      let minimum = max(1, needed[shard.collection] ?? 1)
      if live.count < minimum {
        present.append(
          Fault(shard: shard.name, rule: "min-in-sync \(minimum): there are \(live.count) live replicas in sync"))
      }
      // Where too few are left as it is, the last one is worth keeping all the same.
      guard left < live.count, left < minimum, live.count >= minimum || left == 0 else { continue }
      added.append(
        Fault(shard: shard.name, rule: "min-in-sync \(minimum): \(left) live replicas in sync would be left"))
    }
  }

  fileprivate func words(_ name: String) -> String {
    func lines(_ faults: [Fault]) -> String { faults.map { "  \($0.shard): \($0.rule)\n" }.joined() }
    var text = added.isEmpty ? "\(name) can stop\n" : "stopping \(name) would break\n" + lines(added)
    if !present.isEmpty { text += "broken already, whether it stops or not\n" + lines(present) }
    return text
  }
}
