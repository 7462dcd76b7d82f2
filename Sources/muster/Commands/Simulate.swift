import ArgumentParser
import Glibc
import MusterRendering
import MusterServer
import MusterSimulation

struct Simulate: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Runs a simulated cluster through faults, and checks every promise at every step.",
    discussion: """
      Example: muster simulate --seed 1 --seeds 200 --minutes 5
      The same seed does the same again, on every machine. Exit code 1 when a promise was broken: the command that shows
      it again is printed at once. Faults: \(Fault.allCases.map(\.rawValue).joined(separator: ", ")).
      """)
  @Option(help: "The first seed.") var seed: UInt64 = 1
  @Option(help: "How many seeds, one after the other.") var seeds: UInt64 = 1
  @Option(help: "Begin no other seed after so many minutes, such as 0.5: those that are under way go on to their end.")
  var minutes: Double?
  @Option(help: "Simulated hours of faults in each run, such as 0.5; what it takes to come to rest follows.")
  var hours: Double?
  @Option(help: "The same in seconds (default \(SimulationSettings.defaultSeconds)).") var seconds: UInt64?
  @Option(help: "Nodes, 5 to 200.") var nodes = SimulationSettings.defaultNodes
  @Option(help: "Faults that runs may draw, separated by commas (default: all).") var faults: String?
  @Option(help: "Fail when fewer of the things that should happen sometimes did.") var marks = 0
  @Flag(help: "Of a broken promise also show the commits before it.") var story = false
  @OptionGroup var output: OutputOptions

  func validate() throws {
    guard hours == nil || seconds == nil else { throw ValidationError("either --hours or --seconds") }
    guard (1...UInt64(10_000 * 3600)).contains(length) else { throw ValidationError("1 second to 10,000 hours") }
    guard (5...200).contains(nodes) else { throw ValidationError("5 to 200 nodes") }
    guard seeds > 0, seed.addingReportingOverflow(seeds).overflow == false else {
      throw ValidationError("at least one seed, and no more than there are")
    }
    guard minutes.map({ $0 > 0 && $0 <= 100_000 }) ?? true else { throw ValidationError("up to 100,000 minutes") }
    _ = try drawn()
  }

  private var length: UInt64 {
    guard let hours else { return seconds ?? SimulationSettings.defaultSeconds }
    return hours.isFinite && hours > 0 && hours <= 10_000 ? UInt64(hours * 3600) : 0
  }

  private func drawn() throws -> Set<Fault> {
    guard let faults else { return Set(Fault.allCases) }
    return Set(
      try faults.split(separator: ",").map { name in
        guard let fault = Fault(rawValue: String(name)) else { throw ValidationError("there is no fault \(name)") }
        return fault
      })
  }

  func run() async throws {
    let (template, last) = (try settings(seed), seed + seeds - 1)
    let end = minutes.map { Clock.microseconds() + UInt64($0 * 60_000_000) } ?? .max
    var outcome = SimulationOutcome()
    var progress = Progress("seeds", total: seeds)
    await withTaskGroup(of: Result<SimulationReport, BrokenPromise>.self) { group in
      var next = seed
      func begin() {
        guard next <= last, next == seed || Clock.microseconds() < end else { return }
        var settings = template
        settings.seed = next
        next += 1
        group.addTask { [settings] in Simulate.play(settings) }
      }
      for _ in 0..<max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN))) { begin() }
      for await result in group {
        outcome.add(result)
        if case .failure(let broken) = result {
          progress.end()
          Terminal.error("\(broken)\n")
        }
        progress.show(outcome.seeds)
        begin()
      }
    }
    progress.end()
    try show(outcome)
  }

  private func settings(_ seed: UInt64) throws -> SimulationSettings {
    SimulationSettings(seed: seed, seconds: length, nodes: nodes, faults: try drawn())
  }

  private static func play(_ settings: SimulationSettings) -> Result<SimulationReport, BrokenPromise> {
    do throws(BrokenPromise) {
      return .success(try Simulation.play(settings))
    } catch {
      return .failure(error)
    }
  }

  private func show(_ outcome: SimulationOutcome) throws {
    switch output.format {
    case .table: Terminal.out(outcome.text(of: seeds))
    case .json: Terminal.out(JSON.object([.init("schema", .text("muster.simulate/1"))] + outcome.members).line + "\n")
    case .jsonl: for run in outcome.runs { Terminal.out(JSON.object(run).line + "\n") }
    }
    if story { for line in outcome.broken.flatMap(\.story) { Terminal.error(line + "\n") } }
    if !outcome.broken.isEmpty {
      let seeds = outcome.broken.map { "\($0.settings.seed)" }.joined(separator: ", ")
      throw Failure(.refused, "\(outcome.broken.count) of \(outcome.seeds) seeds broke a promise: \(seeds)")
    }
    guard outcome.marks.hit.count >= marks else {
      throw Failure(
        .refused,
        "only \(outcome.marks.hit.count) of \(marks) marks were hit; missed: "
          + outcome.marks.missed.map(\.rawValue).joined(separator: "; "))
    }
  }
}
