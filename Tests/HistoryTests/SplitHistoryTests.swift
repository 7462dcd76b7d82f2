import MusterBytes
import MusterCluster
import MusterControllers
import MusterHistory
import MusterLog
import MusterProtocol
import MusterWorkload
import Testing

/// The past of collections that were split: what a few pages and packs say is what the whole states say.
@Suite struct SplitHistoryTests {
  /// Splits, moves, cancellations and deletions at random.
  private final class Life {
    private(set) var state = State()
    private var random: SeededGenerator
    private var orders: [Command] = []

    init(seed: UInt64) {
      random = SeededGenerator(seed: seed)
      for number in 0..<6 {
        var join = JoinNode(
          name: "n\(number)", domain: "eu/z\(number % 3)/r\(number)", labels: [], capacity: [], address: "",
          heartbeatMilliseconds: number % 2 == 0 ? 500 : 0)
        join.abilities = [.splits, .merges]
        orders.append(.joinNode(join))
      }
    }

    func next() -> (Commit, State) {
      while true {
        let command = orders.isEmpty ? whim() : orders.removeFirst()
        let context = RequestContext(
          principal: "ops", kind: .person, assurance: .own, wallTime: 1_000_000 * (state.revision + 1))
        if case .committed(let commit) = state.execute(Request(command), context, PlacementPlanner()) {
          return (commit, state)
        }
      }
    }

    private func anyShard() -> ShardRow? {
      guard state.shards.count > 0 else { return nil }
      return state.shards[1 + UInt32(random.below(state.shards.count))]
    }

    private func whim() -> Command {
      var policy = Policy()
      policy.replicas = 3
      let name = "c\(random.below(4))"
      switch random.below(15) {
      case 0 where random.oneIn(4):
        return .createCollection(CreateCollection(name: name, shards: 4, policy: policy, labels: [], tenant: ""))
      case 1 where random.oneIn(20): return .deleteCollection(DeleteCollection(name: name))
      case 2:
        return .setShardCount(SetShardCount(name: name, shards: UInt32(3 + random.below(random.oneIn(2) ? 4 : 20))))
      case 3, 4, 5:
        guard let row = anyShard() else { break }
        return .splitShard(SplitShard(collection: state.collectionName(row.collection), index: row.index))
      case 12, 13, 14:
        guard let row = anyShard() else { break }
        return .mergeShards(MergeShards(collection: state.collectionName(row.collection), index: row.index))
      case 6, 7, 8:
        guard let row = anyShard(), let move = state.moves.row(row.move) else { break }
        return step(row.move, move)
      default:
        guard let row = anyShard(), row.leader != 0 else { break }
        return speak(row)
      }
      return .setMaintenance(SetMaintenance(isOn: random.oneIn(2)))
    }

    private func step(_ id: MoveID, _ move: MoveRow) -> Command {
      let steps: [MoveStep] =
        move.isMerge
        ? [.copying, .cancelled, .pausing, .absorbing]
        : [.pausing, .pausing, .pruning, .finished, .catchingUp, .cancelled]
      return .advanceMove(AdvanceMove(move: id, step: steps[random.below(steps.count)]))
    }

    private func speak(_ row: ShardRow) -> Command {
      var report = ReportReplicas()
      report.node = row.leader
      report.incarnation = state.nodes[row.leader].incarnation
      for shard in 1..<state.shards.nextID {
        let other = state.shards[shard]
        if other.replicas.index(of: row.leader) != nil { report.opened.append(shard) }
        guard other.leader == row.leader else { continue }
        if let move = state.moves.row(other.move), move.isSplit {
          let nodes = state.shards[move.child].replicas.map(\.node)
          report.splits.append(SplitWord(shard: shard, epoch: other.epoch, since: move.changed, nodes: nodes))
        }
        if let move = state.moves.row(other.move), move.isMerge {
          if move.absorbed == shard {
            report.pauses.append(PauseWord(shard: shard, epoch: other.epoch, since: move.changed))
          } else {
            report.absorbs.append(
              AbsorbWord(
                shard: shard, epoch: other.epoch, since: move.changed, absorbedEpoch: move.absorbedEpoch,
                hasEverything: move.step == .absorbing))
          }
        }
        report.pruned.append(
          PruneWord(
            shard: shard, epoch: other.epoch, range: state.collections[other.collection].range(of: other.index)))
      }
      return .reportReplicas(report)
    }
  }

  private func recorded(_ seed: UInt64, _ commits: Int) throws -> RecordedHistory {
    let life = Life(seed: seed)
    return try RecordedHistory(seed: seed, commits: commits, next: life.next)
  }

  @Test(arguments: [1, 2, 3] as [UInt64])
  func everyRowIsWhatItWasAtEveryMoment(_ seed: UInt64) throws {
    let recorded = try recorded(seed, 900)
    let kinds = Set(recorded.commits.flatMap { $0.events.map(\.name) })
    #expect(
      kinds.isSuperset(of: [
        "SplitStarted", "SplitAdvanced", "ShardSplit", "ShardPruned", "ShardCountWanted", "MergeStarted",
        "MergeAdvanced",
        "ShardsMerged",
      ]))
    let history = try recorded.history()
    for revision in stride(from: 60, through: 900, by: 70) as StrideThrough<Int> {
      let truth = recorded.states[revision]
      #expect(try history.state(at: Revision(revision)).digest == truth.digest)
      let reader = try #require(try PointReader(history, at: Revision(revision)))
      for id in 1..<truth.shards.nextID {
        let story = try reader.shard(id, of: truth.shards[id].collection)
        #expect(story.row == truth.shards[id], "shard \(id) at \(revision)")
        let move = truth.shards[id].move
        #expect(story.move == (move == 0 ? nil : truth.moves.row(move)), "move \(move) at \(revision)")
        let question = Question.shards(
          ShardsQuestion(
            collection: truth.collectionName(truth.shards[id].collection), index: UInt64(truth.shards[id].index)))
        let focus = try #require(try history.focus(on: question, at: Revision(revision)))
        let outcome = Result { () throws(Refusal) in try focus.answer(question, PlacementAdvisor()) }
        #expect(outcome == Result { () throws(Refusal) in try truth.answer(question, PlacementAdvisor()) })
      }
      for id in 1..<truth.collections.nextID { #expect(try reader.collection(id) == truth.collections[id]) }
    }
  }

  @Test func differencesAndNamesAreThoseOfTheStates() throws {
    let recorded = try recorded(9, 700)
    let history = try recorded.history()
    var random = SeededGenerator(seed: 10)
    for _ in 0..<40 {
      let (a, b) = (Revision(40 + random.below(600)), Revision(40 + random.below(600)))
      var truth: [Difference] = []
      Differ.diff(recorded.states[Int(a)], recorded.states[Int(b)]) { truth.append($0) }
      #expect(try history.differences(from: a, to: b) == truth, "\(a) to \(b)")
    }
    var names = NameBook()
    let last = try #require(recorded.states.last)
    for commit in recorded.commits {
      names.learn(commit)
      #expect(names.report(commit) == last.report(commit))
    }
  }

  @Test func blameSaysSinceWhenAShardIsSplitOrMerged() throws {
    let recorded = try recorded(4, 700)
    let history = try recorded.history()
    let state = try #require(recorded.states.last)
    var compared = 0
    for id in 1..<state.shards.nextID where state.shards[id].replicas.count > 0 {
      let name = state.shardName(id)
      guard state.collectionID(named: state.collectionName(state.shards[id].collection)) != nil else { continue }
      let reply = try history.blame(try #require(EntityName("shard/\(name)")), in: state)
      for field in reply.fields where field.name == "epoch" || field.name == "moving" {
        var since = recorded.last
        while since > 1, value(field.name, id, recorded.states[Int(since) - 1]) == value(field.name, id, state) {
          since -= 1
        }
        #expect(field.since == since, "\(field.name) of \(name)")
        compared += 1
      }
    }
    #expect(compared > 10)
  }

  private func value(_ field: String, _ id: ShardID, _ state: State) -> String? {
    guard let row = state.shards.row(id), row.replicas.count > 0 else { return nil }
    guard field == "moving" else { return "\(row.epoch)" }
    return row.move == 0 ? "" : "\(row.move) \(state.moves[row.move].step)"
  }
}
