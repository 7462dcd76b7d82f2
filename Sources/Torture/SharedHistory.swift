import MusterCluster
import MusterConsistency
import Synchronization

/// What all clients asked of a few keys that they share, and what they were told, by one clock.
final class SharedHistory: Sendable {
  typealias OnKey = Operation<RegisterModel.Input, RegisterModel.Output>
  typealias OnLog = Operation<LogModel.Input, LogModel.Output>

  private struct Book {
    var onKeys: [[OnKey]]
    var onLog: [OnLog] = []
    var problems: [String] = []
  }

  private let book: Mutex<Book>

  init(keys: Int) { book = Mutex(Book(onKeys: Array(repeating: [], count: keys))) }

  func add(_ operation: OnKey, key: Int) { book.withLock { $0.onKeys[key].append(operation) } }
  func add(_ operation: OnLog) { book.withLock { $0.onLog.append(operation) } }
  func report(_ problem: String) { book.withLock { $0.problems.append(problem) } }

  var problem: String? { book.withLock { $0.problems.first } }
  var count: Int { book.withLock { $0.onKeys.reduce(0) { $0 + $1.count } } }

  /// Looks for an order that explains everything, key by key, and one for the whole log.
  func judge() throws {
    let (onKeys, onLog) = book.withLock { ($0.onKeys, $0.onLog) }
    let registers = LinearizabilityChecker(RegisterModel())
    for (key, history) in onKeys.enumerated() {
      try judge(registers.check(history), history, "key \(key)")
    }
    try judge(LinearizabilityChecker(LogModel()).check(onLog), onLog, "the log")
  }

  private func judge<Model: SequentialModel>(
    _ verdict: LinearizabilityChecker<Model>.Verdict, _ history: LinearizabilityChecker<Model>.History, _ what: String
  ) throws {
    switch verdict {
    case .linearizable: return
    case .undecided: throw TortureError("\(what): no verdict about \(history.count) operations")
    case .violated(let last, let stuckAt):
      let before = last.map { "\(history[$0])" }.joined(separator: "\n  ")
      throw TortureError("\(what) is not linearizable: nothing explains \(history[stuckAt]) after\n  \(before)")
    }
  }
}
