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
  func show(_ head: DocumentHead, _ plural: String, _ items: [[JSON.Member]], table: () -> String) {
    switch format {
    case .table: Terminal.out(table())
    case .json:
      let list = JSON.Member(plural, .list(items.map { .object($0) }))
      Terminal.out(JSON.object(head.members + [list]).line + "\n")
    case .jsonl: for item in items { Terminal.out(JSON.object(item).line + "\n") }
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
