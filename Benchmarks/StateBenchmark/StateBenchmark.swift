import MusterBytes
import MusterCluster

/// Shows what the state costs at a million shards: a row write while a view is published per write, the pages of one
/// change, the memory, planning, and replay. Figures are processor time of one thread, so that a busy machine shows in the
/// share of the wall clock and not in the figure.
///
///     swift run -c release state-benchmark [--shards N] [--nodes N] [--events N] [--only writes|pages|planning|replay]
@main
struct StateBenchmark {
  static func main() {
    let options = Options(CommandLine.arguments.dropFirst())
    if options.wants("writes") || options.wants("pages") {
      let cluster = LargeCluster(shards: options.shards)
      if options.wants("pages") { changedPages(cluster) }
      if options.wants("writes") { rowWrites(cluster) }
    }
    if options.wants("planning") { planning(shards: options.shards, nodes: options.nodes) }
    if options.wants("replay") { replay(events: options.events) }
  }
}

/// What the command line asks for.
struct Options {
  var shards = 1_000_000
  /// Of planning; what else is measured has 1,000.
  var nodes = 1000
  var events = 3_000_000
  private var only: String?

  init(_ arguments: ArraySlice<String>) {
    var rest = Array(arguments)
    while let name = rest.first {
      guard rest.count >= 2 else { Options.exit(with: "\(name) wants a value") }
      switch (name, Int(rest[1])) {
      case ("--shards", let number?) where (1000...4_000_000).contains(number): shards = number
      case ("--nodes", let number?) where (100...10_000).contains(number): nodes = number
      case ("--events", let number?) where (1000...50_000_000).contains(number): events = number
      case ("--only", _) where ["writes", "pages", "planning", "replay"].contains(rest[1]): only = rest[1]
      default: Options.exit(with: "\(name) \(rest[1]) is not understood")
      }
      rest.removeFirst(2)
    }
  }

  func wants(_ part: String) -> Bool { only == nil || only == part }

  private static func exit(with problem: String) -> Never {
    let options = "[--shards N] [--nodes N] [--events N] [--only writes|pages|planning|replay]"
    fatalError("state-benchmark: \(problem); \(options)")
  }
}
