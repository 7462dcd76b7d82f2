internal import MusterBytes
internal import MusterCluster

/// What the server does about a frame.
package enum ServerAction: Sendable {
  case nothing
  /// Answer the hello; the connection is open now.
  case greet(Hello, HelloReply)
  case request(call: UInt32, method: UInt16, credit: UInt32)
  case credit(call: UInt32, UInt32)
  case cancel(call: UInt32)
  case pong
  /// Answer this call with an error and go on.
  case fail(call: UInt32, RPCError)
  /// Say why and close.
  case close(RPCError)
}

/// The server's end of a connection: which frames may come when.
package struct ServerConnection: Sendable {
  /// Calls that one connection may have open.
  package static let callsMax: UInt32 = 4096
  /// How long a client may take to say hello, in milliseconds.
  package static let greetingMilliseconds: UInt64 = 5000

  private enum Phase { case greeting, open, closed }
  private var phase = Phase.greeting
  private var openCalls: UInt32 = 0
  private let clusterID: String
  private let timeline: UInt64
  private let software: String

  package init(clusterID: String, timeline: UInt64, software: String) {
    self.clusterID = clusterID
    self.timeline = timeline
    self.software = software
  }

  package var isGreeting: Bool { phase == .greeting }
  package var isClosed: Bool { phase == .closed }
  /// The longest payload that is acceptable now.
  package var payloadMax: Int { phase == .open ? FrameHead.payloadMax : FrameHead.greetingMax }

  package mutating func receive(_ head: FrameHead, _ payload: UnsafeRawBufferPointer) -> ServerAction {
    switch (phase, head.kind) {
    case (.closed, _): return .nothing
    case (.greeting, .hello): return greet(payload)
    case (.greeting, _): return close(.malformed, "the first frame is a hello")
    case (.open, .request): return request(head)
    case (.open, .credit): return .credit(call: head.call, head.argument)
    case (.open, .cancel): return .cancel(call: head.call)
    case (.open, .ping): return .pong
    case (.open, .pong): return .nothing
    case (.open, .hello), (.open, .helloReply), (.open, .reply), (.open, .error), (.open, .item), (.open, .end):
      return close(.malformed, "a client does not send frames of kind \(head.kind)")
    }
  }

  private mutating func greet(_ payload: UnsafeRawBufferPointer) -> ServerAction {
    guard let hello = try? Hello(bytes: payload), hello.magic == ProtocolVersion.magic else {
      return close(.malformed, "this is no client of ours: its hello cannot be read")
    }
    guard hello.oldest <= ProtocolVersion.newest, hello.newest >= ProtocolVersion.oldest else {
      return close(
        .unsupportedVersion,
        "this server speaks versions \(ProtocolVersion.oldest) to \(ProtocolVersion.newest) of the protocol, the client "
          + "\(hello.oldest) to \(hello.newest)")
    }
    guard hello.clusterID.isEmpty || hello.clusterID == clusterID else {
      return close(.wrongCluster, "this is cluster \(clusterID), not \(hello.clusterID)")
    }
    guard hello.kind != .controller, !hello.principal.isEmpty,
      Names.isPrintable(hello.principal, bytes: Limits.pathBytes)
    else { return close(.permissionDenied, "a client says who it is: a person, a service or a node") }
    phase = .open
    var reply = HelloReply()
    reply.version = ProtocolVersion.newest
    reply.clusterID = clusterID
    reply.timeline = timeline
    reply.software = software
    reply.payloadMax = UInt32(FrameHead.payloadMax)
    reply.callsMax = ServerConnection.callsMax
    return .greet(hello, reply)
  }

  private mutating func request(_ head: FrameHead) -> ServerAction {
    guard openCalls < ServerConnection.callsMax else {
      return .fail(
        call: head.call,
        RPCError(
          .tooMany, "a connection has at most \(ServerConnection.callsMax) open calls", retryAfterMilliseconds: 10))
    }
    openCalls += 1
    return .request(call: head.call, method: head.method, credit: head.argument)
  }

  package var hasOpenCalls: Bool { openCalls > 0 }

  /// A request was answered for good: by a reply, an error or the end of a stream.
  package mutating func answered() {
    precondition(openCalls > 0, "only open calls are answered")
    openCalls -= 1
  }

  /// The bytes make no sense: say so and close.
  package mutating func malformed(_ problem: String) -> ServerAction { close(.malformed, problem) }

  /// The client took too long to say hello.
  package mutating func greetingTimedOut() -> ServerAction {
    phase == .greeting ? close(.deadlineExceeded, "no hello came in time") : .nothing
  }

  private mutating func close(_ code: RPCErrorCode, _ message: String) -> ServerAction {
    phase = .closed
    return .close(RPCError(code, message))
  }
}
