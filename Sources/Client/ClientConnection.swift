package import MusterBytes
package import MusterProtocol
package import NIOCore
internal import NIOPosix

/// A connection to one server, after the handshake.
package final class ClientConnection: Sendable {
  package let loop: any EventLoop
  package let server: HelloReply
  private let handler: NIOLoopBound<ClientHandler>
  private let status: ConnectionStatus

  private init(
    _ handler: NIOLoopBound<ClientHandler>, _ status: ConnectionStatus, _ loop: any EventLoop, _ server: HelloReply
  ) {
    self.loop = loop
    self.server = server
    self.status = status
    self.handler = handler
  }

  /// False when it is known that no call can be begun any more.
  package var isUsable: Bool { status.isUsable }

  /// Connects and shakes hands. The future fails with a `ClientError`.
  package static func connect(
    host: String, port: Int, hello: Hello, on loop: any EventLoop
  ) -> EventLoopFuture<ClientConnection> {
    loop.flatSubmit {
      let greeted = loop.makePromise(of: HelloReply.self)
      let status = ConnectionStatus()
      let handler = NIOLoopBound(ClientHandler(hello, greeted, status), eventLoop: loop)
      ClientBootstrap(group: loop)
        .connectTimeout(.seconds(5))
        .channelOption(.socketOption(.tcp_nodelay), value: 1)
        .channelInitializer { channel in
          channel.eventLoop.makeCompletedFuture { try channel.pipeline.syncOperations.addHandler(handler.value) }
        }
        .connect(host: host, port: port)
        .whenFailure { _ in greeted.fail(ClientError.notReachable("nothing answers on \(host):\(port)")) }
      return greeted.futureResult.map { ClientConnection(handler, status, loop, $0) }
    }
  }

  // MARK: Calls

  /// Begins a call; `answer` is called on the loop with everything that comes back for it.
  ///
  /// - Parameters:
  ///   - credit: of a stream, how many elements may come at first.
  ///   - milliseconds: of another call, the time until its deadline; 0 for none.
  /// - Returns: its number, or 0 when it could not be begun; `answer` was told why.
  /// - Precondition: called on the loop.
  @discardableResult
  package func begin(
    _ method: Method, credit: UInt32 = 0, within milliseconds: UInt32 = 0, _ payload: [UInt8],
    _ answer: @escaping (ClientReply) -> Void
  ) -> UInt32 {
    let argument = method.isStream ? credit : milliseconds
    return payload.withUnsafeBytes { handler.value.begin(method, argument: argument, $0, .closure(answer)) }
  }

  /// Begins a call for those who want many in flight, with neither tasks nor allocations: `sink` is told `tag` with
  /// everything that comes back.
  ///
  /// - Precondition: called on the loop.
  @discardableResult
  package func begin(
    _ method: Method, credit: UInt32 = 0, _ payload: UnsafeRawBufferPointer, to sink: any ReplySink, tag: UInt64
  ) -> UInt32 {
    handler.value.begin(method, argument: credit, payload, .sink(sink, tag: tag))
  }

  /// Sends a request and waits for its reply.
  ///
  /// - Parameter milliseconds: how long at most; 0 for as long as the server is there.
  package func call<Reply: Message>(
    _ method: Method, _ request: some Message, within milliseconds: UInt32 = 0, _: Reply.Type = Reply.self
  ) async throws(ClientError) -> Reply {
    let payload = request.encoded()
    let result = await withCheckedContinuation {
      (continuation: CheckedContinuation<Result<[UInt8], ClientError>, Never>) in
      loop.execute { [self] in
        begin(method, within: milliseconds, payload) { reply in
          switch reply {
          case .reply(let bytes), .end(let bytes): continuation.resume(returning: .success(Array(bytes)))
          case .failed(let error): continuation.resume(returning: .failure(error))
          case .item: return
          }
        }
      }
    }
    return try ClientConnection.decode(try result.get())
  }

  static func decode<M: Message>(_ bytes: [UInt8]) throws(ClientError) -> M {
    do throws(WireError) {
      return try M(bytes: bytes)
    } catch {
      throw .confused("a \(M.self) cannot be read: \(error)")
    }
  }

  /// Begins a stream. Its elements come as they are asked for, at most `window` ahead.
  package func stream(_ method: Method, _ request: some Message, window: UInt32 = 256) -> ClientStream {
    ClientStream(self, method, request.encoded(), window)
  }

  /// Grants a stream more elements.
  ///
  /// - Precondition: called on the loop.
  package func grantOnLoop(_ call: UInt32, _ credit: UInt32) { handler.value.grant(call, credit) }

  func grant(_ call: UInt32, _ credit: UInt32) {
    loop.execute { [self] in handler.value.grant(call, credit) }
  }

  /// Calls a stream off, if it is open. Its number is looked up on the loop, after it was begun there.
  func cancel(_ call: StreamCredit) {
    loop.execute { [self] in handler.value.cancel(call.number) }
  }

  package func close() {
    loop.execute { [self] in handler.value.close() }
  }
}
