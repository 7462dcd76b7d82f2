import ArgumentParser
import MusterCrashStates

/// Enumerates what crashes may leave and recovers from each.
@main struct CrashStatesCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "crash-states",
    abstract: "Recovers from every state that a crash may leave of a log, as far as they can be counted.",
    discussion: "Example: Tools/crash-states --runs 40 --per-moment 300")
  @Option(help: "How many lives of a log.") var runs = 40
  @Option(help: "What happens in each.") var steps = 60
  @Option(help: "How many restores, each with what interrupts it.") var restores = 3
  @Option(help: "The first seed.") var seed: UInt64 = 1
  @Option(help: "States of one moment that are looked at, at most.") var perMoment = 300

  func run() throws {
    let survey = Survey(seed: seed, perWindow: perMoment)
    for number in 0..<runs {
      try named("life", number) { try LogScenario(seed: seed + UInt64(number), survey).run(steps: steps) }
      report(survey, "lives of a log", number + 1)
    }
    let ofLogs = survey.counts.states
    for number in 0..<restores {
      try named("restore", number) { try RestoreScenario(seed: seed + UInt64(number), survey).run(stride: 7) }
      report(survey, "restores", number + 1)
    }
    let counts = survey.counts
    print(
      """
      \(counts.states) different states at \(counts.windows) moments, \(counts.complete) of which were looked at \
      completely: \(ofLogs) of logs, \(counts.ofRecovery) of these of recoveries, \(counts.states - ofLogs) of restores.
      \(counts.essential) differ in what a start interprets; a write that was cut short was set aside in \(counts.torn).
      No promise was broken.
      """)
  }

  private func named(_ what: String, _ number: Int, _ body: () throws -> Void) throws {
    do {
      try body()
    } catch {
      let place = seed + UInt64(number)
      print(
        "BROKEN: \(error)\nagain: Tools/crash-states --seed \(place) --runs \(what == "life" ? 1 : 0) "
          + "--restores \(what == "life" ? 0 : 1) --steps \(steps) --per-moment \(perMoment)")
      throw ExitCode(1)
    }
  }

  private func report(_ survey: Survey, _ what: String, _ number: Int) {
    guard number % 5 == 0 else { return }
    print("\(number) \(what): \(survey.counts.states) states")
  }
}
