import MusterCluster
import MusterHistory
import MusterLog
import MusterWorkload
import Testing

@Suite struct DiffTests {
  private let recorded: RecordedHistory

  init() throws { recorded = try RecordedHistory(seed: 41, commits: 2500) }

  private func differences(_ a: State, _ b: State) -> [Difference] {
    var found: [Difference] = []
    Differ.diff(a, b) { found.append($0) }
    return found
  }

  @Test func aMomentDiffersFromItselfInNothingAndNothingIsReadForIt() throws {
    let recorded = try RecordedHistory(seed: 3, commits: 600)
    let history = try recorded.history()
    let before = history.cost
    #expect(try history.differences(from: 400, to: 400).isEmpty)
    #expect(history.cost == before)
    #expect(throws: HistoryError.self) { try history.differences(from: recorded.last + 1, to: recorded.last + 1) }
  }

  @Test func aStateDoesNotDifferFromItself() throws {
    let state = recorded.states[1800]
    #expect(differences(state, state).isEmpty)
    #expect(differences(state, try recorded.history().state(at: 1800)).isEmpty)
  }

  @Test func entitiesThatDifferAreThoseWhoseFieldsDo() throws {
    var random = SeededGenerator(seed: 1)
    for _ in 0..<40 {
      let a = recorded.states[random.below(recorded.states.count)]
      let b = recorded.states[random.below(recorded.states.count)]
      let oracle = DiffOracle(a, b)
      let found = differences(a, b)
      #expect(found.map(\.entity) == oracle.entities, "from \(a.revision) to \(b.revision)")
      for difference in found {
        #expect(!difference.fields.isEmpty || difference.kind != .changed)
        for field in difference.fields where difference.kind == .changed { #expect(field.before != field.after) }
      }
    }
  }

  @Test func itDoesNotMatterHowTheStatesWereMade() throws {
    let history = try recorded.history()
    var random = SeededGenerator(seed: 2)
    for _ in 0..<20 {
      let a = random.below(recorded.states.count)
      let b = random.below(recorded.states.count)
      // One pair shares its pages, the other was rebuilt from files and shares nothing.
      let shared = differences(recorded.states[a], recorded.states[b])
      let rebuilt = differences(try history.state(at: Revision(a)), try history.state(at: Revision(b)))
      #expect(shared == rebuilt)
    }
  }

  @Test func whatIsFoundByTheCommitsBetweenIsWhatTheStatesSay() throws {
    let history = try recorded.history()
    var random = SeededGenerator(seed: 3)
    for round in 0..<150 {
      let a = 1 + random.below(recorded.commits.count)
      let reach = round % 3 == 0 ? 2500 : round % 3 == 1 ? 3 : 40
      let b = max(1, min(recorded.commits.count, a + random.below(2 * reach) - reach))
      let found = try history.differences(from: Revision(a), to: Revision(b))
      #expect(found == differences(recorded.states[a], recorded.states[b]), "from \(a) to \(b)")
    }
    #expect(try history.differences(from: 0, to: 1200) == differences(recorded.states[0], recorded.states[1200]))
    #expect(throws: HistoryError.self) { try history.differences(from: 1, to: recorded.last + 1) }
  }

  @Test func aDifferenceCostsWhatDiffers() throws {
    let large = try RecordedHistory(seed: 44, commits: 6000, nodes: 12, shards: 3000)
    var near = ReadCost()
    var whole = ReadCost()
    for revision in stride(from: Revision(3000), through: 5900, by: 290) {
      let one = try large.history()
      _ = try one.differences(from: revision, to: revision + 2)
      near = near + one.cost
      let all = try large.history()
      _ = (try all.state(at: revision), try all.state(at: revision + 2))
      whole = whole + all.cost
    }
    #expect(near.pages < whole.pages, "\(near) of \(whole)")
  }

  @Test func statesOfOneGroupOfSnapshotsShareWhatWasReadOnce() throws {
    // Far from each other, and by deltas of one base: the base is read once.
    let store = SnapshotStore(recorded.disk, RecordedHistory.identity)
    let names = try store.list()
    let first = try #require(names.indices.first { names[$0].isBase && $0 + 3 < names.count && !names[$0 + 3].isBase })
    let (a, b) = (names[first].revision, names[first + 3].revision)
    let pair = try recorded.history()
    _ = try pair.differences(from: a, to: b)
    let apart = try recorded.history()
    _ = (try apart.state(at: a), try apart.state(at: b))
    #expect(pair.cost.pages < apart.cost.pages, "\(pair.cost) of \(apart.cost)")
  }

  @Test func theOtherWayRoundEveryDifferenceIsTurnedRound() throws {
    let a = recorded.states[900]
    let b = recorded.states[2200]
    let there = differences(a, b)
    let back = differences(b, a)
    #expect(there.count == back.count)
    for (forth, turned) in zip(there, back) {
      #expect(forth.entity == turned.entity)
      #expect(forth.revision == turned.revision, "the later state says which revision did it")
      #expect(forth.fields.map(\.before) == turned.fields.map(\.after))
      switch forth.kind {
      case .added: #expect(turned.kind == .removed)
      case .removed: #expect(turned.kind == .added)
      case .changed: #expect(turned.kind == .changed)
      }
    }
  }

  @Test func eachNamesTheRevisionThatLastChangedIt() throws {
    let a = recorded.states[1000]
    let b = recorded.states[1400]
    for difference in differences(a, b) {
      #expect(difference.revision > 1000 && difference.revision <= 1400, "\(difference)")
      let report = b.report(recorded.commits[Int(difference.revision) - 1])
      #expect(!report.events.isEmpty)
    }
  }

  @Test func oneCommitDiffersInWhatItSpeaksOf() throws {
    for revision in 1000..<1200 {
      let commit = recorded.commits[revision]
      guard case .leaderElected(let event)? = commit.events.first, commit.events.count == 1 else { continue }
      let found = differences(recorded.states[revision], recorded.states[revision + 1])
      #expect(found.map(\.entity) == ["shard/\(recorded.states[revision].shardName(event.shard))"])
      #expect(found.first?.revision == commit.revision)
    }
  }
}

/// Every entity of two states, compared by its report.
private struct DiffOracle {
  private(set) var entities: [String] = []
  private let a: State
  private let b: State

  init(_ a: State, _ b: State) {
    self.a = a
    self.b = b
    if a.isInMaintenance != b.isInMaintenance { entities.append("cluster") }
    note("node", count: \.nodes.count, nodes)
    note("collection", count: \.collections.count, collections)
    note("shard", count: \.shards.count, shards)
    note("config", count: \.configs.count, configs)
    note("schema", count: \.schemas.count) { state, id in
      state.schemas.row(id).map { ($0.key, "\($0.schema)") }
    }
    note("tenant", count: \.tenants.count) { state, id in state.tenants.row(id).map { ($0.name, "") } }
    note("alarm", count: \.alarms.count) { state, id in
      state.alarms.row(id).flatMap { $0.isRaised ? ($0.name, $0.message) : nil }
    }
  }

  private mutating func note(
    _ kind: String, count: (State) -> Int, _ describe: (State, UInt32) -> (name: String, content: String)?
  ) {
    for id in 0..<UInt32(max(count(a), count(b))) {
      let before = describe(a, id + 1)
      let after = describe(b, id + 1)
      if before?.content != after?.content, let name = after?.name ?? before?.name {
        entities.append("\(kind)/\(name)")
      }
    }
  }

  private var later: State { a.revision > b.revision ? a : b }

  private func nodes(_ state: State, _ id: UInt32) -> (String, String)? {
    guard let row = state.nodes.row(id), !row.isRemoved else { return nil }
    return (
      row.name,
      "\(row.state)\(row.isCordoned)\(row.incarnation)\(row.domain)\(row.labels)\(row.capacity)\(row.address)"
    )
  }

  private func collections(_ state: State, _ id: UInt32) -> (String, String)? {
    guard let row = state.collections.row(id), !row.isDeleted else { return nil }
    return (row.name, "\(row.state)\(row.shardCount)\(row.labels)\(row.policy)")
  }

  private func shards(_ state: State, _ id: UInt32) -> (String, String)? {
    guard let row = state.shards.row(id), row.replicas.count > 0 else { return nil }
    let replicas = row.replicas.map { "\($0)" }.joined()
    return (
      later.shardName(id),
      "\(row.epoch)/\(row.leader)/\(row.heir)/\(state.moves.row(row.move)?.step.name ?? "")/\(replicas)"
    )
  }

  private func configs(_ state: State, _ id: UInt32) -> (String, String)? {
    guard let row = state.configs.row(id), let value = row.value else { return nil }
    let name = row.scope == .cluster ? row.key : "\(row.key)@\(later.scopeName(row.scope))"
    return (name, "\(value)\(row.version)")
  }
}
