package import MusterCluster
package import MusterLog

/// Why a question about the past has no answer.
package enum HistoryError: Error, Sendable {
  /// The moment is after the newest revision.
  case future(asked: String, newest: Revision)
  /// The moment is before the first commit.
  case beforeBeginning(asked: String)
  /// The moment is older than what is kept.
  case cut(asked: String, Horizon)
  case refused(Refusal)
  case log(LogError)
  /// A commit, block or snapshot is whole and does not say what it must.
  case divergence(Revision, String)
}

extension HistoryError: CustomStringConvertible {
  package var description: String {
    switch self {
    case .future(let asked, let newest): "\(asked) is in the future: the newest revision is \(newest)"
    case .beforeBeginning(let asked): "\(asked) is before the beginning of the log"
    case .cut(let asked, let horizon):
      "\(asked) is not kept any more: history before revision \(horizon.revision) was cut at revision \(horizon.cutAt)"
    case .refused(let refusal): refusal.message
    case .log(let error): "\(error)"
    case .divergence(let revision, let problem): "at revision \(revision): \(problem)"
    }
  }

  package var isCorruption: Bool {
    switch self {
    case .divergence, .log(.corrupt): true
    default: false
    }
  }
}
