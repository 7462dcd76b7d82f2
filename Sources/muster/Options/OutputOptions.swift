import ArgumentParser
import MusterProtocol
import MusterRendering

enum OutputFormat: String, ExpressibleByArgument, CaseIterable {
  case table, json, jsonl
}

struct OutputOptions: ParsableArguments {
  @Option(help: "table (default at a terminal), json (default in a pipe), or jsonl.")
  var output: OutputFormat?

  @Flag(help: "With a table, say also what the answer cost to read.")
  var verbose = false

  var format: OutputFormat { output ?? (Terminal.isOutputTerminal ? .table : .json) }
}

/// The moment that a document speaks of: every document begins with it.
struct DocumentHead {
  var schema: String
  var timeline: UInt64
  var revision: UInt64
  var time: UInt64
  /// What the answer cost, when it was read from files.
  var cost: QuestionCost?

  var members: [JSON.Member] {
    [
      .init("schema", .text("muster.\(schema)/1")), .init("timeline", .number(timeline)),
      .init("revision", .number(revision)), .init("time", time == 0 ? .null : .text(Timestamp.format(time))),
    ]
  }
}

extension DocumentHead {
  init(schema: String, _ reply: ReadReply) {
    self.init(schema: schema, timeline: reply.timeline, revision: reply.revision, time: reply.time)
    cost = QuestionCost(pages: reply.pagesRead, blocks: reply.blocksRead, bytes: reply.bytesRead)
  }

  init(schema: String, _ end: HistoryEnd) {
    self.init(schema: schema, timeline: end.timeline, revision: end.revision, time: end.time)
    cost = QuestionCost(pages: end.pagesRead, blocks: end.blocksRead, bytes: end.bytesRead)
  }

  init(schema: String, _ reply: ExecuteReply) {
    self.init(schema: schema, timeline: reply.timeline, revision: reply.revision, time: reply.time)
  }

  /// Stands at the end of a document.
  var costMembers: [JSON.Member] { cost.map { [.init("cost", $0.json)] } ?? [] }
}

/// Pages of snapshots and indexes, blocks of the log, and stored bytes that were read for an answer.
struct QuestionCost {
  var pages: UInt64
  var blocks: UInt64
  var bytes: UInt64

  /// Nil when nothing was read: the answer was at hand.
  init?(pages: UInt64, blocks: UInt64, bytes: UInt64) {
    guard pages > 0 || blocks > 0 || bytes > 0 else { return nil }
    (self.pages, self.blocks, self.bytes) = (pages, blocks, bytes)
  }

  var json: JSON {
    .object([.init("pages", .number(pages)), .init("blocks", .number(blocks)), .init("bytes", .number(bytes))])
  }

  var words: String { "read \(pages) pages and \(blocks) blocks, \(bytes) bytes\n" }
}

extension OutputOptions {
  /// Says what an answer cost, if somebody wants to know.
  func showCost(_ head: DocumentHead) {
    if verbose, format == .table { Terminal.error(head.cost?.words ?? "nothing had to be read\n") }
  }

  /// Prints one thing.
  func show(_ head: DocumentHead, _ members: [JSON.Member], table: () -> String) {
    switch format {
    case .table:
      Terminal.out(table())
      showCost(head)
    case .json: Terminal.out(JSON.object(head.members + members.without(head) + head.costMembers).line + "\n")
    case .jsonl: Terminal.out(JSON.object(members).line + "\n")
    }
  }

  /// Prints a list under its plural name; in jsonl an object a line.
  func show(_ head: DocumentHead, _ plural: String, _ items: some Sequence<[JSON.Member]>, table: () -> String) {
    switch format {
    case .table:
      Terminal.out(table())
      showCost(head)
    case .json:
      var list = WrittenList()
      for item in items { list.append(.object(item)) }
      Terminal.out(JSON.object(head.members + [.init(plural, .written(list))] + head.costMembers).line + "\n")
    case .jsonl:
      var lines = LineBuffer()
      for item in items { lines.append(JSON.object(item).line) }
      lines.flush()
    }
  }
}

extension [JSON.Member] {
  /// Without what the head says already.
  fileprivate func without(_ head: DocumentHead) -> [JSON.Member] {
    let taken = head.members.map(\.name)
    return filter { !taken.contains($0.name) }
  }
}
