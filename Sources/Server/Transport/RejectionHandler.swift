internal import MusterBytes
internal import MusterProtocol
internal import NIOCore

/// Tells a client that there are too many of them already, and closes.
final class RejectionHandler: ChannelInboundHandler, Sendable {
  typealias InboundIn = ByteBuffer
  typealias OutboundOut = ByteBuffer

  func channelActive(context: ChannelHandlerContext) {
    let error = RPCError(
      .tooMany, "this server has as many connections as it takes (\(Server.connectionsMax))",
      retryAfterMilliseconds: 1000
    ).encoded()
    var writer = ByteWriter()
    FrameHead(.error, length: error.count).encode(into: &writer)
    writer.raw(error)
    context.writeAndFlush(wrapOutboundOut(ByteBuffer(bytes: writer.bytes)), promise: nil)
    context.close(promise: nil)
  }
}
