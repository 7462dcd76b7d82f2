import ArgumentParser
import MusterRendering

enum OutputFormat: String, ExpressibleByArgument, CaseIterable {
  case table, json, jsonl
}

struct OutputOptions: ParsableArguments {
  @Option(help: "table (default at a terminal), json (default in a pipe), or jsonl.")
  var output: OutputFormat?

  var format: OutputFormat { output ?? (Terminal.isOutputTerminal ? .table : .json) }
}

/// The moment that a document speaks of: every document begins with it.
struct DocumentHead {
  var schema: String
  var timeline: UInt64
  var revision: UInt64
  var time: UInt64

  var members: [JSON.Member] {
    [
      .init("schema", .text("muster.\(schema)/1")), .init("timeline", .number(timeline)),
      .init("revision", .number(revision)), .init("time", time == 0 ? .null : .text(Timestamp.format(time))),
    ]
  }
}

extension OutputOptions {
  /// Prints one thing.
  func show(_ head: DocumentHead, _ members: [JSON.Member], table: () -> String) {
    switch format {
    case .table: Terminal.out(table())
    case .json: Terminal.out(JSON.object(head.members + members.without(head)).line + "\n")
    case .jsonl: Terminal.out(JSON.object(members).line + "\n")
    }
  }

  /// Prints a list under its plural name; in jsonl an object a line.
  func show(_ head: DocumentHead, _ plural: String, _ items: some Sequence<[JSON.Member]>, table: () -> String) {
    switch format {
    case .table: Terminal.out(table())
    case .json:
      var list = WrittenList()
      for item in items { list.append(.object(item)) }
      Terminal.out(JSON.object(head.members + [.init(plural, .written(list))]).line + "\n")
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
