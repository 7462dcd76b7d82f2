import MusterSimulation
import Testing

/// A run that once broke a promise, and why.
struct Regression: Sendable, CustomTestStringConvertible {
  var settings: SimulationSettings
  var why: String

  init(_ seed: UInt64, _ why: String) {
    settings = SimulationSettings(seed: seed)
    self.why = why
  }

  var testDescription: String { "seed \(settings.seed): \(why)" }

  static let all = [
    Regression(
      9, "a snapshot taken while a surplus replica was being removed could not be loaded, and no start was possible"),
    Regression(8, "a move that was called off left its source where the rule had not held before either"),
  ]
}
