internal import MusterBytes
internal import MusterCluster

/// What the server does about a frame, or because time passed.
package enum ServerAction: Sendable {
  case nothing
  /// Answer the hello; the connection is open now.
  indirect case greet(Hello, HelloReply)
  case request(call: UInt32, method: UInt16, credit: UInt32)
  case credit(call: UInt32, UInt32)
  case cancel(call: UInt32)
  case ping
  case pong
  /// Answer a request that was not accepted with an error and go on.
  indirect case fail(call: UInt32, RPCError)
  /// Say why and close.
  indirect case close(RPCError)
  /// Close; nobody listens any more.
  case drop
}

/// What a server says of itself to every client.
package struct ServerGreeting: Sendable {
  package var clusterID: String
  package var timeline: UInt64
  package var software: String

  package init(clusterID: String, timeline: UInt64, software: String) {
    self.clusterID = clusterID
    self.timeline = timeline
    self.software = software
  }
}

/// The server's end of a connection: which frames may come when, which calls are open, and how long anything may take.
///
/// Times are milliseconds of a clock that never jumps back.
package struct ServerConnection: ~Copyable {
  /// Calls that one connection may have open.
  package static let callsMax = 4096
  /// How long a client may take to say hello.
  package static let greetingMilliseconds: UInt64 = 5000
  /// How long a closed connection is kept, so that the client can read why.
  package static let lingerMilliseconds: UInt64 = 1000

  private enum Phase: Equatable { case greeting, open, closed }

  private var phase = Phase.greeting
  /// The methods of the open calls.
  private var calls = CallTable<UInt16>()
  private var lastCall: UInt32 = 0
  private let server: ServerGreeting
  private var silence: SilenceWatch
  /// When the phase began: the greeting's time is not stretched by a trickle of bytes.
  private var phaseBegan: UInt64

  package init(_ server: ServerGreeting, now: UInt64) {
    self.server = server
    phaseBegan = now
    silence = SilenceWatch(now: now)
  }

  package var isGreeting: Bool { phase == .greeting }
  package var isClosed: Bool { phase == .closed }
  package var openCalls: Int { calls.count }
  /// The longest payload that is acceptable now.
  package var payloadMax: Int { phase == .open ? FrameHead.payloadMax : FrameHead.greetingMax }

  // MARK: Frames

  /// Bytes came, whatever they are.
  package mutating func hear(at now: UInt64) { silence.hear(at: now) }

  package mutating func receive(_ head: FrameHead, _ payload: UnsafeRawBufferPointer, now: UInt64) -> ServerAction {
    switch (phase, head.kind) {
    case (.closed, _): return .nothing
    case (.greeting, .hello): return greet(payload, now)
    case (.greeting, _): return close(.malformed, "the first frame is a hello", now)
    case (.open, .request): return request(head, now)
    case (.open, .credit): return calls.isOpen(head.call) ? .credit(call: head.call, head.argument) : .nothing
    case (.open, .cancel): return calls.isOpen(head.call) ? .cancel(call: head.call) : .nothing
    case (.open, .ping): return .pong
    case (.open, .pong): return .nothing
    case (.open, .hello), (.open, .helloReply), (.open, .reply), (.open, .error), (.open, .item), (.open, .end),
      (.open, .goAway):
      return close(.malformed, "a client does not send frames of kind \(head.kind) here", now)
    }
  }

  private mutating func greet(_ payload: UnsafeRawBufferPointer, _ now: UInt64) -> ServerAction {
    guard let hello = try? Hello(bytes: payload), hello.magic == ProtocolVersion.magic else {
      return close(.malformed, "this is no client of ours: its hello cannot be read", now)
    }
    guard hello.oldest <= ProtocolVersion.newest, hello.newest >= ProtocolVersion.oldest else {
      return close(
        .unsupportedVersion,
        "this server speaks versions \(ProtocolVersion.oldest) to \(ProtocolVersion.newest) of the protocol, the client "
          + "\(hello.oldest) to \(hello.newest)", now)
    }
    guard hello.clusterID.isEmpty || hello.clusterID == server.clusterID else {
      return close(.wrongCluster, "this is cluster \(server.clusterID), not \(hello.clusterID)", now)
    }
    guard hello.kind != .controller, !hello.principal.isEmpty,
      Names.isPrintable(hello.principal, bytes: Limits.pathBytes)
    else { return close(.permissionDenied, "a client says who it is: a person, a service or a node", now) }
    phase = .open
    phaseBegan = now
    return .greet(hello, reply(to: hello))
  }

  private func reply(to hello: Hello) -> HelloReply {
    var reply = HelloReply()
    reply.version = min(hello.newest, ProtocolVersion.newest)
    reply.clusterID = server.clusterID
    reply.timeline = server.timeline
    reply.software = server.software
    reply.payloadMax = UInt32(FrameHead.payloadMax)
    reply.callsMax = UInt32(ServerConnection.callsMax)
    return reply
  }

  private mutating func request(_ head: FrameHead, _ now: UInt64) -> ServerAction {
    // In serial arithmetic, so that numbers may go round. What is still being read for a call that was called off can
    // never be taken for a new call's.
    guard head.call != 0, Int32(bitPattern: head.call &- lastCall) > 0 else {
      return close(.malformed, "call numbers ascend, and \(head.call) does not follow \(lastCall)", now)
    }
    lastCall = head.call
    guard calls.count < ServerConnection.callsMax else {
      return .fail(
        call: head.call,
        RPCError(
          .tooMany, "a connection has at most \(ServerConnection.callsMax) open calls", retryAfterMilliseconds: 10))
    }
    let isStream = Method(rawValue: head.method)?.isStream ?? false
    let deadline = isStream || head.argument == 0 ? UInt64.max : now + UInt64(head.argument)
    guard calls.open(head.call, head.method, deadline: deadline) else {
      return close(.malformed, "call \(head.call) is open; its number cannot be used again yet", now)
    }
    return .request(call: head.call, method: head.method, credit: isStream ? head.argument : 0)
  }

  // MARK: Answers

  /// True while an element or an answer may be sent for this call.
  package func isOpen(_ call: UInt32) -> Bool { phase == .open && calls.isOpen(call) }

  /// A call is answered for good: by a reply, an error or the end of a stream.
  ///
  /// - Returns: false when it is not open any more, and nothing may be sent.
  package mutating func answer(_ call: UInt32) -> Bool { phase == .open && calls.close(call) != nil }

  // MARK: Time

  /// Looks at the clock; to be called a few times a second.
  package mutating func tick(_ now: UInt64) -> ServerAction {
    switch phase {
    case .greeting:
      guard now >= phaseBegan + ServerConnection.greetingMilliseconds else { return .nothing }
      return close(.deadlineExceeded, "no hello came in \(ServerConnection.greetingMilliseconds / 1000) seconds", now)
    case .open:
      return watchSilence(now)
    case .closed:
      return now >= phaseBegan + ServerConnection.lingerMilliseconds ? .drop : .nothing
    }
  }

  private mutating func watchSilence(_ now: UInt64) -> ServerAction {
    switch silence.look(at: now) {
    case .nothing: return .nothing
    case .ask: return .ping
    case .giveUp:
      phase = .closed
      return .drop
    }
  }

  /// A call whose deadline has passed, and the error that answers it; nil when there is none.
  package mutating func expired(_ now: UInt64) -> (call: UInt32, error: RPCError)? {
    guard phase == .open, let call = calls.expired(at: now), let method = calls[call] else { return nil }
    let isMutation = Method(rawValue: method)?.isMutation ?? false
    let error = RPCError(
      .deadlineExceeded, "the answer was not ready at the deadline", isOutcomeUnknown: isMutation)
    return (call, error)
  }

  // MARK: Closing

  /// Closes the connection for a reason that does not lie in its order of frames.
  package mutating func close(_ code: RPCErrorCode, _ message: String, _ now: UInt64) -> ServerAction {
    guard phase != .closed else { return .nothing }
    phase = .closed
    phaseBegan = now
    return .close(RPCError(code, message))
  }
}
