/// Whether some order of the operations, each at a moment between its call and its answer, explains what all clients saw.
///
/// The search of Wing and Gong (1993) with Lowe's memory of configurations (2017), as Porcupine does it: operations are
/// put in order one by one, each as soon as its answer allows; where an answer cannot be explained the last choice is
/// taken back. A configuration, which operations are in order and what the state is then, is never tried twice.
package struct LinearizabilityChecker<Model: SequentialModel> {
  package typealias History = [Operation<Model.Input, Model.Output>]

  package enum Verdict: Equatable, Sendable {
    /// An order that explains everything, as places in the history. What was not answered need not be in it.
    case linearizable([Int])
    /// No order does. Of the longest that could be begun the last few, and the operation whose answer does not follow.
    case violated(last: [Int], stuckAt: Int)
    /// More steps were needed than allowed.
    case undecided
  }

  private let model: Model
  private let stepsMax: Int

  package init(_ model: Model, stepsMax: Int = 50_000_000) {
    self.model = model
    self.stepsMax = stepsMax
  }

  package func check(_ history: History) -> Verdict {
    var search = Search(model, history)
    return search.run(stepsMax)
  }
}

extension LinearizabilityChecker {
  /// Calls and answers in the order of time, as a list from which operations are lifted when they are put in order.
  private struct Search {
    /// What is in order: everything that was called before word `low` of `done`, and what the words say.
    private struct Configuration: Hashable {
      var low: Int
      var done: [UInt64]
      var state: Model.State
    }

    private struct Choice {
      var operation: Int
      var before: Model.State
    }

    private let model: Model
    private let history: History
    /// Event 2i is the call of operation i, 2i + 1 its answer; the last place is the head of the list.
    private var next: [Int]
    private var previous: [Int]
    private let head: Int
    private var unanswered: Int

    private var state: Model.State
    /// A bit for each operation, in the order of calls. Below word `low` all are set, from `high` on none.
    private var done: [UInt64]
    private var (low, high) = (0, 0)
    /// The place of each operation in the order of calls.
    private var rank: [Int]
    private var choices: [Choice] = []
    private var tried: Set<Configuration> = []
    private var longest = 0
    private var last: [Int] = []
    private var stuckAt = 0

    private static var shownMax: Int { 16 }

    init(_ model: Model, _ history: History) {
      self.model = model
      self.history = history
      state = model.initial
      done = Array(repeating: 0, count: (history.count + 63) / 64)
      head = history.count * 2
      next = Array(repeating: head, count: head + 1)
      previous = next
      unanswered = history.count { $0.answer != nil }
      rank = Array(repeating: 0, count: history.count)
      let events = Search.events(history)
      for (place, event) in events.filter({ $0.isMultiple(of: 2) }).enumerated() { rank[event / 2] = place }
      link(events)
    }

    /// By time; what was called at the moment of an answer is taken to overlap it.
    private static func events(_ history: History) -> [Int] {
      var events: [(time: UInt64, isAnswer: Bool, event: Int)] = []
      for (place, operation) in history.enumerated() {
        events.append((operation.called, false, place * 2))
        if let answer = operation.answer { events.append((answer.at, true, place * 2 + 1)) }
      }
      return events.sorted {
        if $0.time != $1.time { return $0.time < $1.time }
        return $0.isAnswer != $1.isAnswer ? $1.isAnswer : $0.event < $1.event
      }.map(\.event)
    }

    private mutating func link(_ events: [Int]) {
      var last = head
      for event in events {
        next[last] = event
        previous[event] = last
        last = event
      }
      next[last] = head
      previous[head] = last
    }

    mutating func run(_ stepsMax: Int) -> Verdict {
      var event = next[head]
      var steps = 0
      while unanswered > 0 {
        steps += 1
        guard steps <= stepsMax else { return .undecided }
        if event.isMultiple(of: 2), event != head {
          event = take(event / 2) ? next[head] : next[event]
        } else {
          // An answer, and nothing before it explains it.
          note(event)
          guard let last = choices.popLast() else { return .violated(last: last, stuckAt: stuckAt) }
          putBack(last)
          event = next[last.operation * 2]
        }
      }
      return .linearizable(choices.map(\.operation))
    }

    private mutating func note(_ event: Int) {
      guard choices.count >= longest, event != head else { return }
      longest = choices.count
      last = choices.suffix(Search.shownMax).map(\.operation)
      stuckAt = event / 2
    }

    /// Puts an operation next in the order, if it can stand there and that was not tried before.
    private mutating func take(_ operation: Int) -> Bool {
      guard let after = model.step(state, history[operation].input, history[operation].answer?.output) else {
        return false
      }
      set(rank[operation])
      guard tried.insert(Configuration(low: low, done: Array(done[low..<max(low, high)]), state: after)).inserted else {
        clear(rank[operation])
        return false
      }
      choices.append(Choice(operation: operation, before: state))
      state = after
      lift(operation)
      return true
    }

    private mutating func putBack(_ choice: Choice) {
      state = choice.before
      clear(rank[choice.operation])
      unlift(choice.operation)
    }

    private mutating func set(_ place: Int) {
      done[place / 64] |= 1 << (place % 64)
      high = max(high, place / 64 + 1)
      while low < high, done[low] == .max { low += 1 }
    }

    private mutating func clear(_ place: Int) {
      done[place / 64] &= ~(1 << (place % 64))
      low = min(low, place / 64)
      while high > 0, done[high - 1] == 0 { high -= 1 }
    }

    private mutating func lift(_ operation: Int) {
      unlink(operation * 2)
      guard history[operation].answer != nil else { return }
      unlink(operation * 2 + 1)
      unanswered -= 1
    }

    private mutating func unlift(_ operation: Int) {
      if history[operation].answer != nil {
        relink(operation * 2 + 1)
        unanswered += 1
      }
      relink(operation * 2)
    }

    private mutating func unlink(_ event: Int) {
      next[previous[event]] = next[event]
      previous[next[event]] = previous[event]
    }

    private mutating func relink(_ event: Int) {
      next[previous[event]] = event
      previous[next[event]] = event
    }
  }
}
