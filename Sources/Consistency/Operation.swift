/// What one client asked of a system that others use at the same time, and what came of it.
package struct Operation<Input: Sendable, Output: Sendable>: Sendable {
  package var client: Int
  package var input: Input
  /// When it was asked, by one clock for all clients.
  package var called: UInt64
  /// When it was answered, and what; nil when nobody knows whether it had its effect: it may have had it at any moment
  /// since, or not at all.
  package var answer: (at: UInt64, output: Output)?

  package init(client: Int, input: Input, called: UInt64, answer: (at: UInt64, output: Output)? = nil) {
    self.client = client
    self.input = input
    self.called = called
    self.answer = answer
  }
}

/// What a system would be if it did one thing after the other.
package protocol SequentialModel {
  associatedtype Input: Sendable
  associatedtype Output: Sendable
  associatedtype State: Hashable

  var initial: State { get }

  /// - Parameter output: nil when it is not known.
  /// - Returns: the state after the operation; nil when it cannot have this output in this state.
  func step(_ state: State, _ input: Input, _ output: Output?) -> State?
}
