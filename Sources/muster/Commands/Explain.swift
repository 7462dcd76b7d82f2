import ArgumentParser
import MusterCluster
import MusterProtocol
import MusterRendering

struct Explain: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Rule by rule, node by node: why a shard stands where it does, and why nothing moves.",
    discussion: "Example: muster explain orders/17 --node n3 --at \"1h ago\"")
  @Argument(help: "COLLECTION/NUMBER") var shard: String
  @Option(help: "Only this node.") var node: String = ""
  @OptionGroup var options: ReadOptions

  func run() async throws {
    let name = try ShardName(shard)
    guard let index = UInt32(exactly: name.index) else { throw Failure.usage("\(name.index) is no shard number") }
    let question = ExplainQuestion(collection: name.collection, index: index, node: node)
    let reply = try await options.place.source().answer(.explain(question), at: try options.moment)
    guard let report = reply.answer.explanation else { throw Failure(.refused, "the server gave no explanation") }
    let head = DocumentHead(schema: "explain", reply)
    let members: [JSON.Member] = [
      .init("shard", .text(report.shard.name)), .init("leader", .optional(report.shard.leader)),
      .init("movement", .text(report.movement)), .init("election", report.election?.json ?? .null),
      .init("question", .text(report.question)), .init("nodes", .list(report.nodes.map(\.json))),
    ]
    options.output.show(head, members) { table(report) }
  }

  private func table(_ report: ExplanationReport) -> String {
    var table = Table(["NODE", "REPLICA", "MAY", "FULL", "WHY"])
    for node in report.nodes {
      let broken = node.rules.filter { !$0.isMet }
      let why = broken.map { $0.detail.isEmpty ? $0.rule : "\($0.rule): \($0.detail)" }.joined(separator: "; ")
      let percent = node.fullness == .max ? "-" : "\(node.fullness / 10) %"
      table.add([
        node.node, node.isLeader ? "leader" : node.hasReplica ? "yes" : "-", node.isAllowed ? "yes" : "no", percent,
        why.isEmpty ? "every rule is met" : why,
      ])
    }
    let answers = report.election?.answers ?? ""
    return "\(report.shard.name): \(report.movement)\(answers)\n\(report.question)?\n" + table.text
  }
}

extension ElectionReport {
  fileprivate var json: JSON {
    .members([
      "epoch": .number(UInt64(epoch)), "needed": .number(UInt64(needed)), "asked": .list(asked.map { .text($0) }),
      "missing": .list(missing.map { .text($0) }),
      "answered": knowsAnswers ? .list(answered.map { .text($0) }) : .null,
    ])
  }

  /// Who has answered and who has not, as the end of a sentence; empty where nobody knows.
  fileprivate var answers: String {
    guard knowsAnswers else { return "" }
    let silent = asked.filter { !answered.contains($0) }
    let came = answered.isEmpty ? "nobody has answered" : "answered: \(answered.joined(separator: ", "))"
    return "; \(came)" + (silent.isEmpty ? "" : "; not yet: \(silent.joined(separator: ", "))")
  }
}

extension NodeVerdict {
  fileprivate var json: JSON {
    .members([
      "node": .text(node), "replica": .flag(hasReplica), "leader": .flag(isLeader), "allowed": .flag(isAllowed),
      "fullness": fullness == .max ? .null : .ratio(fullness, 1000),
      "rules": .list(
        rules.map {
          .members([
            "rule": .text($0.rule), "met": .flag($0.isMet), "detail": .optional($0.detail),
            "preference": .flag($0.isPreference),
          ])
        }),
    ])
  }
}
