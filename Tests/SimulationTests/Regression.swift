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
    Regression(21, "a leader counted on fewer followers than elections did, where everyone must have each write"),
    Regression(2, "a move took its source away although the policy wanted it to stay by then"),
    Regression(
      9,
      "a snapshot taken while a surplus replica was being removed could not be loaded; a move that was called off got stuck because its target led by then"
    ),
    Regression(8, "a move that was called off left its source where the rule had not held before either"),
    Regression(10, "an alarm that an earlier run had raised for a full disk was never cleared"),
    Regression(34, "where there were too many replicas the one that stood wrong waited for another place, for ever"),
    Regression(69, "a learner in sync made a write count that elections do not ask"),
    Regression(268, "elections waited for the word of followers whose data was gone"),
    Regression(339, "a name that a removed node had flapped, and its alarm was raised and cleared for ever"),
    Regression(93, "rot at the very end of the log was taken for its end: a durable revision was called the future"),
  ]
}
