import MusterConsistency
import MusterWorkload
import Testing

private typealias Register = Operation<RegisterModel.Input, RegisterModel.Output>

@Suite struct LinearizabilityTests {
  private let checker = LinearizabilityChecker(RegisterModel())

  private func write(_ client: Int, _ value: String, _ called: UInt64, _ answered: UInt64?) -> Register {
    Operation(client: client, input: .write(value), called: called, answer: answered.map { ($0, .done) })
  }

  private func read(_ client: Int, _ value: String?, _ called: UInt64, _ answered: UInt64) -> Register {
    Operation(client: client, input: .read, called: called, answer: (answered, .value(value)))
  }

  private func isLinearizable(_ history: [Register]) -> Bool {
    if case .linearizable = checker.check(history) { true } else { false }
  }

  @Test func whatOneClientDoesIsReadAsItWasWritten() {
    #expect(isLinearizable([]))
    #expect(isLinearizable([write(1, "a", 0, 1), read(1, "a", 2, 3)]))
    #expect(!isLinearizable([write(1, "a", 0, 1), read(1, nil, 2, 3)]), "an acknowledged write is not read")
    #expect(!isLinearizable([read(1, "a", 0, 1), write(1, "a", 2, 3)]), "a write is read before it was sent")
  }

  @Test func whatOverlapsMayBeReadEitherWayButNotBackAndForth() {
    let writes = [write(1, "a", 0, 1), write(2, "b", 2, 9)]
    #expect(isLinearizable(writes + [read(3, "a", 3, 4), read(3, "b", 5, 6)]))
    #expect(!isLinearizable(writes + [read(3, "b", 3, 4), read(3, "a", 5, 6)]), "it was read, and then not any more")
    #expect(!isLinearizable(writes + [read(3, "b", 3, 4), read(4, "a", 5, 6)]), "nor by anybody else")
    #expect(isLinearizable(writes + [read(3, "b", 3, 6), read(4, "a", 5, 7)]), "the reads overlap")
  }

  @Test func whatWasNotAnsweredMayHaveHappenedAtAnyTimeOrNever() {
    let history = [write(1, "a", 0, 1), write(2, "b", 2, nil)]
    #expect(isLinearizable(history + [read(3, "a", 3, 4), read(3, "a", 50, 51)]))
    #expect(isLinearizable(history + [read(3, "a", 3, 4), read(3, "b", 50, 51)]))
    #expect(!isLinearizable(history + [read(3, "b", 3, 4), read(3, "a", 50, 51)]))
  }

  @Test func aRefusalHasNoEffect() {
    let refused = Operation<RegisterModel.Input, RegisterModel.Output>(
      client: 1, input: .write("b"), called: 2, answer: (3, .refused))
    #expect(isLinearizable([write(1, "a", 0, 1), refused, read(1, "a", 4, 5)]))
    #expect(!isLinearizable([write(1, "a", 0, 1), refused, read(1, "b", 4, 5)]))
  }

  @Test func aViolationNamesTheAnswerThatNothingExplains() {
    let history = [write(1, "a", 0, 1), write(1, "b", 2, 3), read(2, "a", 4, 5)]
    #expect(checker.check(history) == .violated(last: [0, 1], stuckAt: 2))
    #expect(LinearizabilityChecker(RegisterModel(), stepsMax: 1).check(history) == .undecided)
  }

  /// Small histories of every kind, judged by trying all orders.
  @Test func itAgreesWithTryingEveryOrder() {
    var random = SeededGenerator(seed: 11)
    var verdicts = [0, 0]
    for _ in 0..<20_000 {
      let history = randomHistory(&random)
      let isFound = isLinearizable(history)
      #expect(isFound == existsOrder(history), "\(history)")
      verdicts[isFound ? 1 : 0] += 1
    }
    #expect(verdicts.allSatisfy { $0 > 2000 }, "both verdicts must be met often: \(verdicts)")
  }

  private func randomHistory(_ random: inout SeededGenerator) -> [Register] {
    (0..<(2 + random.below(4))).map { client in
      let called = UInt64(random.below(10))
      let answered = called + 1 + UInt64(random.below(6))
      switch random.below(6) {
      case 0, 1: return write(client, random.oneIn(2) ? "a" : "b", called, answered)
      case 2: return write(client, random.oneIn(2) ? "a" : "b", called, nil)
      case 3: return Operation(client: client, input: .delete, called: called, answer: (answered, .done))
      default: return read(client, [nil, "a", "b"][random.below(3)], called, answered)
      }
    }
  }

  private func existsOrder(_ history: [Register]) -> Bool { extend([], history) }

  private func extend(_ order: [Int], _ history: [Register]) -> Bool {
    let left = history.indices.filter { !order.contains($0) }
    let due = left.filter { history[$0].answer != nil }
    if due.isEmpty { return explains(order, history) }
    // Next can only be what was called before the first answer of those that are left.
    let first = due.compactMap { history[$0].answer?.at }.min() ?? .max
    return left.contains { history[$0].called <= first && extend(order + [$0], history) }
  }

  private func explains(_ order: [Int], _ history: [Register]) -> Bool {
    var state: String?
    for place in order {
      guard let after = RegisterModel().step(state, history[place].input, history[place].answer?.output) else {
        return false
      }
      state = after
    }
    return true
  }

  @Test func revisionsOnlyGrowWhoeverAsks() {
    let checker = LinearizabilityChecker(LogModel())
    func append(_ called: UInt64, _ answered: UInt64, _ revision: UInt64, expected: UInt64? = nil)
      -> Operation<LogModel.Input, LogModel.Output>
    {
      Operation(client: 1, input: .append(expected: expected), called: called, answer: (answered, .committed(revision)))
    }
    func read(_ called: UInt64, _ answered: UInt64, _ revision: UInt64) -> Operation<LogModel.Input, LogModel.Output> {
      Operation(client: 2, input: .read, called: called, answer: (answered, .seen(revision)))
    }
    func isBroken(_ history: [Operation<LogModel.Input, LogModel.Output>]) -> Bool {
      if case .violated = checker.check(history) { true } else { false }
    }
    #expect(!isBroken([append(0, 5, 7), append(1, 4, 6), read(6, 7, 7)]))
    #expect(isBroken([append(0, 1, 7), append(2, 3, 6)]), "a later append has an earlier revision")
    #expect(isBroken([append(0, 1, 7), read(2, 3, 6)]), "an answer is older than what was acknowledged")
    #expect(isBroken([append(0, 1, 7), append(2, 3, 9, expected: 6)]), "it expected what had been replaced")
    #expect(isBroken([append(0, 3, 7), append(0, 3, 7)]), "one revision is two commits")
  }
}
