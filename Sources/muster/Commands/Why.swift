import ArgumentParser
import MusterCluster
import MusterProtocol
import MusterRendering

struct Why: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "The chain of causes that led to how something is.",
    discussion: """
      Example: muster why shard/orders/17
      Also node/NAME and config/KEY. From the last change back to the person, failure or policy that began it.
      """)
  @Argument(help: "shard/COLLECTION/NUMBER, node/NAME or config/KEY") var entity: String
  @OptionGroup var options: ReadOptions
  private static let linksMax = 100

  func run() async throws {
    let source = try options.place.source()
    var request = LogRequest()
    request.filter = try filter()
    request.to = try options.moment
    request.limit = 1
    var chain: [CommitReport] = []
    let end = try await source.log(request) { chain.append($0) }
    guard !chain.isEmpty else { throw Failure(.refused, "nothing is known of \(entity)") }
    while let cause = chain.last?.cause, cause > 0, chain.count < Why.linksMax {
      var link = LogRequest()
      link.from = .revision(cause)
      link.to = .revision(cause)
      let before = chain.count
      _ = try await source.log(link) { chain.append($0) }
      guard chain.count > before else { break }
    }
    let head = DocumentHead(schema: "why", end)
    let members: [JSON.Member] = [
      .init("entity", .text(entity)), .init("chain", .list(chain.map { .object($0.members) })),
      .init("words", .text(words(chain))),
    ]
    options.output.show(head, members) { words(chain) }
  }

  private func filter() throws -> CommitFilter {
    let parts = entity.split(separator: "/", maxSplits: 1).map(String.init)
    var filter = CommitFilter()
    guard parts.count == 2 else { throw usage }
    switch parts[0] {
    case "shard":
      _ = try ShardName(parts[1])
      filter.shard = parts[1]
    case "node": filter.node = parts[1]
    case "config": filter.configKey = parts[1]
    default: throw usage
    }
    return filter
  }

  private var usage: Failure {
    Failure.usage("\"\(entity)\" is nothing to ask about: give shard/COLLECTION/NUMBER, node/NAME or config/KEY")
  }

  private func words(_ chain: [CommitReport]) -> String {
    var text = ""
    for (place, commit) in chain.enumerated() {
      let events = commit.events.prefix(3).map(\.words).joined(separator: "; ")
      let more = commit.events.count > 3 ? "; and \(commit.events.count - 3) more" : ""
      let reason = commit.reason.kind == .unstated ? "" : " (\(commit.reason.words))"
      text += "\(place == 0 ? "" : "because ")\(events)\(more)\n"
      text += "    revision \(commit.revision), \(Timestamp.format(commit.time)), by \(commit.principal)\(reason)\n"
    }
    return text
  }
}

extension Reason {
  fileprivate var words: String {
    ([kind.name] + (text.isEmpty ? [] : [text]) + arguments).joined(separator: ", ")
  }
}
