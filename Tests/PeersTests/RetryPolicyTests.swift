import MusterPeers
import MusterProtocol
import Testing

@Suite struct RetryPolicyTests {
  private func decide(_ failure: CallFailure, isRepeatable: Bool = true) -> RetryDecision {
    var policy = RetryPolicy(attempts: 2)
    return policy.decide(failure, isRepeatable: isRepeatable, spread: 0)
  }

  @Test func whatDidNotHappenIsTriedAgain() {
    #expect(decide(.lost(.nothingHappened), isRepeatable: false) == .again(afterMilliseconds: 25))
  }

  @Test func anUnknownOutcomeIsTriedAgainOnlyWithARequestID() {
    #expect(decide(.lost(.outcomeUnknown)) == .again(afterMilliseconds: 25))
    #expect(decide(.lost(.outcomeUnknown), isRepeatable: false) == .giveUp)
    let late = RPCError(.deadlineExceeded, "late", isOutcomeUnknown: true)
    #expect(decide(.answered(late)) == .again(afterMilliseconds: 25))
    #expect(decide(.answered(late), isRepeatable: false) == .giveUp)
  }

  @Test func theServersWordOnWhenIsKept() {
    let busy = RPCError(.unavailable, "busy", retryAfterMilliseconds: 700)
    #expect(decide(.answered(busy)) == .again(afterMilliseconds: 700))
    #expect(decide(.answered(RPCError(.refused, "no"))) == .giveUp)
    #expect(decide(.confused) == .giveUp)
  }

  @Test func waitsDoubleUpToABoundAndAreSpread() {
    var policy = RetryPolicy(attempts: 10)
    var longest: [UInt64] = []
    var shortest: [UInt64] = []
    var other = RetryPolicy(attempts: 10)
    for _ in 0..<9 {
      guard
        case .again(let low) = policy.decide(.lost(.nothingHappened), isRepeatable: true, spread: 0),
        case .again(let high) = other.decide(.lost(.nothingHappened), isRepeatable: true, spread: 1_999_999_999)
      else { return #expect(Bool(false), "there are attempts left") }
      shortest.append(low)
      longest.append(high)
    }
    #expect(shortest == [25, 50, 100, 200, 400, 800, 1000, 1000, 1000])
    #expect(zip(shortest, longest).allSatisfy { $0 <= $1 && $1 < 2 * $0 })
    #expect(policy.decide(.lost(.nothingHappened), isRepeatable: true, spread: 0) == .giveUp)
  }
}
