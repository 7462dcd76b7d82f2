import MusterSimulation
import Testing

/// Nothing that a shard's writers were told is safe is lost, whoever hangs, lags, moves or takes over.
@Suite struct DataTests {
  /// The first seed that loses something, and what.
  private func firstLoss(_ seeds: Range<UInt64>, _ flaw: HostFlaw? = nil) -> String? {
    for seed in seeds {
      var run = DataRun(seed: seed, flaw: flaw)
      if let problem = run.play(seconds: 120) { return "seed \(seed): \(problem)" }
    }
    return nil
  }

  @Test func hostsThatKeepTheRulesLoseNothing() {
    #expect(firstLoss(1..<40) == nil)
  }

  /// A host that breaks a rule must be found out, or the runs with honest hosts prove nothing.
  @Test(arguments: HostFlaw.allCases)
  func aHostThatBreaksARuleLosesWrites(flaw: HostFlaw) {
    #expect(firstLoss(1..<1000, flaw) != nil, "\(flaw) went unnoticed")
  }

  @Test func theRunsMeetWhatTheyAreFor() {
    var (elections, handOvers, moves, writes, splits, merges) = (0, 0, 0, 0, 0, 0)
    for seed in 1..<20 as Range<UInt64> {
      var run = DataRun(seed: seed)
      _ = run.play(seconds: 120)
      elections += run.elections
      handOvers += run.handOvers
      moves += run.moves
      writes += run.writes
      splits += run.splits
      merges += run.merges
    }
    #expect(elections > 100, "\(elections)")
    #expect(handOvers > 60, "\(handOvers)")
    #expect(moves > 100, "\(moves)")
    #expect(splits > 40, "\(splits)")
    #expect(merges > 20, "\(merges)")
    #expect(writes > 10_000, "\(writes)")
  }
}
