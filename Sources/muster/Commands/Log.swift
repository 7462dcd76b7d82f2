import ArgumentParser
import MusterCluster
import MusterProtocol
import MusterRendering

/// Which commits.
struct FilterOptions: ParsableArguments {
  @Option(help: "From this moment on: a revision, a time, or \"10m ago\".") var from: String?
  @Option(help: "Up to this moment.") var to: String?
  @Option(help: "Only what speaks of this node.") var node: String = ""
  @Option(help: "Only what speaks of this shard (C/17).") var shard: String = ""
  @Option(help: "Only what speaks of this collection.") var collection: String = ""
  @Option(help: "Only what speaks of this configuration key.") var config: String = ""
  @Option(help: "Only what this principal did.") var principal: String = ""
  @Option(help: "Only with an event of this type, such as LeaderElected.") var type: String = ""
  @Option(help: "Only what this tenant did, or what is its own.") var tenant: String = ""

  func request() throws -> LogRequest {
    var request = LogRequest()
    request.from = try from.map { try ReadOptions.moment($0) }
    if let to { request.to = try ReadOptions.moment(to) }
    request.filter.node = node
    request.filter.shard = shard
    request.filter.collection = collection
    request.filter.configKey = config
    request.filter.principal = principal
    request.filter.eventType = type
    request.filter.tenant = tenant
    return request
  }
}

struct Log: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "The commits, newest first.",
    discussion: "Example: muster log --node n3 --from \"1h ago\"\n         muster log --type LeaderElected --limit 10")
  @OptionGroup var filter: FilterOptions
  @Option(help: "At most so many.") var limit: UInt64?
  @Flag(help: "Oldest first.") var oldestFirst = false
  @OptionGroup var options: ReadOptions
  @OptionGroup var pager: PagerOptions

  func run() async throws {
    guard filter.to == nil || options.at == nil else {
      throw Failure.usage("--to and --at both say where the log ends: give one of them")
    }
    var request = try filter.request()
    if filter.to == nil { request.to = try options.moment }
    if let limit {
      guard limit > 0 else { throw Failure.usage("--limit is at least 1") }
      request.limit = limit
    }
    request.isOldestFirst = oldestFirst
    let source = try options.place.source()
    let pager = pager.begin(options.output)
    defer { pager?.finish() }
    try await LogPrinter(options.output, schema: "log").print(request, from: source)
  }
}

/// Prints commits as they come.
struct LogPrinter {
  let output: OutputOptions
  let schema: String

  init(_ output: OutputOptions, schema: String) {
    self.output = output
    self.schema = schema
  }

  func print(_ request: LogRequest, from source: any Source) async throws {
    var commits = WrittenList()
    var lines = LineBuffer()
    let end = try await source.log(request) { commit in
      switch output.format {
      case .table: Terminal.out(LogPrinter.words(commit))
      case .jsonl: lines.append(commit.json.line)
      case .json: commits.append(commit.json)
      }
    }
    lines.flush()
    let head = DocumentHead(schema: schema, end)
    output.showCost(head)
    guard output.format == .json else { return }
    let members =
      head.members + [
        .init("from", .number(end.from)), .init("commits", .written(commits)),
        .init("blocksRead", .number(end.blocksRead)),
      ] + head.costMembers
    Terminal.out(JSON.object(members).line + "\n")
  }

  /// A commit as `git log` would show it.
  static func words(_ commit: CommitReport) -> String {
    var text = Terminal.yellow("revision \(commit.revision)") + "\n"
    text += "  time    \(Terminal.time(commit.time))\n"
    text += "  by      \(commit.principal) (\(commit.principalKind.name), \(commit.assurance.name))\n"
    if !commit.requestID.isEmpty { text += "  request \(commit.requestID)\n" }
    if commit.cause != 0 { text += "  cause   \(commit.cause)\n" }
    if commit.reason.kind != .unstated {
      let inputs = commit.reason.arguments.isEmpty ? "" : " (\(commit.reason.arguments.joined(separator: ", ")))"
      text += "  reason  \(commit.reason.words)\(inputs)\n"
    }
    for event in commit.events { text += "    \(event.words)\n" }
    return text
  }
}

struct Show: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "One commit, whole.", discussion: "Example: muster show 1234")
  @Argument(help: "A revision.") var revision: UInt64
  @OptionGroup var options: ReadOptions

  func run() async throws {
    guard revision > 0 else { throw Failure(.refused, "revisions begin at 1") }
    var request = LogRequest()
    request.from = .revision(revision)
    request.to = options.at == nil ? .revision(revision) : try options.moment
    request.limit = 1
    request.isOldestFirst = true
    var found: CommitReport?
    let end = try await options.place.source().log(request) { found = $0 }
    guard let found else {
      throw Failure(.refused, "revision \(revision) is later than --at, revision \(end.revision)")
    }
    let head = DocumentHead(schema: "commit", timeline: end.timeline, revision: revision, time: found.time)
    options.output.show(head, found.members) { LogPrinter.words(found) }
  }
}

struct Diff: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "What differs between two moments.",
    discussion: "Example: muster diff 1200 1300\n         muster diff \"10m ago\" now")
  @Argument(help: "The earlier moment: a revision, a time, \"10m ago\", or now.") var a: String
  @Argument(help: "The later moment; without it --at, or now.") var b: String?
  @OptionGroup var options: ReadOptions
  @OptionGroup var pager: PagerOptions

  func run() async throws {
    guard b == nil || options.at == nil else {
      throw Failure.usage("give the later moment as an argument or by --at, not both")
    }
    let output = options.output
    var found = WrittenList()
    var lines = LineBuffer()
    let later = try b.map { try Diff.moment($0) } ?? options.moment
    let (earlier, source) = (try Diff.moment(a), try options.place.source())
    let pager = pager.begin(output)
    defer { pager?.finish() }
    let end = try await source.diff(earlier, later) { difference in
      switch output.format {
      case .table: Terminal.out(Diff.words(difference))
      case .jsonl: lines.append(JSON.object(difference.members).line)
      case .json: found.append(.object(difference.members))
      }
    }
    lines.flush()
    let head = DocumentHead(schema: "diff", end)
    output.showCost(head)
    guard output.format == .json else { return }
    let members =
      head.members + [
        .init("from", .number(end.from)), .init("to", .number(end.revision)),
        .init("differences", .written(found)), .init("blocksRead", .number(end.blocksRead)),
      ] + head.costMembers
    Terminal.out(JSON.object(members).line + "\n")
  }

  private static func moment(_ text: String) throws -> Moment { text == "now" ? .now : try ReadOptions.moment(text) }

  private static func words(_ difference: Difference) -> String {
    let sign = difference.kind == .added ? "+" : difference.kind == .removed ? "-" : "~"
    let name = "\(sign) \(difference.entity)"
    let shown =
      difference.kind == .added
      ? Terminal.green(name) : difference.kind == .removed ? Terminal.red(name) : Terminal.yellow(name)
    var text = shown + "  (revision \(difference.revision))\n"
    for field in difference.fields {
      let before = field.before.words
      let after = field.after.words
      if difference.kind == .changed || before != after { text += "    \(field.name): \(before) -> \(after)\n" }
    }
    return text
  }
}
