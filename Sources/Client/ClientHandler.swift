internal import MusterBytes
internal import MusterProtocol
internal import NIOCore

/// The client's end of a connection on its event loop: feeds the machine and does what it says.
///
/// Everything here runs on the loop.
final class ClientHandler: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer
  typealias OutboundOut = ByteBuffer

  /// Who wants what comes back for a call.
  enum Waiter {
    case closure((ClientReply) -> Void)
    case sink(any ReplySink, tag: UInt64)
  }

  private static let tickMilliseconds: Int64 = 100

  private let hello: Hello
  private let greeted: EventLoopPromise<HelloReply>
  private let status: ConnectionStatus
  private var machine = ClientEnd<Waiter>(now: ClientHandler.now)
  private var frames = FrameAssembler()
  private var context: ChannelHandlerContext?
  private var outgoing = ByteBuffer()
  private var isFlushComing = false
  private var loss: ConnectionLoss?

  init(_ hello: Hello, _ greeted: EventLoopPromise<HelloReply>, _ status: ConnectionStatus) {
    self.hello = hello
    self.greeted = greeted
    self.status = status
  }

  /// Milliseconds of a clock that never jumps.
  private static var now: UInt64 { NIODeadline.now().uptimeNanoseconds / 1_000_000 }

  func channelActive(context: ChannelHandlerContext) {
    self.context = context
    append(.hello, hello.encoded())
    scheduleTick(context)
  }

  func channelInactive(context: ChannelHandlerContext) {
    self.context = nil
    status.isUsable = false
    let problem = loss.map(ClientError.describe) ?? "the connection was closed"
    greeted.fail(ClientError(greeting: loss))
    for (waiter, fate) in machine.lost() { answer(waiter, .failed(ClientError(fate, problem))) }
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

  private func scheduleTick(_ context: ChannelHandlerContext) {
    context.eventLoop.assumeIsolated().scheduleTask(in: .milliseconds(ClientHandler.tickMilliseconds)) { [weak self] in
      guard let self, let context = self.context else { return }
      self.tick()
      self.scheduleTick(context)
    }
  }

  private func tick() {
    let now = ClientHandler.now
    carryOut(machine.tick(now), nil)
    while let (call, waiter, fate) = machine.expired(now) {
      append(.cancel, call: call)
      answer(waiter, .failed(ClientError(fate, "no answer came in time")))
    }
  }

  // MARK: Calls

  /// Begins a call: everything that comes back for it goes to the waiter.
  ///
  /// - Parameter argument: the credit of a stream; of another call the milliseconds until its deadline, 0 for none.
  /// - Returns: its number, or 0 when it could not be begun; the waiter has been told so.
  func begin(
    _ method: Method, argument: UInt32, _ payload: UnsafeRawBufferPointer, _ waiter: Waiter
  ) -> UInt32 {
    guard payload.count <= FrameHead.payloadMax else {
      let error = RPCError(.tooLarge, "the request has more than \(FrameHead.payloadMax) bytes")
      answer(waiter, .failed(.rpc(error)))
      return 0
    }
    let milliseconds = method.isStream ? 0 : argument
    do throws(BeginRefusal) {
      let call = try machine.begin(
        method.rawValue, waiter, within: milliseconds, now: milliseconds == 0 ? 0 : ClientHandler.now)
      append(.request, method: method.rawValue, call: call, argument: argument, payload)
      return call
    } catch {
      answer(waiter, .failed(ClientError(error)))
      return 0
    }
  }

  func grant(_ call: UInt32, _ credit: UInt32) {
    if machine.isOpen(call) { append(.credit, call: call, argument: credit) }
  }

  func cancel(_ call: UInt32) {
    if machine.cancel(call) { append(.cancel, call: call) }
  }

  func close() { context?.close(promise: nil) }

  // MARK: Sending

  private func append(_ kind: WireKind, _ payload: [UInt8]) { payload.withUnsafeBytes { append(kind, $0) } }

  private func append(
    _ kind: WireKind, method: UInt16 = 0, call: UInt32 = 0, argument: UInt32 = 0,
    _ payload: UnsafeRawBufferPointer = UnsafeRawBufferPointer(start: nil, count: 0)
  ) {
    guard let context else { return }
    let head = FrameHead(kind, length: payload.count, method: method, call: call, argument: argument)
    let size = FrameHead.byteCount + payload.count
    outgoing.writeWithUnsafeMutableBytes(minimumWritableBytes: size) { target in
      head.store(into: target)
      UnsafeMutableRawBufferPointer(rebasing: target[FrameHead.byteCount...]).copyMemory(from: payload)
      return size
    }
    guard !isFlushComing else { return }
    isFlushComing = true
    context.eventLoop.assumeIsolated().execute { [self] in flush() }
  }

  /// Writes everything that was begun in this turn of the loop at once.
  private func flush() {
    isFlushComing = false
    guard let context, outgoing.readableBytes > 0 else { return }
    machine.flushed()
    context.writeAndFlush(wrapOutboundOut(outgoing), promise: nil)
    outgoing.clear()
  }

  // MARK: Receiving

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    machine.hear(at: ClientHandler.now)
    unwrapInboundIn(data).withUnsafeReadableBytes { bytes in
      var rest = bytes
      while self.context != nil, loss == nil, takeFrame(from: &rest) {}
    }
  }

  /// - Returns: false when there is no whole frame.
  private func takeFrame(from rest: inout UnsafeRawBufferPointer) -> Bool {
    switch frames.next(from: &rest, payloadMax: FrameHead.payloadMax) {
    case .incomplete:
      return false
    case .malformed(let problem):
      carryOut(machine.malformed(problem), nil)
      return false
    case .frame(let head, let payload):
      carryOut(machine.receive(head, payload), payload)
      return true
    }
  }

  private func carryOut(_ action: ClientAction<Waiter>, _ payload: UnsafeRawBufferPointer?) {
    let payload = payload ?? UnsafeRawBufferPointer(start: nil, count: 0)
    switch action {
    case .nothing: return
    case .greeted(let reply): greeted.succeed(reply)
    case .reply(let waiter): answer(waiter, .reply(payload))
    case .item(let waiter): answer(waiter, .item(payload))
    case .end(let waiter): answer(waiter, .end(payload))
    case .fail(let waiter, let error): answer(waiter, .failed(.rpc(error)))
    case .ping: append(.ping)
    case .pong: append(.pong)
    case .close(let reason):
      loss = reason
      context?.close(promise: nil)
    }
    if !machine.isOpen { status.isUsable = false }
  }

  private func answer(_ waiter: Waiter, _ reply: ClientReply) {
    switch waiter {
    case .closure(let answer): answer(reply)
    case .sink(let sink, let tag): sink.received(tag, reply)
    }
  }
}
