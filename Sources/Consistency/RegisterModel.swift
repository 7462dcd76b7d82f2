/// A value that is written, deleted and read; it tells nothing of revisions.
package struct RegisterModel: SequentialModel {
  package enum Input: Hashable, Sendable {
    case write(String)
    case delete
    case read
  }

  package enum Output: Hashable, Sendable {
    /// The write or deletion had its effect, or would have changed nothing.
    case done
    /// It had none, and never will.
    case refused
    /// What was read; nil for nothing.
    case value(String?)
  }

  package init() {}

  package var initial: String? { nil }

  package func step(_ state: String?, _ input: Input, _ output: Output?) -> String?? {
    switch (input, output) {
    case (.write(let value), .done), (.write(let value), nil): .some(value)
    case (.delete, .done), (.delete, nil): .some(nil)
    case (.write, .refused), (.delete, .refused), (.read, nil): .some(state)
    case (.read, .value(let seen)): seen == state ? .some(state) : .none
    case (.write, .value), (.delete, .value), (.read, .done), (.read, .refused): .none
    }
  }
}
