import ArgumentParser
import MusterCluster
import MusterProtocol
import MusterRendering

struct Blame: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "For each field of something: its value, since when, and who did it.",
    discussion: """
      Example: muster blame node/n3
               muster blame shard/orders/17 --at 1234
               muster blame config/cache/size --scope node:n3
      """)
  @OptionGroup var entity: EntityArgument
  @OptionGroup var options: ReadOptions

  func run() async throws {
    let reply = try await options.place.source().blame(BlameRequest(entity.name, at: try options.moment))
    let head = DocumentHead(schema: "blame", timeline: reply.timeline, revision: reply.revision, time: reply.time)
    let members: [JSON.Member] = [
      .init("entity", .text(reply.entity)), .init("fields", .list(reply.fields.map { .object(reply.members($0)) })),
      .init("blocksRead", .number(reply.blocksRead)),
    ]
    switch options.output.format {
    case .table: Terminal.out(Blame.table(reply))
    case .json: options.output.show(head, members) { "" }
    case .jsonl: options.output.show(head, "fields", reply.fields.map(reply.members)) { "" }
    }
  }

  private static func table(_ reply: BlameReply) -> String {
    var table = Table(["FIELD", "VALUE", "SINCE", "TIME", "BY", "REASON"])
    for field in reply.fields {
      let commit = reply.commit(field.since) ?? CommitReport()
      table.add([
        field.name, field.value.words.clipped(to: 60), "\(field.since)", Terminal.time(commit.time), commit.principal,
        commit.reason.kind == .unstated && commit.reason.text.isEmpty ? "-" : commit.reason.words,
      ])
    }
    return Terminal.yellow(reply.entity) + " at revision \(reply.revision)\n" + table.text
  }
}

extension BlameReply {
  fileprivate func members(_ field: BlamedField) -> [JSON.Member] {
    let who = (commit(field.since) ?? CommitReport()).members.filter { $0.name != "events" && $0.name != "revision" }
    return [
      .init("field", .text(field.name)), .init("value", field.value.json), .init("since", .number(field.since)),
    ] + who
  }
}
