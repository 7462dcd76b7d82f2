internal import NIOCore
internal import NIOHTTP1

/// Answers one request after the other on one connection, and ends it when a request takes too long or is too large.
final class ConsoleHandler: ChannelInboundHandler {
  typealias InboundIn = HTTPServerRequestPart
  typealias OutboundOut = HTTPServerResponsePart

  /// A request has come whole so long after the connection was made or the last answer was given.
  private static let requestTimeMax = TimeAmount.seconds(30)
  /// No page needs a body; what someone sends all the same is read up to here.
  private static let bodyBytesMax = 64 << 10

  private let pages: ConsolePages
  private let visitors: ConsoleVisitors
  private var head: HTTPRequestHead?
  private var bodyBytes = 0
  private var patience: Scheduled<Void>?

  init(_ pages: ConsolePages, _ visitors: ConsoleVisitors) {
    self.pages = pages
    self.visitors = visitors
  }

  // MARK: Coming and going

  func channelActive(context: ChannelHandlerContext) {
    visitors.count += 1
    if visitors.count > ConsoleVisitors.max { context.close(promise: nil) } else { beginWaiting(context) }
  }

  func channelInactive(context: ChannelHandlerContext) {
    visitors.count -= 1
    patience?.cancel()
  }

  /// However slowly the bytes of a request trickle in, its time runs.
  private func beginWaiting(_ context: ChannelHandlerContext) {
    patience?.cancel()
    let channel = context.channel
    patience = context.eventLoop.scheduleTask(in: ConsoleHandler.requestTimeMax) { channel.close(promise: nil) }
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    if let error = error as? HTTPParserError {
      let isLong = error == .headerOverflow
      answer(isLong ? .requestHeaderFieldsTooLarge : .badRequest, "this is no request of ours\n", nil, context)
    }
    context.close(promise: nil)
  }

  // MARK: Requests

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    switch unwrapInboundIn(data) {
    case .head(let head):
      self.head = head
      bodyBytes = 0
    case .body(let body):
      bodyBytes += body.readableBytes
      guard bodyBytes > ConsoleHandler.bodyBytesMax, head != nil else { return }
      head = nil
      answer(.payloadTooLarge, "requests have no body\n", nil, context)
      context.close(promise: nil)
    case .end:
      guard let head else { return }
      self.head = nil
      answer(head, context)
      beginWaiting(context)
    }
  }

  private func answer(_ request: HTTPRequestHead, _ context: ChannelHandlerContext) {
    guard request.method == .GET || request.method == .HEAD else {
      return answer(.methodNotAllowed, "only GET and HEAD\n", request, context)
    }
    switch request.uri.prefix(while: { $0 != "?" }) {
    case "/metrics": answer(.ok, pages.metrics(), request, context, "text/plain; version=0.0.4; charset=utf-8")
    case "/healthz": answer(pages.healthy(), request, context)
    case "/readyz": answer(pages.ready(), request, context)
    default: answer(.notFound, "there are /metrics, /healthz and /readyz\n", request, context)
    }
  }

  private func answer(
    _ page: (isGood: Bool, text: String), _ request: HTTPRequestHead, _ context: ChannelHandlerContext
  ) {
    answer(page.isGood ? .ok : .serviceUnavailable, page.text, request, context)
  }

  /// - Parameter request: nil when it could not be read, and the connection ends.
  private func answer(
    _ status: HTTPResponseStatus, _ text: String, _ request: HTTPRequestHead?, _ context: ChannelHandlerContext,
    _ contentType: String = "text/plain; charset=utf-8"
  ) {
    let isLast = request?.isKeepAlive != true
    var headers: HTTPHeaders = ["content-type": contentType, "content-length": String(text.utf8.count)]
    if isLast { headers.add(name: "connection", value: "close") }
    if status == .methodNotAllowed { headers.add(name: "allow", value: "GET, HEAD") }
    let head = HTTPResponseHead(version: request?.version ?? .http1_1, status: status, headers: headers)
    context.write(wrapOutboundOut(.head(head)), promise: nil)
    if request?.method != .HEAD {
      context.write(wrapOutboundOut(.body(.byteBuffer(ByteBuffer(string: text)))), promise: nil)
    }
    context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
    if isLast { context.close(promise: nil) }
  }
}
