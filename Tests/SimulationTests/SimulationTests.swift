import MusterSimulation
import Testing

@Suite struct SimulationTests {
  @Test(arguments: 1...100)
  func promisesHold(seed: Int) throws {
    let report = try Simulation(seed: UInt64(seed), seconds: 6).run()
    #expect(report.acknowledged > 20)
    #expect(report.crashes > 0)
  }

  @Test(arguments: [UInt64(3), 17, 99])
  func theSameSeedGivesTheSameTrace(seed: UInt64) throws {
    let first = try Simulation(seed: seed, seconds: 6).run()
    #expect(try Simulation(seed: seed, seconds: 6).run() == first)
  }

  /// The faults must happen, or the promises prove nothing.
  @Test func everyKindOfFaultIsMet() throws {
    var torn = 0
    var retries = 0
    var lost = 0
    var (elections, moves, handOvers, writes) = (0, 0, 0, 0)
    for seed in 200..<230 as Range<UInt64> {
      let report = try Simulation(seed: seed, seconds: 8).run()
      torn += report.tornRecoveries
      retries += report.retries
      lost += report.lostMessages
      elections += report.elections
      moves += report.moves
      handOvers += report.handOvers
      writes += report.writes
    }
    #expect(torn > 0)
    #expect(retries > 0)
    #expect(lost > 0)
    #expect(elections > 0, "\(elections)")
    #expect(moves > 10, "\(moves)")
    #expect(handOvers > 10, "\(handOvers)")
    #expect(writes > 10_000, "\(writes)")
  }
}
