package import MusterBytes
package import MusterProtocol
package import NIOCore
internal import NIOPosix

/// A connection to one server, after the handshake.
package final class ClientConnection: Sendable {
  package let loop: any EventLoop
  package let server: HelloReply
  private let handler: NIOLoopBound<ClientHandler>

  private init(_ handler: ClientHandler, _ loop: any EventLoop, _ server: HelloReply) {
    self.loop = loop
    self.server = server
    self.handler = NIOLoopBound(handler, eventLoop: loop)
  }

  /// Connects and shakes hands.
  package static func connect(
    host: String, port: Int, hello: Hello, on loop: any EventLoop
  ) -> EventLoopFuture<ClientConnection> {
    let promise = loop.makePromise(of: HelloReply.self)
    let box = loop.submit { NIOLoopBound(ClientHandler(hello, promise), eventLoop: loop) }
    return box.flatMap { box in
      ClientBootstrap(group: loop)
        .connectTimeout(.seconds(5))
        .channelOption(.socketOption(.tcp_nodelay), value: 1)
        .channelInitializer { channel in
          channel.eventLoop.makeCompletedFuture { try channel.pipeline.syncOperations.addHandler(box.value) }
        }
        .connect(host: host, port: port)
        .flatMapError { error in
          promise.fail(ClientError.notReachable("\(host):\(port): \(error)"))
          return loop.makeFailedFuture(ClientError.notReachable("nothing answers on \(host):\(port)"))
        }
        .flatMap { _ in promise.futureResult }
        .map { ClientConnection(box.value, loop, $0) }
    }
  }

  // MARK: Calls

  /// Begins a call; `answer` is called on the loop. For those who want many calls in flight without tasks.
  ///
  /// - Precondition: called on the loop.
  @discardableResult
  package func begin(
    _ method: Method, credit: UInt32 = 0, _ payload: [UInt8], _ answer: @escaping (ClientReply) -> Void
  ) -> UInt32 {
    handler.value.begin(method.rawValue, credit: credit, payload, answer)
  }

  /// Sends a request and waits for its reply.
  package func call<Reply: Message>(
    _ method: Method, _ request: some Message, _: Reply.Type = Reply.self
  ) async throws(ClientError) -> Reply {
    let payload = request.encoded()
    let result = await withCheckedContinuation {
      (continuation: CheckedContinuation<Result<[UInt8], ClientError>, Never>) in
      loop.execute { [self] in
        begin(method, payload) { reply in
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

  func cancel(_ call: UInt32) {
    loop.execute { [self] in handler.value.cancel(call) }
  }

  package func close() {
    loop.execute { [self] in handler.value.close() }
  }
}

/// An element of a stream.
package enum StreamElement: Sendable {
  case item([UInt8])
  case end([UInt8])
}

/// A stream of elements, with the credit that keeps the server from sending more than is read.
package final class ClientStream: Sendable {
  private let connection: ClientConnection
  private let source: AsyncThrowingStream<StreamElement, any Error>
  private let call: StreamCredit

  init(_ connection: ClientConnection, _ method: Method, _ payload: [UInt8], _ window: UInt32) {
    self.connection = connection
    let call = StreamCredit(window)
    self.call = call
    let (source, continuation) = AsyncThrowingStream<StreamElement, any Error>.makeStream()
    self.source = source
    connection.loop.execute {
      let number = connection.begin(method, credit: window, payload) { reply in
        switch reply {
        case .item(let bytes): continuation.yield(.item(Array(bytes)))
        case .end(let bytes), .reply(let bytes):
          continuation.yield(.end(Array(bytes)))
          continuation.finish()
        case .failed(let error): continuation.finish(throwing: error)
        }
      }
      call.begin(number)
    }
  }

  /// Calls `body` with each element until it returns false or the stream ends, and grants more as they are read.
  package func forEach(_ body: (StreamElement) async throws -> Bool) async throws {
    for try await element in source {
      if let (number, credit) = call.consumed() { connection.grant(number, credit) }
      guard try await body(element) else {
        connection.cancel(call.number)
        return
      }
    }
  }
}
