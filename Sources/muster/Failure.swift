import Glibc
import MusterClient
import MusterCluster
import MusterDisk
import MusterHistory
import MusterLog
import MusterProtocol

/// How a command ends that did not do what was asked.
struct Failure: Error {
  /// The contract of exit codes.
  enum Code: Int32 {
    case refused = 1
    case usage = 2
    case notReachable = 3
    case corruption = 4
    case notPermitted = 5
    case outcomeUnknown = 6
  }

  var code: Code
  var message: String

  init(_ code: Code, _ message: String) {
    self.code = code
    self.message = message
  }

  static func usage(_ message: String) -> Failure { Failure(.usage, message) }

  /// Anything that was thrown, as a person and a script are told of it.
  init(_ error: any Error) {
    switch error {
    case let failure as Failure: self = failure
    case let error as ClientError: self.init(error)
    case let error as JournalError: self.init(Failure.code(of: error), "\(error)")
    case let error as HistoryError: self.init(Failure.code(of: error), "\(error)")
    case let error as LogError: self.init(Failure.code(of: error), "\(error)")
    case let refusal as Refusal: self.init(.refused, refusal.message)
    default: self.init(.refused, "\(error)")
    }
  }

  private static func code(of error: JournalError) -> Code {
    if case .log(let error, _) = error { code(of: error) } else { .refused }
  }

  private static func code(of error: HistoryError) -> Code {
    if case .log(let error) = error { code(of: error) } else { error.isCorruption ? .corruption : .refused }
  }

  private static func code(of error: LogError) -> Code {
    switch error {
    case .corrupt: .corruption
    case .storage(let error) where error.code == EACCES || error.code == EPERM: .notPermitted
    default: .refused
    }
  }

  private init(_ error: ClientError) {
    switch error {
    case .notReachable: self.init(.notReachable, "\(error)")
    case .outcomeUnknown: self.init(.outcomeUnknown, "\(error)")
    case .confused: self.init(.refused, "\(error)")
    case .rpc(let rpc):
      switch rpc.code {
      case .permissionDenied: self.init(.notPermitted, rpc.message)
      case .corruption: self.init(.corruption, rpc.message)
      default: self.init(rpc.isOutcomeUnknown ? .outcomeUnknown : .refused, rpc.message)
      }
    }
  }
}
