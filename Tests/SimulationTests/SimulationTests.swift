import MusterSimulation
import Testing

/// Whole clusters under a swarm of faults; `Tools/test` plays many more seeds in release.
@Suite struct SimulationTests {
  private func play(_ seed: UInt64, seconds: UInt64 = 90, nodes: Int = 8) throws -> SimulationReport {
    try Simulation.play(SimulationSettings(seed: seed, seconds: seconds, nodes: nodes))
  }

  @Test(arguments: UInt64(1)...12)
  func promisesHold(seed: UInt64) throws {
    let report = try play(seed)
    #expect(report.revisions > 20)
    #expect(report.acknowledged > 10)
  }

  /// Seeds that once broke a promise.
  @Test(arguments: Regression.all)
  func whatWasMendedStaysMended(regression: Regression) throws {
    _ = try Simulation.play(regression.settings)
  }

  @Test func theSameSeedGivesTheSameTrace() throws {
    #expect(try play(3) == play(3))
    #expect(try play(3).trace != play(4).trace)
  }

  @Test func aBrokenPromiseSaysHowToSeeItAgain() {
    let settings = SimulationSettings(seed: 7, seconds: 60, nodes: 9, faults: [.kill, .reset])
    let promise = BrokenPromise(settings: settings, problem: "it was lost", at: 61_000_000)
    #expect(
      promise.description
        == "seed 7, after 61 s: it was lost\n  again: muster simulate --seed 7 --seconds 60 --nodes 9 --faults kill,reset"
    )
  }

  @Test func marksAreCountedAndAdded() {
    var marks = Marks()
    marks.sometimes(.tornTailCut)
    var sum = marks
    sum += marks
    #expect(sum[.tornTailCut] == 2)
    #expect(sum.hit == [.tornTailCut])
    #expect(sum.missed.count == Mark.allCases.count - 1)
    #expect(Mark.allCases.count >= 60)
  }
}
