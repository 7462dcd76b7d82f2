package import MusterCluster

/// A promise that was broken, with what shows it again.
package struct BrokenPromise: Error, CustomStringConvertible, Equatable, Sendable {
  package var settings: SimulationSettings
  package var problem: String
  /// Virtual time, in microseconds.
  package var at: UInt64
  /// The last commits before it, in words.
  package var story: [String]

  package init(settings: SimulationSettings, problem: String, at: UInt64, story: [String] = []) {
    self.settings = settings
    self.problem = problem
    self.at = at
    self.story = story
  }

  package var description: String {
    "seed \(settings.seed), after \(at / 1_000_000) s: \(problem)\n  again: \(settings.command)"
  }
}

/// What a run is made of: the same settings give the same run.
package struct SimulationSettings: Equatable, Sendable {
  package var seed: UInt64
  /// Virtual seconds of faults; what it takes to come to rest follows.
  package var seconds: UInt64
  package var nodes: Int
  /// Those that the run may draw.
  package var faults: Set<Fault>
  /// A rule that the modelled hosts break.
  package var flaw: HostFlaw?

  package static let defaultSeconds: UInt64 = 180
  package static let defaultNodes = 20

  package init(
    seed: UInt64, seconds: UInt64 = defaultSeconds, nodes: Int = defaultNodes,
    faults: Set<Fault> = Set(Fault.allCases), flaw: HostFlaw? = nil
  ) {
    self.seed = seed
    self.seconds = seconds
    self.nodes = nodes
    self.faults = faults
    self.flaw = flaw
  }

  /// The command line that does this run again.
  package var command: String {
    var words = "muster simulate --seed \(seed)"
    if seconds != SimulationSettings.defaultSeconds { words += " --seconds \(seconds)" }
    if nodes != SimulationSettings.defaultNodes { words += " --nodes \(nodes)" }
    if faults.count < Fault.allCases.count {
      words += " --faults " + Fault.allCases.filter(faults.contains).map(\.rawValue).joined(separator: ",")
    }
    return words
  }
}

/// What a run covered.
package struct SimulationReport: Equatable, Sendable {
  package var seed: UInt64
  /// Of everything that happened, in order: the same settings give the same digest.
  package var trace = ""
  /// Virtual time, in microseconds.
  package var elapsed: UInt64 = 0
  package var happenings: UInt64 = 0
  package var revisions: Revision = 0
  package var acknowledged = 0
  package var readings = 0
  package var watched = 0
  package var starts = 0
  package var elections = 0
  package var moves = 0
  /// Writes to replicas that their writers were told are safe.
  package var writes = 0
  package var marks = Marks()

  package init(seed: UInt64) { self.seed = seed }
}
