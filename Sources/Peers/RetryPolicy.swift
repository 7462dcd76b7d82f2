package import MusterProtocol

/// How a call failed, as far as trying again is concerned.
package enum CallFailure: Equatable, Sendable {
  /// The connection ended, or could not be made.
  case lost(CallFate)
  case answered(RPCError)
  /// The other end does not speak the protocol: it will not learn it.
  case confused
}

package enum RetryDecision: Equatable, Sendable {
  case again(afterMilliseconds: UInt64)
  case giveUp
}

/// Whether and when a call is tried again.
///
/// Waits double up to a bound, and each is spread over its second half by a number from outside, so that clients that
/// lost the same server do not come back at the same instant.
package struct RetryPolicy: Sendable {
  package static let firstMilliseconds: UInt64 = 50
  package static let longestMilliseconds: UInt64 = 2000

  private var attemptsLeft: Int
  private var wait = RetryPolicy.firstMilliseconds

  /// - Parameter attempts: how often the call is made at most, the first time included.
  package init(attempts: Int) { attemptsLeft = max(attempts, 1) - 1 }

  /// The call failed.
  ///
  /// - Parameters:
  ///   - isRepeatable: true when executing it twice is executing it once: a question, or a command with a request id.
  ///   - spread: any number.
  package mutating func decide(_ failure: CallFailure, isRepeatable: Bool, spread: UInt64) -> RetryDecision {
    guard attemptsLeft > 0, let least = RetryPolicy.leastWait(failure, isRepeatable) else { return .giveUp }
    attemptsLeft -= 1
    defer { wait = min(wait * 2, RetryPolicy.longestMilliseconds) }
    return .again(afterMilliseconds: max(least, wait / 2 + spread % (wait / 2)))
  }

  /// The shortest wait that makes sense, in milliseconds; nil when trying again does not.
  private static func leastWait(_ failure: CallFailure, _ isRepeatable: Bool) -> UInt64? {
    switch failure {
    case .lost(.nothingHappened): 0
    case .lost(.outcomeUnknown): isRepeatable ? 0 : nil
    case .answered(let error):
      if error.isOutcomeUnknown {
        isRepeatable ? error.retryAfterMilliseconds ?? 0 : nil
      } else {
        error.retryAfterMilliseconds
      }
    case .confused: nil
    }
  }
}
