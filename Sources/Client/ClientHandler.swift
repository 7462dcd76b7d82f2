internal import MusterBytes
internal import MusterProtocol
internal import NIOCore

/// The client's end of a connection: which calls wait, and which frames answer them.
final class ClientHandler: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer
  typealias OutboundOut = ByteBuffer

  private let hello: Hello
  private let greeted: EventLoopPromise<HelloReply>
  private var context: ChannelHandlerContext?
  private var partial = ByteBuffer()
  private var outgoing = ByteBuffer()
  private var isFlushing = false
  private var isGreeted = false
  private var waiting: [UInt32: (ClientReply) -> Void] = [:]
  private var nextCall: UInt32 = 1
  private var problem: ClientError?

  init(_ hello: Hello, _ greeted: EventLoopPromise<HelloReply>) {
    self.hello = hello
    self.greeted = greeted
  }

  func channelActive(context: ChannelHandlerContext) {
    self.context = context
    send(.hello, payload: hello.encoded())
  }

  func channelInactive(context: ChannelHandlerContext) {
    self.context = nil
    end(problem ?? .outcomeUnknown("the connection was closed"))
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    if problem == nil { problem = .outcomeUnknown("the connection failed: \(error)") }
    context.close(promise: nil)
  }

  /// Everything that waits has no answer any more.
  private func end(_ error: ClientError) {
    let calls = waiting.sorted { $0.key < $1.key }
    waiting = [:]
    if !isGreeted {
      greeted.fail(problem ?? ClientError.notReachable("the connection was closed before the handshake"))
    }
    for (_, answer) in calls { answer(.failed(error)) }
  }

  // MARK: Sending

  /// Begins a call; `answer` is called on the loop with everything that comes back for it.
  func begin(
    _ method: UInt16, credit: UInt32, _ payload: [UInt8], _ answer: @escaping (ClientReply) -> Void
  ) -> UInt32 {
    guard context != nil else {
      answer(.failed(.notReachable("the connection is closed")))
      return 0
    }
    guard payload.count <= FrameHead.payloadMax else {
      answer(.failed(.rpc(RPCError(.tooLarge, "the request has more than \(FrameHead.payloadMax) bytes"))))
      return 0
    }
    repeat { nextCall = nextCall &+ 1 } while nextCall == 0 || waiting[nextCall] != nil
    waiting[nextCall] = answer
    send(.request, method: method, call: nextCall, argument: credit, payload: payload)
    return nextCall
  }

  func grant(_ call: UInt32, _ credit: UInt32) {
    if waiting[call] != nil { send(.credit, call: call, argument: credit, payload: []) }
  }

  func cancel(_ call: UInt32) {
    if waiting.removeValue(forKey: call) != nil { send(.cancel, call: call, payload: []) }
  }

  private func send(
    _ kind: WireKind, method: UInt16 = 0, call: UInt32 = 0, argument: UInt32 = 0, payload: [UInt8]
  ) {
    outgoing.writeInteger(UInt32(payload.count), endianness: .little)
    outgoing.writeInteger(kind.rawValue)
    outgoing.writeInteger(UInt8(0))
    outgoing.writeInteger(method, endianness: .little)
    outgoing.writeInteger(call, endianness: .little)
    outgoing.writeInteger(argument, endianness: .little)
    outgoing.writeBytes(payload)
    guard !isFlushing, let context else { return }
    isFlushing = true
    context.eventLoop.assumeIsolated().execute { [self] in flush() }
  }

  private func flush() {
    isFlushing = false
    guard let context, outgoing.readableBytes > 0 else { return }
    context.writeAndFlush(wrapOutboundOut(outgoing), promise: nil)
    outgoing = ByteBuffer()
  }

  func close() { context?.close(promise: nil) }

  // MARK: Receiving

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    var buffer = unwrapInboundIn(data)
    if partial.readableBytes > 0 {
      partial.writeBuffer(&buffer)
      swap(&partial, &buffer)
      partial = ByteBuffer()
    }
    let used = buffer.withUnsafeReadableBytes { takeFrames($0) }
    buffer.moveReaderIndex(forwardBy: used)
    if buffer.readableBytes > 0 { partial = buffer }
  }

  private func takeFrames(_ bytes: UnsafeRawBufferPointer) -> Int {
    var offset = 0
    while true {
      let rest = UnsafeRawBufferPointer(rebasing: bytes[offset...])
      switch FrameHead.look(rest) {
      case .incomplete: return offset
      case .malformed(let text):
        fail(.confused(text))
        return bytes.count
      case .frame(let head):
        let end = FrameHead.byteCount + Int(head.length)
        take(head, UnsafeRawBufferPointer(rebasing: rest[FrameHead.byteCount..<end]))
        offset += end
      }
    }
  }

  private func take(_ head: FrameHead, _ payload: UnsafeRawBufferPointer) {
    switch head.kind {
    case .helloReply:
      guard !isGreeted, let reply = try? HelloReply(bytes: payload) else { return fail(.confused("a hello reply")) }
      isGreeted = true
      greeted.succeed(reply)
    case .reply: answer(head.call, .reply(payload))
    case .item: answer(head.call, .item(payload))
    case .end: answer(head.call, .end(payload))
    case .error: takeError(head.call, payload)
    case .ping: send(.pong, payload: [])
    case .pong: return
    case .hello, .request, .credit, .cancel: fail(.confused("a server does not send frames of kind \(head.kind)"))
    }
  }

  private func takeError(_ call: UInt32, _ payload: UnsafeRawBufferPointer) {
    let error = (try? RPCError(bytes: payload)) ?? RPCError(.internalFault, "the server's error cannot be read")
    if call == 0 {
      fail(.rpc(error))
    } else {
      answer(call, .failed(.rpc(error)))
    }
  }

  private func answer(_ call: UInt32, _ reply: ClientReply) {
    let handler = reply.isFinal ? waiting.removeValue(forKey: call) : waiting[call]
    handler?(reply)
  }

  private func fail(_ error: ClientError) {
    problem = error
    context?.close(promise: nil)
  }
}
