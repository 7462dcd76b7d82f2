package import MusterBytes

/// What kind of thing went wrong with a call. Numbers are never reused.
package enum RPCErrorCode: UInt32, Sendable, CaseIterable {
  /// Our own fault: something that must not happen did.
  case internalFault = 0
  case invalidArgument = 1
  case unknownMethod = 2
  /// The command or question was understood and refused; the details are a `Refusal`.
  case refused = 3
  /// Not now: overloaded, starting or stopping.
  case unavailable = 4
  /// Nothing can be written at present.
  case readOnly = 5
  case deadlineExceeded = 6
  case tooLarge = 7
  /// More calls, streams or connections at once than allowed.
  case tooMany = 8
  /// The moment that was asked for is not in the log.
  case noSuchMoment = 9
  case wrongCluster = 10
  case unsupportedVersion = 11
  /// Bytes on the connection make no sense; it is closed.
  case malformed = 12
  case permissionDenied = 13
  /// Stored bytes cannot be read.
  case corruption = 14
  case cancelled = 15

  package var name: String {
    switch self {
    case .internalFault: "internal-fault"
    case .invalidArgument: "invalid-argument"
    case .unknownMethod: "unknown-method"
    case .refused: "refused"
    case .unavailable: "unavailable"
    case .readOnly: "read-only"
    case .deadlineExceeded: "deadline-exceeded"
    case .tooLarge: "too-large"
    case .tooMany: "too-many"
    case .noSuchMoment: "no-such-moment"
    case .wrongCluster: "wrong-cluster"
    case .unsupportedVersion: "unsupported-version"
    case .malformed: "malformed"
    case .permissionDenied: "permission-denied"
    case .corruption: "corruption"
    case .cancelled: "cancelled"
    }
  }
}

/// Why a call failed: what, whether to retry, after how long, and whether it may have had an effect all the same.
package struct RPCError: FieldMessage, Hashable, Error {
  package var code = RPCErrorCode.internalFault
  package var message = ""
  /// When to try again, in milliseconds; nil when trying again will not help.
  package var retryAfterMilliseconds: UInt64?
  /// The command may have been executed: retry it with the same request id.
  package var isOutcomeUnknown = false
  package var details: [UInt8] = []

  package init() {}
  package init(
    _ code: RPCErrorCode, _ message: String, retryAfterMilliseconds: UInt64? = nil, isOutcomeUnknown: Bool = false,
    details: [UInt8] = []
  ) {
    self.code = code
    self.message = message
    self.retryAfterMilliseconds = retryAfterMilliseconds
    self.isOutcomeUnknown = isOutcomeUnknown
    self.details = details
  }

  package mutating func visit<V: FieldVisitor & ~Copyable>(_ fields: inout V) throws(WireError) {
    var number = code.rawValue
    try fields.uint32(1, &number)
    // A newer peer's error keeps its message and the rest.
    code = RPCErrorCode(rawValue: number) ?? .internalFault
    try fields.string(2, &message, max: 8192)
    try fields.optional(3, &retryAfterMilliseconds)
    try fields.bool(4, &isOutcomeUnknown)
    try fields.bytes(5, &details, max: 64 * 1024)
  }
}
