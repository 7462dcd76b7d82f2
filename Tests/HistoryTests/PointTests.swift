import MusterCluster
import MusterHistory
import MusterLog
import MusterWorkload
import Testing

/// Questions about one thing read a few pages and packs; what they answer is what the whole state would.
@Suite struct PointTests {
  private func outcome(_ state: State, _ question: Question) -> Result<Answer, Refusal> {
    Result { () throws(Refusal) in try state.answer(question, NoAdvisor()) }
  }

  @Test(arguments: [101, 102, 103, 104] as [UInt64])
  func aThousandRandomPointsAreWhatTheyWereThen(_ seed: UInt64) throws {
    let recorded = try RecordedHistory(seed: seed, commits: 3000)
    let history = try recorded.history()
    var random = SeededGenerator(seed: seed + 1)
    let newest = try #require(recorded.states.last)
    var answered = 0
    for _ in 0..<1000 {
      let revision = Revision(1 + random.below(recorded.commits.count))
      let question = RandomQuestion(newest, &random).question
      let focus = try #require(try history.focus(on: question, at: revision))
      let truth = outcome(recorded.states[Int(revision)], question)
      let found = outcome(focus, question)
      #expect(found == truth, "\(question) at \(revision)")
      #expect(focus.revision == revision && focus.time == recorded.states[Int(revision)].time)
      if case .success = truth { answered += 1 }
    }
    #expect(answered > 300, "enough questions have an answer: \(answered)")
  }

  @Test func everyShardEveryNodeAndEveryAlarmIsWhatItWasAtEveryMoment() throws {
    let recorded = try RecordedHistory(seed: 105, commits: 1500, nodes: 8, shards: 60)
    let history = try recorded.history()
    for revision in stride(from: 50, through: 1500, by: 145) as StrideThrough<Int> {
      let truth = recorded.states[revision]
      let reader = try #require(try PointReader(history, at: Revision(revision)))
      for id in 1..<truth.shards.nextID {
        let story = try reader.shard(id, of: truth.shards[id].collection)
        #expect(story.row == truth.shards[id], "shard \(id) at \(revision)")
        let move = truth.shards[id].move
        #expect(story.move == (move == 0 ? nil : truth.moves.row(move)))
      }
      for id in 1..<truth.nodes.nextID { #expect(try reader.node(id) == truth.nodes[id], "node \(id) at \(revision)") }
      for id in 1..<truth.configs.nextID { #expect(try reader.config(id) == truth.configs[id]) }
      for id in 1..<truth.collections.nextID { #expect(try reader.collection(id) == truth.collections[id]) }
      truth.alarms.forEach { id, row in
        let found = try? reader.alarm(row.name)
        #expect(found?.id == id && found?.row == row)
      }
      truth.schemas.forEach { id, row in
        let found = try? reader.schema(row.key)
        #expect(found?.id == id && found?.row == row)
      }
      #expect(try reader.cluster() == truth.cluster[1])
    }
  }

  @Test func aQuestionAboutOneShardReadsLittle() throws {
    let recorded = try RecordedHistory(seed: 106, commits: 12_000, nodes: 12, shards: 3000)
    var random = SeededGenerator(seed: 107)
    let newest = try #require(recorded.states.last)
    var point = ReadCost()
    var whole = ReadCost()
    for _ in 0..<40 {
      let revision = Revision(2000 + random.below(10_000))
      let shard = newest.shards[UInt32(random.below(newest.shards.count)) + 1]
      let question = Question.shards(
        ShardsQuestion(collection: newest.collectionName(shard.collection), index: UInt64(shard.index)))
      let one = try recorded.history()
      _ = try one.focus(on: question, at: revision)
      #expect(one.cost.pages <= 900 && one.cost.blocks <= 400, "a question about one shard is bounded: \(one.cost)")
      point = point + one.cost
      let all = try recorded.history()
      _ = try all.state(at: revision)
      whole = whole + all.cost
    }
    #expect(point.pages * 2 < whole.pages, "\(point) of \(whole)")
    #expect(point.bytes < whole.bytes, "\(point) of \(whole)")
  }

  @Test func whatHasNoIndexIsReadOnceAndAnswersTheSame() throws {
    let recorded = try RecordedHistory(seed: 108, commits: 2000, keys: nil)
    let history = try recorded.history()
    var random = SeededGenerator(seed: 109)
    let newest = try #require(recorded.states.last)
    for _ in 0..<200 {
      let revision = Revision(1 + random.below(recorded.commits.count))
      let question = RandomQuestion(newest, &random).question
      let focus = try #require(try history.focus(on: question, at: revision))
      #expect(outcome(focus, question) == outcome(recorded.states[Int(revision)], question))
    }
  }
}

/// A question about something that exists in the end, or does not.
private struct RandomQuestion {
  var question: Question

  init(_ state: State, _ random: inout SeededGenerator) {
    func any(_ count: Int) -> UInt32 { UInt32(random.below(max(count, 1))) + 1 }
    let collection = state.collections[any(state.collections.count)]
    switch random.below(6) {
    case 0: question = .collections(CollectionsQuestion(name: collection.name))
    case 1, 2:
      let index = random.below(Int(collection.shardCount) + (random.oneIn(10) ? 5 : 0))
      question = .shards(
        ShardsQuestion(collection: random.oneIn(20) ? "nobody" : collection.name, index: UInt64(index)))
    case 3: question = .schemas(SchemasQuestion(key: state.schemas[any(state.schemas.count)].key))
    default:
      let row = state.configs[any(state.configs.count)]
      var asked = ConfigsQuestion()
      asked.key = row.key
      switch row.scope.kind {
      case .cluster: asked.scope = ScopeName(.cluster)
      case .tenant: asked.scope = ScopeName(.tenant, state.tenants[row.scope.id].name)
      case .collection: asked.scope = ScopeName(.collection, state.collectionName(row.scope.id))
      case .node: asked.scope = ScopeName(.node, state.nodeName(row.scope.id))
      }
      if random.oneIn(3) { asked.scope = ScopeName(.collection, collection.name) }
      asked.isEffective = random.oneIn(2)
      question = .configs(asked)
    }
  }
}

private struct NoAdvisor: Advisor {
  func explain(_ question: ExplainQuestion, _ shard: ShardID, in state: State) throws(Refusal) -> ExplanationReport {
    ExplanationReport()
  }

  func plan(_ question: PlanQuestion, in state: State) throws(Refusal) -> PlanReport { PlanReport() }
}
