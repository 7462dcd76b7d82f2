import MusterRendering
import MusterSimulation

/// What the runs of several seeds came to.
struct SimulationOutcome {
  private var reports: [SimulationReport] = []
  private(set) var broken: [BrokenPromise] = []
  private(set) var marks = Marks()

  var seeds: UInt64 { UInt64(reports.count + broken.count) }

  mutating func add(_ result: Result<SimulationReport, BrokenPromise>) {
    switch result {
    case .success(let report):
      reports.append(report)
      marks += report.marks
    case .failure(let promise): broken.append(promise)
    }
    reports.sort { $0.seed < $1.seed }
    broken.sort { $0.settings.seed < $1.settings.seed }
  }

  private var elapsed: UInt64 { reports.reduce(0) { $0 + $1.elapsed } + broken.reduce(0) { $0 + $1.at } }

  private func sum(_ count: (SimulationReport) -> UInt64) -> UInt64 { reports.reduce(0) { $0 + count($1) } }

  // MARK: JSON

  var members: [JSON.Member] {
    [
      .init("seeds", .number(seeds)), .init("simulatedSeconds", .seconds(elapsed)),
      .init("revisions", .number(sum(\.revisions))), .init("happenings", .number(sum(\.happenings))),
      .init("runs", .list(runs.map { .object($0) })),
      .init(
        "marks", .object(Mark.allCases.map { .init("\($0)", .number(UInt64(marks[$0]))) })),
      .init("missed", .list(marks.missed.map { .text("\($0)") })),
      .init("broken", .list(broken.map { .object(SimulationOutcome.members($0)) })),
    ]
  }

  var runs: [[JSON.Member]] { reports.map(SimulationOutcome.members) + broken.map(SimulationOutcome.members) }

  private static func members(_ report: SimulationReport) -> [JSON.Member] {
    [
      .init("seed", .number(report.seed)), .init("trace", .text(report.trace)),
      .init("simulatedSeconds", .seconds(report.elapsed)), .init("happenings", .number(report.happenings)),
      .init("revisions", .number(report.revisions)), .init("acknowledged", .number(UInt64(report.acknowledged))),
      .init("readings", .number(UInt64(report.readings))), .init("watched", .number(UInt64(report.watched))),
      .init("starts", .number(UInt64(report.starts))), .init("elections", .number(UInt64(report.elections))),
      .init("moves", .number(UInt64(report.moves))), .init("writes", .number(UInt64(report.writes))),
      .init("marks", .number(UInt64(report.marks.hit.count))),
    ]
  }

  private static func members(_ promise: BrokenPromise) -> [JSON.Member] {
    [
      .init("seed", .number(promise.settings.seed)), .init("simulatedSeconds", .seconds(promise.at)),
      .init("problem", .text(promise.problem)), .init("again", .text(promise.settings.command)),
    ]
  }

  // MARK: Words

  /// - Parameter asked: the seeds that were to be played; fewer were, when the time was over before.
  func text(of asked: UInt64) -> String {
    var lines = [
      "\(seeds < asked ? "\(seeds) of \(asked)" : "\(seeds)") seeds, \(elapsed / 1_000_000) simulated seconds, \(sum(\.happenings)) happenings",
      "\(sum(\.revisions)) revisions, \(sum { UInt64($0.acknowledged) }) acknowledged commands, "
        + "\(sum { UInt64($0.readings) }) answers, \(sum { UInt64($0.watched) }) watched commits, "
        + "\(sum { UInt64($0.writes) }) writes to replicas",
      "\(sum { UInt64($0.starts) }) starts of the server, \(sum { UInt64($0.elections) }) leaders, "
        + "\(sum { UInt64($0.moves) }) moves",
      "\(marks.hit.count) of \(Mark.allCases.count) marks",
    ]
    if reports.count == 1, let report = reports.first { lines.insert("trace \(report.trace)", at: 1) }
    if !marks.missed.isEmpty { lines.append("never: " + marks.missed.map(\.rawValue).joined(separator: "; ")) }
    return (lines + broken.map { "BROKEN \($0)" }).joined(separator: "\n") + "\n"
  }
}
