import MusterCluster
import MusterHistory
import MusterLog
import MusterProtocol
import MusterWorkload
import Testing

/// What `blame` and `why` say from a few rows is what they say from the whole state, and costs less.
@Suite struct EntityFocusTests {
  private let recorded: RecordedHistory
  private let history: History

  init() throws {
    recorded = try EntityFocusTests.shared.get()
    history = try recorded.history()
  }

  /// Nobody writes to it.
  nonisolated(unsafe) private static let shared = Result { try RecordedHistory(seed: 64, commits: 3000, shards: 4000) }

  private func focus(_ name: EntityName, _ revision: Revision, countingReplicas: Bool) throws -> EntityFocus {
    try history.focus(on: name, at: revision, countingReplicas: countingReplicas) { (revision) throws(HistoryError) in
      try history.state(at: revision)
    }
  }

  /// Things of every kind, at moments all over the history.
  private func forEachThing(_ body: (EntityName, Revision, State) throws -> Void) throws {
    var random = SeededGenerator(seed: 11)
    for _ in 0..<40 {
      let revision = 1 + Revision(random.below(Int(recorded.last)))
      let state = recorded.states[Int(revision)]
      var things: [EntityID] = []
      if state.nodes.count > 0 { things.append(.node(NodeID(1 + random.below(state.nodes.count)))) }
      if state.collections.count > 0 {
        things.append(.collection(CollectionID(1 + random.below(state.collections.count))))
      }
      if state.shards.count > 0 { things.append(.shard(ShardID(1 + random.below(state.shards.count)))) }
      state.configs.forEach { id, _ in if random.oneIn(4) { things.append(.config(id)) } }
      for thing in things { try body(try #require(EntityName(state.entityText(thing))), revision, state) }
    }
  }

  @Test func aFewRowsSayTheSame() throws {
    var costs = (few: UInt64(0), whole: UInt64(0))
    var asked = 0
    try forEachThing { name, revision, state in
      guard (try? state.entity(name)) != nil else { return }
      let focus = try focus(name, revision, countingReplicas: false)
      var few = try history.blame(name, in: focus)
      var whole = try history.blame(name, in: EntityFocus(state))
      asked += 1
      costs.few += few.pagesRead + few.blocksRead
      let before = history.cost
      _ = try history.state(at: revision)
      costs.whole += (history.cost - before).pages + (history.cost - before).blocks + whole.blocksRead + whole.pagesRead
      (few.blocksRead, few.pagesRead, whole.blocksRead, whole.pagesRead) = (0, 0, 0, 0)
      let isTheSame = few == whole
      let told = zip(few.fields, whole.fields).filter { $0 != $1 }.map { "\($0.name) \($0.since) \($1.since)" }
      #expect(
        isTheSame,
        "\(few.entity) \(whole.entity) \(told) \(few.commits.map(\.revision)) \(whole.commits.map(\.revision))")
      let times = few.time == whole.time && few.revision == whole.revision
      #expect(times, "blame \(name) at \(revision)")
    }
    #expect(asked > 100 && costs.few < costs.whole, "\(costs) for \(asked)")
  }

  @Test func aChainOfCausesIsTheSame() throws {
    try forEachThing { name, revision, state in
      guard (try? state.entity(name)) != nil else { return }
      let focus = try focus(name, revision, countingReplicas: true)
      guard var whole = try? history.why(name, in: EntityFocus(state)) else {
        #expect(throws: HistoryError.self) { try history.why(name, in: focus) }
        return
      }
      var few = try history.why(name, in: focus)
      (few.blocksRead, few.pagesRead, whole.blocksRead, whole.pagesRead) = (0, 0, 0, 0)
      #expect(few == whole, "why \(name) at \(revision)")
    }
  }
}
