internal import MusterBytes
internal import MusterCluster
internal import MusterKernel
internal import MusterProtocol
internal import NIOCore

/// Cuts what comes in on one connection into frames, in place, and carries out what the connection's machine says.
///
/// Everything here runs on the server's event loop. The properties that every frame touches are not checked for
/// exclusive access at run time: those checks were a third of what a small request costs. No method of theirs calls
/// back into this class.
final class ConnectionHandler: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer
  typealias OutboundOut = ByteBuffer

  let id: UInt64
  @exclusivity(unchecked) var machine: ServerConnection
  unowned let server: Server
  @exclusivity(unchecked) var context: ChannelHandlerContext?
  @exclusivity(unchecked) private var caller: Caller?
  @exclusivity(unchecked) private var frames = FrameAssembler()
  /// What came and is not looked at while too much waits to be sent.
  private var held = ByteBuffer()
  @exclusivity(unchecked) private var isPaused = false

  // Sending, in ConnectionHandler+Sending.swift.
  @exclusivity(unchecked) var outgoing = ByteBuffer()
  @exclusivity(unchecked) var isDirty = false

  init(id: UInt64, server: Server, machine: consuming ServerConnection) {
    self.id = id
    self.server = server
    self.machine = machine
  }

  func channelActive(context: ChannelHandlerContext) {
    self.context = context
    server.connectionOpened(self)
  }

  func channelInactive(context: ChannelHandlerContext) {
    self.context = nil
    server.connectionClosed(id)
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

  // MARK: Receiving

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    var buffer = unwrapInboundIn(data)
    let now = Clock.now()
    machine.hear(at: now.monotonic)
    if isPaused {
      // Reading is off; this was on its way already.
      held.writeBuffer(&buffer)
    } else {
      take(buffer, now)
    }
  }

  private func take(_ buffer: ByteBuffer, _ now: Now) {
    let left = buffer.withUnsafeReadableBytes { bytes in
      var rest = bytes
      while !isPaused, !machine.isClosed, takeFrame(from: &rest, now) {}
      return machine.isClosed ? 0 : rest.count
    }
    if left > 0 { held = buffer.getSlice(at: buffer.writerIndex - left, length: left) ?? ByteBuffer() }
    server.endTickSoon()
  }

  /// - Returns: false when there is no whole frame.
  private func takeFrame(from rest: inout UnsafeRawBufferPointer, _ now: Now) -> Bool {
    switch frames.next(from: &rest, payloadMax: machine.payloadMax) {
    case .incomplete:
      return false
    case .malformed(let problem):
      carryOut(machine.close(.malformed, problem, now.monotonic))
      return false
    case .frame(let head, let payload):
      let action = machine.receive(head, payload, now: now.monotonic)
      if case .request(let call, let method, let credit) = action {
        request(call, method, credit, payload, now)
      } else {
        carryOut(action)
      }
      return true
    }
  }

  private func request(
    _ call: UInt32, _ method: UInt16, _ credit: UInt32, _ payload: UnsafeRawBufferPointer, _ now: Now
  ) {
    guard let caller else { preconditionFailure("requests are accepted only after the hello") }
    server.request(
      CallID(connection: id, call: call), from: caller, method: method, credit: credit, payload, now: now)
    if outgoing.readableBytes > ConnectionHandler.flushEarlyBytes { flush() }
  }

  private func carryOut(_ action: ServerAction) {
    switch action {
    case .nothing, .request: return
    case .greet(let hello, let reply):
      caller = Caller(principal: hello.principal, kind: hello.kind, assurance: .asserted)
      append(.helloReply, reply.encoded())
    case .credit(let call, let amount): server.grant(CallID(connection: id, call: call), amount)
    case .cancel(let call): server.cancel(CallID(connection: id, call: call))
    case .ping: append(.ping, [])
    case .pong: append(.pong, [])
    case .fail(let call, let error): append(.error, call: call, error.encoded())
    case .close(let error): farewell(.error, error)
    case .drop: context?.close(promise: nil)
    }
  }

  // MARK: Time

  func tick(_ now: UInt64) {
    carryOut(machine.tick(now))
    while let (call, error) = machine.expired(now) {
      server.expire(CallID(connection: id, call: call))
      send(.error, call, error.encoded())
    }
  }

  // MARK: Back-pressure

  /// A client that does not read what it asked for is not listened to either, until it does.
  func channelWritabilityChanged(context: ChannelHandlerContext) {
    if context.channel.isWritable { resume(context) } else { pause(context) }
  }

  private func pause(_ context: ChannelHandlerContext) {
    guard !isPaused else { return }
    isPaused = true
    context.channel.setOption(.autoRead, value: false).whenComplete { _ in }
  }

  private func resume(_ context: ChannelHandlerContext) {
    guard isPaused else { return }
    isPaused = false
    let now = Clock.now()
    machine.hear(at: now.monotonic)
    let buffer = held
    held = ByteBuffer()
    take(buffer, now)
    server.resume(self)
    guard !isPaused else { return }
    context.channel.setOption(.autoRead, value: true).whenComplete { _ in }
  }

  /// True when streams should pause: the client does not read.
  var isStuck: Bool { isPaused }
}
