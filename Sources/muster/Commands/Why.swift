import ArgumentParser
import MusterCluster
import MusterProtocol
import MusterRendering

/// A thing to ask about.
struct EntityArgument: ParsableArguments {
  @Argument(help: "node/NAME, shard/COLLECTION/NUMBER, collection/NAME or config/KEY") var entity: String
  @Option(help: "Of a configuration key: cluster (default), tenant:T, collection:C or node:N.") var scope: String?

  /// As requests name it.
  var name: String { scope.map { "\(entity)@\($0)" } ?? entity }

  func validate() throws {
    if let scope, ScopeName(text: scope) == nil {
      throw ValidationError("--scope is cluster, tenant:T, collection:C or node:N, not \"\(scope)\"")
    }
    guard scope == nil || entity.hasPrefix("config/") else {
      throw ValidationError("--scope is of a configuration key")
    }
    guard EntityName(name) != nil else {
      throw ValidationError("\"\(entity)\" is nothing to ask about: give \(EntityName.forms)")
    }
  }
}

struct Why: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "The chain of causes that led to how something is.",
    discussion: """
      Example: muster why shard/orders/17
               muster why node/n3 --at "1h ago"
      From the last decision back to the person, the failure or the policy that began it.
      """)
  @OptionGroup var entity: EntityArgument
  @OptionGroup var options: ReadOptions

  func run() async throws {
    let reply = try await options.place.source().why(WhyRequest(entity.name, at: try options.moment))
    let head = DocumentHead(schema: "why", timeline: reply.timeline, revision: reply.revision, time: reply.time)
    options.output.show(head, reply.members) { reply.words }
  }
}

extension WhyReply {
  fileprivate var members: [JSON.Member] {
    [
      .init("entity", .text(entity)), .init("origin", .text(origin.name)),
      .init("chain", .list(chain.map { .object($0.members) })), .init("words", .text(words)),
      .init("blocksRead", .number(blocksRead)),
    ]
  }
}
