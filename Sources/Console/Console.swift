package import NIOCore
internal import NIOHTTP1
internal import NIOPosix

/// What the console says. Called on the loop that it was started on.
package struct ConsolePages {
  package var metrics: () -> String
  /// The process works.
  package var healthy: () -> (isGood: Bool, text: String)
  /// Commands are taken.
  package var ready: () -> (isGood: Bool, text: String)

  package init(
    metrics: @escaping () -> String, healthy: @escaping () -> (isGood: Bool, text: String),
    ready: @escaping () -> (isGood: Bool, text: String)
  ) {
    self.metrics = metrics
    self.healthy = healthy
    self.ready = ready
  }
}

/// A small HTTP server for machines that watch machines: `/metrics`, `/healthz`, `/readyz`.
package enum Console {
  /// How long a client may be silent.
  private static let idleSeconds: Int64 = 30

  /// Begins to listen on the loop of `pages`.
  package static func start(
    host: String, port: Int, on loop: any EventLoop, _ pages: ConsolePages
  ) -> EventLoopFuture<any Channel> {
    let bound = NIOLoopBound(pages, eventLoop: loop)
    return ServerBootstrap(group: loop)
      .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
      .childChannelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          let pipeline = channel.pipeline.syncOperations
          try pipeline.addHandler(IdleStateHandler(readTimeout: .seconds(idleSeconds)))
          try pipeline.configureHTTPServerPipeline(withPipeliningAssistance: true, withErrorHandling: true)
          try pipeline.addHandler(ConsoleHandler(bound.value))
        }
      }
      .bind(host: host, port: port)
  }
}

/// Answers one request after the other.
private final class ConsoleHandler: ChannelInboundHandler {
  typealias InboundIn = HTTPServerRequestPart
  typealias OutboundOut = HTTPServerResponsePart

  private let pages: ConsolePages
  private var head: HTTPRequestHead?

  init(_ pages: ConsolePages) { self.pages = pages }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    switch unwrapInboundIn(data) {
    case .head(let head): self.head = head
    case .body: return
    case .end:
      guard let head else { return }
      answer(head, context)
      self.head = nil
    }
  }

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    if event is IdleStateHandler.IdleStateEvent { context.close(promise: nil) }
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

  private func answer(_ request: HTTPRequestHead, _ context: ChannelHandlerContext) {
    guard request.method == .GET || request.method == .HEAD else {
      return send(.methodNotAllowed, "only GET and HEAD\n", request, context)
    }
    switch request.uri.prefix(while: { $0 != "?" }) {
    case "/metrics": send(.ok, pages.metrics(), request, context)
    case "/healthz": send(pages.healthy(), request, context)
    case "/readyz": send(pages.ready(), request, context)
    default: send(.notFound, "there are /metrics, /healthz and /readyz\n", request, context)
    }
  }

  private func send(
    _ page: (isGood: Bool, text: String), _ request: HTTPRequestHead, _ context: ChannelHandlerContext
  ) {
    send(page.isGood ? .ok : .serviceUnavailable, page.text, request, context)
  }

  private func send(
    _ status: HTTPResponseStatus, _ text: String, _ request: HTTPRequestHead, _ context: ChannelHandlerContext
  ) {
    var headers = HTTPHeaders()
    headers.add(name: "content-type", value: "text/plain; version=0.0.4; charset=utf-8")
    headers.add(name: "content-length", value: String(text.utf8.count))
    if !request.isKeepAlive { headers.add(name: "connection", value: "close") }
    context.write(
      wrapOutboundOut(.head(HTTPResponseHead(version: request.version, status: status, headers: headers))), promise: nil
    )
    if request.method != .HEAD {
      context.write(wrapOutboundOut(.body(.byteBuffer(ByteBuffer(string: text)))), promise: nil)
    }
    context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
    if !request.isKeepAlive { context.close(promise: nil) }
  }
}
