import MusterBytes
import MusterProtocol
import NIOCore
import NIOPosix

/// Greets, and then answers nothing.
final class MuteServer: Sendable {
  let port: Int
  private let channel: any Channel

  static func start(closesAfterRequest: Bool) async throws -> MuteServer {
    let channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
      .childChannelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          try channel.pipeline.syncOperations.addHandler(MuteHandler(closesAfterRequest: closesAfterRequest))
        }
      }
      .bind(host: "127.0.0.1", port: 0).get()
    return MuteServer(channel)
  }

  private init(_ channel: any Channel) {
    self.channel = channel
    port = channel.localAddress?.port ?? 0
  }

  func stop() async throws { try await channel.close() }
}

private final class MuteHandler: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer
  typealias OutboundOut = ByteBuffer

  private let closesAfterRequest: Bool
  private var frames = FrameAssembler()

  init(closesAfterRequest: Bool) { self.closesAfterRequest = closesAfterRequest }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    unwrapInboundIn(data).withUnsafeReadableBytes { bytes in
      var rest = bytes
      while case .frame(let head, _) = frames.next(from: &rest, payloadMax: FrameHead.payloadMax) {
        if head.kind == .hello { greet(context) }
        if head.kind == .request, closesAfterRequest { context.close(promise: nil) }
      }
    }
  }

  private func greet(_ context: ChannelHandlerContext) {
    var reply = HelloReply()
    reply.version = 1
    reply.callsMax = 16
    let payload = reply.encoded()
    var writer = ByteWriter()
    FrameHead(.helloReply, length: payload.count).encode(into: &writer)
    writer.raw(payload)
    context.writeAndFlush(wrapOutboundOut(ByteBuffer(bytes: writer.bytes)), promise: nil)
  }
}
