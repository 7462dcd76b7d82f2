internal import MusterBytes
internal import MusterHosting
internal import NIOCore
internal import NIOPosix
internal import Synchronization

/// Answers other agents that ask for files. It has a thread of its own: disks may be slow.
final class FileServer: Sendable {
  let port: Int
  private let group: MultiThreadedEventLoopGroup
  private let channel: any Channel

  /// Connections at once, and how long one may say nothing.
  private static let connectionsMax = 64
  private static let silenceMax = TimeAmount.seconds(30)

  /// - Parameter answer: what is asked for, or nil when it is not there.
  init(_ host: String, _ ports: ClosedRange<UInt16>?, _ answer: @escaping @Sendable (FileProtocol.Request) -> [UInt8]?)
    async throws
  {
    group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
    let open = OpenConnections()
    let bootstrap = ServerBootstrap(group: group)
      .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
      .childChannelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          guard open.enter(atMost: FileServer.connectionsMax) else { throw ChannelError.ioOnClosedChannel }
          channel.closeFuture.whenComplete { _ in open.leave() }
          try channel.pipeline.syncOperations.addHandler(IdleStateHandler(readTimeout: FileServer.silenceMax))
          try channel.pipeline.syncOperations.addHandler(FileServerHandler(answer))
        }
      }
    var bound: (any Channel)?
    for port in ports.map({ Array($0) }) ?? [0] {
      bound = try? await bootstrap.bind(host: host, port: Int(port)).get()
      if bound != nil { break }
    }
    guard let bound, let port = bound.localAddress?.port else {
      try? await group.shutdownGracefully()
      throw HostProblem.notNow("no port is free to serve files on")
    }
    (channel, self.port) = (bound, port)
  }

  func close() async {
    try? await channel.close()
    try? await group.shutdownGracefully()
  }
}

private final class OpenConnections: Sendable {
  private let count = Mutex(0)

  func enter(atMost most: Int) -> Bool {
    count.withLock { count in
      guard count < most else { return false }
      count += 1
      return true
    }
  }

  func leave() { count.withLock { $0 -= 1 } }
}

private final class FileServerHandler: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer
  typealias OutboundOut = ByteBuffer

  private let answer: (FileProtocol.Request) -> [UInt8]?
  private var bytes: [UInt8] = []

  init(_ answer: @escaping (FileProtocol.Request) -> [UInt8]?) { self.answer = answer }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    bytes += unwrapInboundIn(data).readableBytesView
    do throws(WireError) {
      // One question at a time: whoever asks more before it has read is not waited for.
      guard let (request, used) = try FileProtocol.request(bytes) else { return }
      bytes.removeFirst(used)
      guard bytes.isEmpty else { return context.close(promise: nil) }
      let content = FileProtocol.answer(answer(request))
      context.writeAndFlush(wrapOutboundOut(ByteBuffer(bytes: content)), promise: nil)
    } catch {
      context.close(promise: nil)
    }
  }

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    if event is IdleStateHandler.IdleStateEvent { context.close(promise: nil) }
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
}
