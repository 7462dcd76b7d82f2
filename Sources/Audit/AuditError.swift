/// Why a note, key or proof is not accepted.
package enum AuditError: Error, Equatable, Sendable {
  /// The bytes are none of what they should be: what, and what is wrong with it.
  case malformed(String, String)
  /// No key that is trusted signed it, or one did not that is said to have.
  case unsigned(String)
  /// It is well made, and what it says does not hold.
  case wrong(String)
}

extension AuditError: CustomStringConvertible {
  package var description: String {
    switch self {
    case .malformed(let what, let problem): "this is no \(what): \(problem)"
    case .unsigned(let problem), .wrong(let problem): problem
    }
  }
}
