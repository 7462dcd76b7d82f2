internal import MusterBytes
internal import MusterProtocol
internal import NIOCore

/// Cuts what comes in on one connection into frames, in place, and gathers what goes out into one buffer that is
/// written once a tick.
final class ConnectionHandler: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer
  typealias OutboundOut = ByteBuffer

  /// What a client does not read may wait up to here; then nothing more is read from it.
  static let outgoingMax = 16 << 20

  let id: UInt64
  private(set) var machine: ServerConnection
  private unowned let server: Server
  private var context: ChannelHandlerContext?
  /// A frame that has not come whole yet.
  private var partial = ByteBuffer()
  var outgoing = ByteBuffer()
  private var isDirty = false

  init(id: UInt64, server: Server, machine: ServerConnection) {
    self.id = id
    self.server = server
    self.machine = machine
  }

  func channelActive(context: ChannelHandlerContext) {
    self.context = context
    let loop = context.eventLoop.assumeIsolated()
    loop.scheduleTask(in: .milliseconds(Int64(ServerConnection.greetingMilliseconds))) { [weak self] in
      guard let self else { return }
      self.carryOut(self.machine.greetingTimedOut(), nil)
    }
  }

  func channelInactive(context: ChannelHandlerContext) {
    self.context = nil
    server.connectionClosed(id)
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    var buffer = unwrapInboundIn(data)
    if partial.readableBytes > 0 {
      partial.writeBuffer(&buffer)
      swap(&partial, &buffer)
      partial = ByteBuffer()
    }
    let used = buffer.withUnsafeReadableBytes { takeFrames($0) }
    buffer.moveReaderIndex(forwardBy: used)
    if buffer.readableBytes > 0 && !machine.isClosed { partial = buffer }
    server.endTickSoon()
  }

  /// Takes every whole frame and says how many bytes they were.
  private func takeFrames(_ bytes: UnsafeRawBufferPointer) -> Int {
    var offset = 0
    while !machine.isClosed {
      let rest = UnsafeRawBufferPointer(rebasing: bytes[offset...])
      switch FrameHead.look(rest, payloadMax: machine.payloadMax) {
      case .incomplete: return offset
      case .malformed(let problem):
        carryOut(machine.malformed(problem), nil)
        return bytes.count
      case .frame(let head):
        let end = FrameHead.byteCount + Int(head.length)
        let payload = UnsafeRawBufferPointer(rebasing: rest[FrameHead.byteCount..<end])
        carryOut(machine.receive(head, payload), payload)
        offset += end
      }
    }
    return bytes.count
  }

  private func carryOut(_ action: ServerAction, _ payload: UnsafeRawBufferPointer?) {
    switch action {
    case .nothing: return
    case .greet(let hello, let reply):
      server.connectionOpened(self, hello)
      send(.helloReply, 0, reply.encoded())
    case .request(let call, let method, let credit):
      if let payload { server.request(self, call: call, method: method, credit: credit, payload) }
    case .credit(let call, let amount): server.grant(self, call: call, amount)
    case .cancel(let call): server.cancel(self, call: call)
    case .pong: send(.pong, 0, [])
    case .fail(let call, let error): send(.error, call, error.encoded())
    case .close(let error):
      send(.error, 0, error.encoded())
      flush()
      context?.close(promise: nil)
    }
  }

  // MARK: Sending

  /// Appends a frame to what goes out at the end of the tick.
  func send(_ kind: WireKind, _ call: UInt32, _ payload: some Collection<UInt8>) {
    let bytes = Array(payload)
    bytes.withUnsafeBytes { send(kind, call, $0) }
  }

  func send(_ kind: WireKind, _ call: UInt32, _ payload: UnsafeRawBufferPointer) {
    outgoing.writeInteger(UInt32(payload.count), endianness: .little)
    outgoing.writeInteger(kind.rawValue)
    outgoing.writeInteger(UInt8(0))
    outgoing.writeInteger(UInt16(0), endianness: .little)
    outgoing.writeInteger(call, endianness: .little)
    outgoing.writeInteger(UInt32(0), endianness: .little)
    outgoing.writeBytes(payload)
    if kind == .reply || kind == .end || (kind == .error && call != 0) { noteAnswered() }
    if !isDirty {
      isDirty = true
      server.markDirty(self)
    }
  }

  private func noteAnswered() {
    guard !machine.isClosed, machine.hasOpenCalls else { return }
    machine.answered()
  }

  /// Writes what was gathered.
  func flush() {
    isDirty = false
    guard let context, outgoing.readableBytes > 0 else { return }
    context.writeAndFlush(wrapOutboundOut(outgoing), promise: nil)
    outgoing = ByteBuffer()
  }

  /// A client that does not read what it asked for is not listened to either, until it has read.
  func channelWritabilityChanged(context: ChannelHandlerContext) {
    context.channel.setOption(.autoRead, value: context.channel.isWritable).whenComplete { _ in }
    context.fireChannelWritabilityChanged()
  }

  func close() { context?.close(promise: nil) }
}
