import MusterCluster
import MusterHistory
import MusterLog
import MusterProtocol
import Testing

@Suite struct LogTests {
  private let recorded: RecordedHistory
  private let history: History
  private let names: State

  init() throws {
    recorded = try LogTests.eventful.get()
    history = try recorded.history()
    names = try history.state(at: history.last)
  }

  /// The first history in which leaders were lost and a node came back under its name. Nobody writes to it.
  nonisolated(unsafe) private static let eventful = Result {
    var seed: UInt64 = 1
    while true {
      let recorded = try RecordedHistory(seed: seed, commits: 3000)
      let names = try recorded.history().state(at: recorded.last)
      let nodes = (1..<names.nodes.nextID).map { names.nodes[$0].name }
      if Set(nodes).count < nodes.count, names.principalID("election", .controller) != nil { return recorded }
      seed += 1
    }
  }

  private func revisions(_ request: LogRequest, by piece: Int = 50) throws -> [Revision] {
    let cursor = try LogCursor(request, history, names: names, clock: history.lastTime)
    var found: [Revision] = []
    while !cursor.isDone { found += try cursor.next(piece).map(\.revision) }
    return found
  }

  private func bruteForce(_ matches: (Commit, Touched) -> Bool) -> [Revision] {
    recorded.commits.filter { commit in
      var touched = Touched()
      for event in commit.events { event.touch(&touched) }
      return matches(commit, touched)
    }.map(\.revision)
  }

  private func expect(
    _ filter: (inout CommitFilter) -> Void, _ matches: (Commit, Touched) -> Bool,
    _ location: SourceLocation = #_sourceLocation
  ) throws {
    var request = LogRequest()
    filter(&request.filter)
    let expected = bruteForce(matches)
    #expect(!expected.isEmpty, "the filter is tested by something", sourceLocation: location)
    #expect(try revisions(request) == expected.reversed(), sourceLocation: location)
    request.isOldestFirst = true
    #expect(try revisions(request, by: 7) == expected, sourceLocation: location)
  }

  @Test func withoutAFilterEveryCommitIsShownNewestFirst() throws {
    #expect(try revisions(LogRequest()) == Array((1...recorded.last).reversed()))
    var request = LogRequest()
    request.isOldestFirst = true
    #expect(try revisions(request, by: 1000) == Array(1...recorded.last))
  }

  @Test func bothEndsOfARangeAreIncluded() throws {
    var request = LogRequest()
    request.from = .revision(700)
    request.to = .revision(1900)
    #expect(try revisions(request) == Array((700...1900).reversed()))
    request.from = .revision(1900)
    #expect(try revisions(request) == [1900])
    request.to = .revision(1899)
    #expect(try revisions(request) == [])
  }

  @Test func aRangeOfTimesHoldsTheCommitsOfThoseTimes() throws {
    var request = LogRequest()
    let from = recorded.commits[500].time
    let to = recorded.commits[900].time
    request.from = .time(from)
    request.to = .time(to)
    #expect(try revisions(request) == bruteForce { commit, _ in (from...to).contains(commit.time) }.reversed())
    request.from = .time(0)
    #expect(try revisions(request) == bruteForce { commit, _ in commit.time <= to }.reversed())
    request.from = .ago(history.lastTime - from)
    request.to = .now
    #expect(try revisions(request) == bruteForce { commit, _ in commit.time >= from }.reversed())
  }

  @Test(arguments: [1, 2, 49, 50, 51, 400] as [UInt64]) func aLimitEndsTheLog(_ limit: UInt64) throws {
    var request = LogRequest()
    request.limit = limit
    #expect(try revisions(request) == Array((recorded.last - limit + 1...recorded.last).reversed()))
    request.isOldestFirst = true
    #expect(try revisions(request) == Array(1...limit))
  }

  @Test func aNodeMatchesUnderEveryNumberItsNameHad() throws {
    let all = (1..<names.nodes.nextID).map { (id: $0, name: names.nodes[$0].name) }
    let name = try #require(all.first { node in all.contains { $0.name == node.name && $0.id != node.id } }?.name)
    let ids = all.filter { $0.name == name }.map(\.id)
    try expect({ $0.node = name }) { _, touched in
      ids.contains { touched.nodes.contains($0) } || touched.configs.contains { isScoped($0, .node, ids) }
    }
  }

  private func isScoped(_ config: ConfigID, _ kind: ScopeKind, _ ids: [UInt32]) -> Bool {
    let scope = names.configs[config].scope
    return scope.kind == kind && ids.contains(scope.id)
  }

  /// What is set for a node is said of it, each time and not only the first.
  @Test func configurationOfANodeOrACollectionIsFoundUnderIt() throws {
    var found: Set<String> = []
    for commit in recorded.commits {
      for case .configSet(let set) in commit.events {
        let scope = names.configs[set.config].scope
        var request = LogRequest()
        switch scope.kind {
        case .node: request.filter.node = names.nodes[scope.id].name
        case .collection: request.filter.collection = names.collections[scope.id].name
        case .cluster, .tenant: continue
        }
        request.from = .revision(commit.revision)
        request.to = .revision(commit.revision)
        #expect(try revisions(request) == [commit.revision])
        found.insert("\(scope.kind)")
      }
    }
    #expect(found == ["node", "collection"])
  }

  @Test func aShardMatchesWhatSpeaksOfIt() throws {
    let id = try #require(names.shards.row(17))
    let collection = names.collections[id.collection]
    try expect({ $0.shard = names.shardName(17) }) { commit, touched in
      touched.shards.contains(17) || commit.revision == collection.created
    }
    #expect(id.index < 17)
  }

  @Test func aCollectionMatchesItselfAndItsShards() throws {
    let id = names.shards[17].collection
    let row = names.collections[id]
    try expect({ $0.collection = row.name }) { _, touched in
      touched.collections.contains(id) || touched.configs.contains { isScoped($0, .collection, [id]) }
        || touched.shards.contains { ($0 >= row.firstShard) && $0 < row.firstShard + row.shardCount }
    }
  }

  @Test func aKeyMatchesInEveryScope() throws {
    let key = try #require((1..<names.configs.nextID).map { names.configs[$0].key }.first)
    try expect({ $0.configKey = key }) { commit, _ in
      commit.events.contains { event in
        switch event {
        case .configSet(let event): names.configs[event.config].key == key
        case .configKeyAdded(let event): event.key == key
        case .configDeleted(let event): names.configs[event.config].key == key
        case .schemaSet(let event): event.key == key
        default: false
        }
      }
    }
  }

  /// A server keeps in mind what the segment that it writes speaks of: the same question again reads only what matches.
  @Test func aServerReadsOfTheLiveSegmentWhatIsAskedFor() throws {
    let fresh = try recorded.history()
    let live = try #require(fresh.log.segments.last { !$0.name.isSealed })
    fresh.log.remembersKeys = true
    var request = LogRequest()
    request.from = .revision(live.name.first)
    request.filter.node = names.nodes[2].name
    func ask(_ history: History) throws -> (found: [Revision], blocks: UInt64) {
      let cursor = try LogCursor(request, history, names: names, clock: history.lastTime)
      var found: [Revision] = []
      while !cursor.isDone { found += try cursor.nextCommits(50).map(\.revision) }
      return (found, try cursor.end(timeline: 1).blocksRead)
    }
    let plain = try ask(try recorded.history())
    let first = try ask(fresh)
    let second = try ask(fresh)
    #expect(!plain.found.isEmpty && first.found == plain.found && second.found == plain.found)
    let matching = live.units.filter { unit in
      plain.found.contains { unit.firstRevision <= $0 && $0 <= unit.lastRevision }
    }
    #expect(plain.blocks == UInt64(live.units.count))
    #expect(first.blocks == UInt64(live.units.count + matching.count), "each was read once to find out")
    #expect(second.blocks == UInt64(matching.count) && second.blocks < plain.blocks)
  }

  @Test func aPrincipalMatchesWhatItDid() throws {
    let id = try #require(names.principalID("election", .controller))
    try expect({ $0.principal = "election" }) { commit, _ in commit.principal == id }
  }

  @Test(arguments: Event.names) func anEventTypeMatchesCommitsThatHoldOne(_ type: String) throws {
    var request = LogRequest()
    request.filter.eventType = type
    #expect(
      try revisions(request)
        == bruteForce { commit, _ in commit.events.contains { $0.name == type } }.reversed())
  }

  @Test func allConditionsMustHold() throws {
    let election = try #require(names.principalID("election", .controller))
    let elections: [LeaderElected] = recorded.commits.filter { $0.principal == election }.flatMap(\.events).compactMap {
      if case .leaderElected(let event) = $0 { event } else { nil }
    }
    let event = try #require(elections.last)
    try expect({
      $0.node = names.nodeName(event.node)
      $0.shard = names.shardName(event.shard)
      $0.eventType = "LeaderElected"
      $0.principal = "election"
    }) { commit, touched in
      touched.nodes.contains(event.node) && touched.shards.contains(event.shard) && commit.principal == election
        && commit.events.contains { $0.name == "LeaderElected" }
    }
  }

  @Test func namesThatNeverWereAreRefused() throws {
    let filters: [(inout CommitFilter) -> Void] = [
      { $0.node = "n9999" }, { $0.collection = "nobody" }, { $0.shard = "c1/99999" }, { $0.shard = "c1" },
      { $0.shard = "c1/x" }, { $0.configKey = "no/such" }, { $0.principal = "nobody" }, { $0.eventType = "Nothing" },
    ]
    for change in filters {
      var request = LogRequest()
      change(&request.filter)
      do {
        _ = try LogCursor(request, history, names: names, clock: 0)
        Issue.record("\(request.filter) was accepted")
      } catch .refused(let refusal) {
        #expect(refusal.code == .notFound)
      } catch {
        Issue.record("\(error)")
      }
    }
  }

  @Test func aQuestionCostsTheBlocksOfItsRangeAndSaysSo() throws {
    var request = LogRequest()
    request.limit = 5
    let few = try LogCursor(request, history, names: names, clock: 0)
    while !few.isDone { _ = try few.next(5) }
    request.limit = 0
    let all = try LogCursor(request, history, names: names, clock: 0)
    while !all.isDone { _ = try all.next(100) }
    let cheap = try few.end(timeline: 1).blocksRead
    let dear = try all.end(timeline: 1).blocksRead
    #expect(cheap > 0 && cheap < dear)
    #expect(dear == UInt64(recorded.blockEnds.count), "each block is read once")
  }

  @Test func theEndSaysWhichMomentsItSpokeOf() throws {
    var request = LogRequest()
    request.from = .revision(10)
    request.to = .revision(20)
    let cursor = try LogCursor(request, history, names: names, clock: 0)
    while !cursor.isDone { _ = try cursor.next(5) }
    let end = try cursor.end(timeline: 7)
    #expect(end.timeline == 7 && end.from == 10 && end.revision == 20 && end.time == recorded.commits[19].time)
  }
}
