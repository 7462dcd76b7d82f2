import MusterCluster
import MusterHistory
import MusterLog
import MusterProtocol
import MusterWorkload
import Testing

@Suite struct BisectTests {
  private let recorded: RecordedHistory
  private let history: History

  init() throws {
    recorded = try BisectTests.shared.get()
    history = try recorded.history()
  }

  /// Nobody writes to it.
  nonisolated(unsafe) private static let shared = Result { try RecordedHistory.eventful(commits: 2500) }

  private func bisect(_ check: String, from: Revision? = nil, to: Revision? = nil) throws -> (BisectReply, steps: Int) {
    let request = BisectRequest(check, from: from.map { .revision($0) }, to: to.map { .revision($0) } ?? .now)
    let bisector = try Bisector(request, history, clock: history.lastTime)
    var steps = 1
    while try !bisector.step() { steps += 1 }
    return (try bisector.reply(names: recorded.states[Int(recorded.last)]), steps)
  }

  @Test(arguments: [
    "count(nodes) < 9", "count(configs) < 40", "count(shards) <= 250",
    "count(shards where moving) < 100000 and count(configs) < 20", "count(shards where epoch > 1) == 0",
  ])
  func theFirstStateThatFailsIsFound(_ check: String) throws {
    let expression = try Expression(check)
    let to = try #require(recorded.states.last { !expression.holds(in: $0) }?.revision, "it fails somewhere")
    let from = try #require(recorded.states.first { expression.holds(in: $0) }?.revision)
    let (reply, steps) = try bisect(check, from: from, to: to)
    let found = Int(reply.commit.revision)
    #expect(!expression.holds(in: recorded.states[found]))
    #expect(expression.holds(in: recorded.states[found - 1]))
    #expect(reply.statesRead == UInt64(steps))
    #expect(steps <= 2 + 12, "3,000 revisions are 12 halvings")
  }

  @Test func eachPairOfEndsFindsAPlaceWhereItFlips() throws {
    let check = "count(nodes where state in (suspect, down)) == 0"
    let expression = try Expression(check)
    let holds = recorded.states.map { expression.holds(in: $0) }
    var random = SeededGenerator(seed: 5)
    var found: Set<Revision> = []
    for _ in 0..<200 {
      let (a, b) = (random.below(holds.count), random.below(holds.count))
      guard a < b, holds[a], !holds[b] else { continue }
      let reply = try bisect(check, from: Revision(a), to: Revision(b)).0
      let place = Int(reply.commit.revision)
      #expect(holds[place - 1] && !holds[place] && place > a && place <= b)
      found.insert(reply.commit.revision)
    }
    #expect(!found.isEmpty)
  }

  @Test func endsThatDoNotFitAreRefusedWithWhatIsWrong() throws {
    func refusal(_ check: String, _ from: Revision?, _ to: Revision?) throws -> String {
      do {
        _ = try bisect(check, from: from, to: to)
        return ""
      } catch HistoryError.refused(let refusal) {
        return refusal.message
      }
    }
    #expect(try refusal("count(nodes) >= 0", 5, 50).contains("holds at revision 50"))
    #expect(try refusal("count(nodes) > 100", 5, 50).contains("false already at revision 5"))
    #expect(try refusal("count(nodes) > 0", 50, 50).contains("nothing between"))
    #expect(try refusal("count(nodes) > 0", 50, 5).contains("nothing between"))
    #expect(try refusal("count(nodes >", 5, 50).contains("column"))
    #expect(throws: HistoryError.self) { try bisect("count(nodes) > 0", from: 5, to: recorded.last + 1) }
  }
}
