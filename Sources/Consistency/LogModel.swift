/// The whole log as one object: revisions that only grow, whoever asks.
package struct LogModel: SequentialModel {
  package enum Input: Hashable, Sendable {
    /// - Parameter expected: it is made only if this is the newest revision.
    case append(expected: UInt64?)
    case read
  }

  package enum Output: Hashable, Sendable {
    /// The revision that it made.
    case committed(UInt64)
    /// The revision that the answer speaks of.
    case seen(UInt64)
  }

  package init() {}

  package var initial: UInt64 { 0 }

  /// Others append too: revisions may be left out, and never come back.
  package func step(_ state: UInt64, _ input: Input, _ output: Output?) -> UInt64? {
    switch (input, output) {
    case (.append(let expected), .committed(let revision)):
      if let expected, expected < state || revision != expected + 1 { return nil }
      return revision > state ? revision : nil
    case (.read, .seen(let revision)): return revision >= state ? revision : nil
    case (_, nil): return state
    case (.append, .seen), (.read, .committed): return nil
    }
  }
}
