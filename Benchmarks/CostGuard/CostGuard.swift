import MusterBytes

/// Counts what work costs, without a clock: the same on every machine, whoever else uses it.
///
///     cost-guard counters            bytes, syncs and blocks, as one JSON object
///     cost-guard WORK COUNT          does so much work inside `cost_guard_measured`, for callgrind to count
///
/// `Benchmarks/CostGuard/check` runs both and compares them with `thresholds.json`.
@main
struct CostGuard {
  static func main() throws {
    let words = CommandLine.arguments.dropFirst()
    if words.first == "counters" { return print(try Counters.measure()) }
    guard words.count == 2, let name = words.first, let work = Work(rawValue: name),
      let count = words.last.flatMap({ Int($0) }), (100...1_000_000).contains(count)
    else {
      let names = Work.allCases.map(\.rawValue).joined(separator: "|")
      fatalError("cost-guard: counters, or \(names) and how many, 100 to 1,000,000")
    }
    try work.run(count)
  }
}

enum Work: String, CaseIterable {
  case commits
  case commitsAlone = "commits-alone"
  case reads
  case heartbeats
  case deliveries

  static let perTick = 16
  static let watchers = 100

  /// Warms up, then does `count` of it where it is counted.
  func run(_ count: Int) throws {
    let server = try InProcessServer()
    try Requests.hello.withUnsafeBytes { try server.tick($0) }
    var requests = Requests()
    requests.join()
    if self == .deliveries { requests.watchers(Work.watchers) }
    requests.commits(1024, perTick: Work.perTick)
    if self == .heartbeats { requests.heartbeats(160, perTick: Work.perTick) }
    if self == .reads { requests.reads(160, perTick: Work.perTick) }
    let warmUp = requests.ticks.count
    add(count, to: &requests)
    for tick in requests.ticks[..<warmUp] { try tick.withUnsafeBytes { try server.tick($0) } }
    let before = (server.answers, server.items)
    let ticks = requests.ticks[warmUp...]
    measured = { for tick in ticks { try tick.withUnsafeBytes { try server.tick($0) } } }
    try costGuardMeasured()
    let done = self == .deliveries ? server.items - before.1 : server.answers - before.0
    guard server.failures == 0, done == UInt64(count) else {
      fatalError("cost-guard: \(done) of \(count) were done, \(server.failures) failed")
    }
  }

  private func add(_ count: Int, to requests: inout Requests) {
    precondition(count % (Work.perTick * Work.watchers) == 0, "whole ticks, of whole fan-outs")
    switch self {
    case .commits: requests.commits(count, perTick: Work.perTick)
    case .commitsAlone: requests.commits(count, perTick: 1)
    case .reads: requests.reads(count, perTick: Work.perTick)
    case .heartbeats: requests.heartbeats(count, perTick: Work.perTick)
    case .deliveries: requests.commits(count / Work.watchers, perTick: Work.perTick)
    }
  }
}

/// What `cost_guard_measured` does; set and used by the only thread.
nonisolated(unsafe) private var measured: () throws -> Void = {}

/// Callgrind collects while this runs: its name must be the one that `check` gives.
@inline(never) @_silgen_name("cost_guard_measured")
func costGuardMeasured() throws { try measured() }
