import MusterBytes
import MusterCluster
import MusterHistory
import MusterLog
import MusterWorkload
import Testing

@Suite struct StateAtTests {
  @Test func aThousandRandomMomentsAreWhatTheyWereThen() throws {
    let recorded = try RecordedHistory(seed: 1, commits: 4000)
    let history = try recorded.history()
    var random = SeededGenerator(seed: 2)
    for _ in 0..<1000 {
      let revision = Revision(random.below(recorded.commits.count + 1))
      let state = try history.state(at: revision)
      try expectSame(state, recorded.states[Int(revision)])
    }
  }

  @Test func aReplayFromTheFirstCommitMakesEveryStateOnTheWay() throws {
    let recorded = try RecordedHistory(seed: 3, commits: 1500)
    var state = State()
    for commit in recorded.commits {
      try state.apply(try Commit(bytes: commit.encoded(), refusingUnknownFields: true))
      #expect(state.digest == recorded.states[Int(state.revision)].digest)
    }
    #expect(state.digest == state.computedDigest())
  }

  @Test func whatTheLogSaysAtTheEndOfEachBlockIsTheDigestOfThatState() throws {
    let recorded = try RecordedHistory(seed: 4, commits: 1500)
    var seen: [Revision] = []
    try recorded.history().verifyDeep { seen.append($0) }
    #expect(seen == recorded.blockEnds)
  }

  @Test func aHistoryThatEndsEarlierKnowsNothingOfWhatFollows() throws {
    let recorded = try RecordedHistory(seed: 5, commits: 800)
    let history = try recorded.history(through: 500)
    #expect(history.last == 500)
    #expect(throws: HistoryError.self) { try history.state(at: 501) }
    #expect(throws: HistoryError.self) { try history.commit(501) }
    try expectSame(try history.state(at: 500), recorded.states[500])
  }

  @Test func aPastStateGoesOnAsItDidThen() throws {
    let recorded = try RecordedHistory(seed: 6, commits: 1200)
    var state = try recorded.history().state(at: 700)
    for commit in recorded.commits[700...] { try state.apply(commit) }
    try expectSame(state, try #require(recorded.states.last))
  }
}

/// Rows, and what is derived from them.
func expectSame(
  _ found: State, _ expected: State, _ location: SourceLocation = #_sourceLocation
) throws {
  #expect(found.revision == expected.revision, sourceLocation: location)
  #expect(found.time == expected.time, sourceLocation: location)
  #expect(found.digest == expected.digest, sourceLocation: location)
  #expect(found.statusReport() == expected.statusReport(), sourceLocation: location)
  guard found.nodes.count == expected.nodes.count else { return }
  for id in (1..<expected.nodes.nextID) {
    #expect(found.report(node: id) == expected.report(node: id), sourceLocation: location)
    #expect(found.nodeID(named: found.nodeName(id)) == expected.nodeID(named: expected.nodeName(id)))
  }
}
