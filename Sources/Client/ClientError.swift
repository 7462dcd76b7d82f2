package import MusterProtocol

/// Why a call has no answer.
package enum ClientError: Error, Sendable, CustomStringConvertible {
  /// No server could be reached, or none answered and nothing can have happened.
  case notReachable(String)
  /// The connection ended after the command was sent: it may have had its effect. Retry it with the same request id.
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

  /// A call that will have no answer.
  init(_ fate: CallFate, _ problem: String) {
    switch fate {
    case .nothingHappened: self = .notReachable(problem)
    case .outcomeUnknown: self = .outcomeUnknown(problem)
    }
  }

  init(_ refusal: BeginRefusal) {
    switch refusal {
    case .notOpen: self = .notReachable("the connection is closed")
    case .tooMany:
      self = .rpc(RPCError(.tooMany, "too many calls are open on this connection", retryAfterMilliseconds: 10))
    }
  }

  /// The connection ended before the server greeted; nil when the server just closed it.
  init(greeting loss: ConnectionLoss?) {
    switch loss {
    case .refused(let error): self = .rpc(error)
    case .confused(let problem): self = .confused(problem)
    case .silent: self = .notReachable("the server accepts connections but says nothing")
    case nil: self = .notReachable("the server closed the connection before it greeted")
    }
  }

  static func describe(_ loss: ConnectionLoss) -> String {
    switch loss {
    case .refused(let error): "the server closed the connection: \(error.message)"
    case .confused(let problem): "the server cannot be understood: \(problem)"
    case .silent: "nothing came from the server for too long"
    }
  }
}

/// What comes back for a call, on the connection's event loop. Bytes are borrowed.
package enum ClientReply {
  case reply(UnsafeRawBufferPointer)
  case item(UnsafeRawBufferPointer)
  case end(UnsafeRawBufferPointer)
  case failed(ClientError)
}

/// Takes what comes back for many calls, without a closure for each.
package protocol ReplySink: AnyObject {
  /// Called on the connection's loop.
  ///
  /// - Parameter tag: what the call was begun with.
  func received(_ tag: UInt64, _ reply: ClientReply)
}
