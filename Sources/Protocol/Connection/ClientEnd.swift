internal import MusterBytes

/// What the client does about a frame. The payload, where one is spoken of, is the frame's.
package enum ClientAction<Waiter> {
  case nothing
  case greeted(HelloReply)
  /// The payload is the reply to a call.
  case reply(Waiter)
  /// The payload is an element of a stream.
  case item(Waiter)
  /// The payload is the end of a stream.
  case end(Waiter)
  case fail(Waiter, RPCError)
  case ping
  case pong
  /// Close the connection; `ClientEnd.lost` says what becomes of the calls that are open.
  case close(ConnectionLoss)
}

/// Why a connection can't be used any more.
package enum ConnectionLoss: Error, Equatable, Sendable {
  /// The server said so.
  case refused(RPCError)
  /// The server does not speak as the protocol says.
  case confused(String)
  /// Nothing came from the server for too long.
  case silent
}

/// What is known of a call that will not be answered.
package enum CallFate: Equatable, Sendable {
  /// No byte of it left, or it could change nothing: it may be repeated as if it had never been.
  case nothingHappened
  /// It may have been executed: only a retry with the same request id finds out.
  case outcomeUnknown
}

/// Why a call cannot be begun on a connection.
package enum BeginRefusal: Error, Equatable, Sendable {
  /// The connection is closed, closing or has not been greeted.
  case notOpen
  /// As many calls are open as the server allows.
  case tooMany
}

/// The client's end of a connection: which frames may come when, who waits for them, and what became of those whose
/// answer will not come.
///
/// A `Waiter` is whatever the shell keeps for a call. Times are milliseconds of a clock that never jumps back.
package struct ClientEnd<Waiter> {
  /// How long the server may take to greet.
  package static var greetingMilliseconds: UInt64 { 5000 }

  private enum Phase { case greeting, open, leaving, closed }

  private struct OpenCall {
    let method: UInt16
    let waiter: Waiter
    /// Which writing the request went out with: see `flushed`.
    let writing: UInt64
  }

  private var phase = Phase.greeting
  private let begun: UInt64
  private var silence: SilenceWatch
  private var calls = CallTable<OpenCall>()
  private var callsMax = 0
  private var lastCall: UInt32 = 0
  private var writings: UInt64 = 0

  package init(now: UInt64) {
    begun = now
    silence = SilenceWatch(now: now)
  }

  /// True while calls may be begun.
  package var isOpen: Bool { phase == .open }
  package var openCalls: Int { calls.count }

  // MARK: Calls

  /// Begins a call and chooses its number.
  ///
  /// - Parameter milliseconds: the time until its deadline; 0 for none.
  package mutating func begin(
    _ method: UInt16, _ waiter: Waiter, within milliseconds: UInt32 = 0, now: UInt64
  ) throws(BeginRefusal) -> UInt32 {
    guard phase == .open else { throw .notOpen }
    guard calls.count < callsMax else { throw .tooMany }
    repeat { lastCall &+= 1 } while lastCall == 0 || calls.isOpen(lastCall)
    let deadline = milliseconds == 0 ? UInt64.max : now + UInt64(milliseconds)
    let isNew = calls.open(lastCall, OpenCall(method: method, waiter: waiter, writing: writings), deadline: deadline)
    precondition(isNew, "a number that is not open was chosen")
    return lastCall
  }

  /// Everything that was begun is on its way to the socket: from now on it may have arrived.
  package mutating func flushed() { writings += 1 }

  package func isOpen(_ call: UInt32) -> Bool { calls.isOpen(call) }

  /// The client does not want the answer any more.
  ///
  /// - Returns: false when there is nothing to call off.
  package mutating func cancel(_ call: UInt32) -> Bool { calls.close(call) != nil }

  /// A call whose deadline has passed, closed; nil when there is none. The server is to be told with a cancel frame.
  package mutating func expired(_ now: UInt64) -> (call: UInt32, waiter: Waiter, fate: CallFate)? {
    guard let call = calls.expired(at: now), let open = calls.close(call) else { return nil }
    return (call, open.waiter, fate(of: open))
  }

  /// The connection is gone: what is known of every open call, in the order of their numbers.
  package mutating func lost() -> [(waiter: Waiter, fate: CallFate)] {
    phase = .closed
    return calls.closeAll().map { ($0.value.waiter, fate(of: $0.value)) }
  }

  private func fate(of call: OpenCall) -> CallFate {
    let isMutation = Method(rawValue: call.method)?.isMutation ?? true
    return isMutation && call.writing < writings ? .outcomeUnknown : .nothingHappened
  }

  // MARK: Frames

  /// Bytes came, whatever they are.
  package mutating func hear(at now: UInt64) { silence.hear(at: now) }

  package mutating func receive(_ head: FrameHead, _ payload: UnsafeRawBufferPointer) -> ClientAction<Waiter> {
    switch (phase, head.kind) {
    case (.closed, _): return .nothing
    case (.greeting, .helloReply): return greeted(payload)
    case (_, .error) where head.call == 0: return close(.refused(ClientEnd.error(payload)))
    case (.greeting, _): return close(.confused("its first frame is of kind \(head.kind)"))
    case (_, .item): return calls[head.call].map { .item($0.waiter) } ?? .nothing
    case (_, .reply): return calls.close(head.call).map { .reply($0.waiter) } ?? .nothing
    case (_, .end): return calls.close(head.call).map { .end($0.waiter) } ?? .nothing
    case (_, .error): return calls.close(head.call).map { .fail($0.waiter, ClientEnd.error(payload)) } ?? .nothing
    case (_, .ping): return .pong
    case (_, .pong): return .nothing
    case (_, .goAway): return goAway(payload)
    case (_, .hello), (_, .helloReply), (_, .request), (_, .credit), (_, .cancel):
      return close(.confused("it sends frames of kind \(head.kind)"))
    }
  }

  private mutating func greeted(_ payload: UnsafeRawBufferPointer) -> ClientAction<Waiter> {
    guard let reply = try? HelloReply(bytes: payload) else { return close(.confused("its hello cannot be read")) }
    guard (ProtocolVersion.oldest...ProtocolVersion.newest).contains(reply.version) else {
      return close(.confused("it chose version \(reply.version) of the protocol, which was not offered"))
    }
    phase = .open
    callsMax = Int(reply.callsMax)
    return .greeted(reply)
  }

  /// The server stops: what is open is still answered, and then the connection has no use.
  private mutating func goAway(_ payload: UnsafeRawBufferPointer) -> ClientAction<Waiter> {
    phase = .leaving
    return calls.count == 0 ? close(.refused(ClientEnd.error(payload))) : .nothing
  }

  private static func error(_ payload: UnsafeRawBufferPointer) -> RPCError {
    (try? RPCError(bytes: payload)) ?? RPCError(.internalFault, "the server's error cannot be read")
  }

  // MARK: Closing

  /// The bytes make no sense.
  package mutating func malformed(_ problem: String) -> ClientAction<Waiter> { close(.confused(problem)) }

  /// Looks at the clock; to be called a few times a second.
  package mutating func tick(_ now: UInt64) -> ClientAction<Waiter> {
    guard phase != .closed else { return .nothing }
    if phase == .greeting {
      return now >= begun + ClientEnd.greetingMilliseconds ? close(.silent) : .nothing
    }
    switch silence.look(at: now) {
    case .nothing: return .nothing
    case .ask: return .ping
    case .giveUp: return close(.silent)
    }
  }

  private mutating func close(_ loss: ConnectionLoss) -> ClientAction<Waiter> {
    guard phase != .closed else { return .nothing }
    phase = .closed
    return .close(loss)
  }
}
