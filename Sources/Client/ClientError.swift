package import MusterProtocol

/// Why a call has no answer.
package enum ClientError: Error, Sendable, CustomStringConvertible {
  /// No server could be reached: nothing happened.
  case notReachable(String)
  /// The connection ended after the call was sent: it may have had its effect.
  case outcomeUnknown(String)
  /// The server answered with an error.
  case rpc(RPCError)
  /// The server does not speak as the protocol says.
  case confused(String)

  package var description: String {
    switch self {
    case .notReachable(let problem): "not reachable: \(problem)"
    case .outcomeUnknown(let problem): "the outcome is not known: \(problem)"
    case .rpc(let error): error.message
    case .confused(let problem): "the server cannot be understood: \(problem)"
    }
  }
}

/// What comes back for a call, on the connection's event loop. Bytes are borrowed.
package enum ClientReply {
  case reply(UnsafeRawBufferPointer)
  case item(UnsafeRawBufferPointer)
  case end(UnsafeRawBufferPointer)
  case failed(ClientError)

  var isFinal: Bool {
    if case .item = self { false } else { true }
  }
}
