internal import MusterProtocol

import ArgumentParser
import MusterCluster
import MusterRendering

/// `orders/17` as people write it.
package struct ShardName {
  package var collection: String
  package var index: UInt64

  package init(_ text: String) throws {
    let parts = text.split(separator: "/", omittingEmptySubsequences: false)
    guard parts.count == 2, !parts[0].isEmpty, let index = UInt64(parts[1]) else {
      throw Failure.usage("\"\(text)\" is no shard: give COLLECTION/NUMBER, such as orders/17")
    }
    collection = String(parts[0])
    self.index = index
  }
}

struct ShardCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "shard", abstract: "Shards and their replicas.", discussion: "Example: muster shard show orders/17",
    subcommands: [List.self, Show.self, Split.self, Merge.self])

  struct List: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Shards, all or some.", discussion: "Example: muster shard list --collection orders --node n3")
    @Option(help: "Only of this collection.") var collection: String = ""
    @Option(help: "Only with a replica on this node.") var node: String = ""
    @OptionGroup var options: ReadOptions

    func run() async throws {
      let question = Question.shards(ShardsQuestion(collection: collection, node: node))
      let reply = try await options.place.source().answer(question, at: try options.moment)
      let head = DocumentHead(schema: "shard-list", reply)
      options.output.show(head, "shards", reply.answer.shards.lazy.map(\.members)) {
        var table = Table(["SHARD", "EPOCH", "LEADER", "REPLICAS", "KEYS", "MOVING"])
        for shard in reply.answer.shards {
          table.add([
            shard.name, String(shard.epoch), shard.leader.isEmpty ? "-" : shard.leader, shard.replicaWords,
            shard.range.words,
            shard.move?.words ?? "-",
          ])
        }
        return table.text
      }
    }
  }

  struct Show: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "One shard.", discussion: "Example: muster shard show orders/17 --at \"10m ago\"")
    @Argument(help: "COLLECTION/NUMBER") var shard: String
    @OptionGroup var options: ReadOptions

    func run() async throws {
      let name = try ShardName(shard)
      let question = Question.shards(ShardsQuestion(collection: name.collection, index: name.index))
      let reply = try await options.place.source().answer(question, at: try options.moment)
      guard let found = reply.answer.shards.first else { throw Failure(.refused, "there is no shard \(shard)") }
      let head = DocumentHead(schema: "shard", reply)
      options.output.show(head, found.members) { Details.text(found.members) }
    }
  }
}

extension MoveReport {
  /// `n1 to n4, catching-up`
  var words: String {
    if !absorbed.isEmpty { return "\(absorbed) into \(survivor), \(step.name)" }
    return child.isEmpty ? "\(source) to \(target), \(step.name)" : "split into \(child), \(step.name)"
  }
}

extension ShardReport {
  /// `n1* n2 n3(behind)`: the leader is marked.
  var replicaWords: String {
    replicas.map { replica in
      let mark =
        replica.role == .leader
        ? "*"
        : replica.isEmptied
          ? "(data gone)" : replica.role == .learner ? "(learner)" : replica.isInSync ? "" : "(behind)"
      return replica.node + mark
    }.joined(separator: " ")
  }
}

struct Route: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "The shard and leader that own a key.", discussion: "Example: muster route orders customer-4711")
  @Argument(help: "The collection.") var collection: String
  @Argument(help: "The key.") var key: String
  @OptionGroup var options: ReadOptions

  func run() async throws {
    let source = try options.place.source()
    let whole = try await source.answer(
      .collections(CollectionsQuestion(name: collection)), at: try options.moment)
    guard let found = whole.answer.collections.first else {
      throw Failure(.refused, "there is no collection \(collection)")
    }
    // A server of an older version speaks of none that was split.
    let founded = found.founded == 0 ? found.shards : found.founded
    let index = KeyHash.owner(ofHash: KeyHash.hash(of: Array(key.utf8)), count: max(founded, 1), split: found.splits)
    let question = Question.shards(ShardsQuestion(collection: collection, index: UInt64(index)))
    // Where data is reached is known only now.
    let moment = try options.moment == .now ? .now : Moment.revision(whole.revision)
    let reply = try await source.answer(question, at: moment)
    guard let shard = reply.answer.shards.first else { throw Failure(.refused, "there is no shard \(index)") }
    let head = DocumentHead(schema: "route", reply)
    let leader = try await leader(shard, source, whole.revision)
    // Where data is; of a node that hosts none, the address of the node.
    let status = shard.replicas.first { $0.node == shard.leader }?.status
    let members: [JSON.Member] = [
      .init("key", .text(key)), .init("shard", .text(shard.name)), .init("epoch", .number(UInt64(shard.epoch))),
      .init("leader", .optional(shard.leader)), .init("leaderState", .optional(leader?.state.name ?? "")),
      .init("address", .optional(status?.address ?? leader?.address ?? "")),
      .init("range", shard.range.json),
    ]
    options.output.show(head, members) { Route.warning(shard, leader) + Details.text(members) }
  }

  private func leader(_ shard: ShardReport, _ source: any Source, _ revision: UInt64) async throws -> NodeReport? {
    guard !shard.leader.isEmpty else { return nil }
    let question = Question.nodes(NodesQuestion(name: shard.leader))
    return try await source.answer(question, at: .revision(revision)).answer.nodes.first
  }

  /// What somebody must know who is about to write there.
  private static func warning(_ shard: ShardReport, _ leader: NodeReport?) -> String {
    guard let leader else { return "\(shard.name) is led by nobody: it takes no writes\n" }
    guard !leader.state.isAlive else { return "" }
    return "\(leader.name), which leads \(shard.name), is \(leader.state.name): it may take no writes\n"
  }
}
