public import MusterLog

/// Why a journal cannot be opened or written.
public enum JournalError: Error, Equatable, Sendable, CustomStringConvertible {
  /// Another process writes here.
  case locked(String)
  case log(LogError, directory: String)

  public var description: String {
    switch self {
    case .locked(let directory): "\(directory) is in use by another process; stop that one first"
    case .log(let error, let directory): "\(directory): \(error)"
    }
  }

  /// True when something that was durable cannot be read.
  public var isCorruption: Bool {
    if case .log(.corrupt, _) = self { true } else { false }
  }
}
