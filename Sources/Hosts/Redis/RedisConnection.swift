internal import Glibc
internal import MusterHosting
package import NIOCore
internal import NIOPosix

/// A connection to a Redis server: commands go out, values come back in their order.
package final class RedisConnection: Sendable {
  private let channel: any Channel
  private let handler: NIOLoopBound<RedisHandler>

  private init(_ channel: any Channel, _ handler: NIOLoopBound<RedisHandler>) {
    self.channel = channel
    self.handler = handler
  }

  /// - Parameters:
  ///   - address: HOST:PORT.
  ///   - pushed: is told, on the connection's loop, of what the server says without being asked.
  package static func connect(
    _ address: String, within time: TimeAmount = .milliseconds(500), pushed: (@Sendable ([RESPValue]) -> Void)? = nil
  ) async throws -> RedisConnection {
    do { return try await open(address, within: time, pushed) } catch let error as HostProblem { throw error } catch {
      throw HostProblem.notNow("nothing answers on \(address)")
    }
  }

  /// - Throws: why there is no connection, as the network says it.
  private static func open(
    _ address: String, within time: TimeAmount, _ pushed: (@Sendable ([RESPValue]) -> Void)? = nil
  ) async throws -> RedisConnection {
    guard let (host, port) = RedisConnection.parts(address) else { throw HostProblem.notNow("no address: \(address)") }
    let loop = MultiThreadedEventLoopGroup.singleton.any()
    let handler = try await loop.submit { NIOLoopBound(RedisHandler(pushed), eventLoop: loop) }.get()
    let channel = try await ClientBootstrap(group: loop)
      .connectTimeout(time)
      .channelOption(.socketOption(.tcp_nodelay), value: 1)
      .channelInitializer { channel in
        channel.eventLoop.makeCompletedFuture { try channel.pipeline.syncOperations.addHandler(handler.value) }
      }
      .connect(host: host, port: port).get()
    return RedisConnection(channel, handler)
  }

  /// - Returns: nil when the machine itself says that nothing listens there.
  /// - Throws: when it cannot be said.
  static func connectIfListening(_ address: String, within time: TimeAmount) async throws -> RedisConnection? {
    do { return try await open(address, within: time) } catch let error as NIOConnectionError {
      let isRefused = error.connectionErrors.allSatisfy { ($0.error as? IOError)?.errnoCode == ECONNREFUSED }
      guard isRefused, !error.connectionErrors.isEmpty else { throw error }
      return nil
    }
  }

  package static func parts(_ address: String) -> (host: String, port: Int)? {
    guard let colon = address.lastIndex(of: ":"), let port = UInt16(address[address.index(after: colon)...]), port > 0
    else { return nil }
    return (String(address[..<colon]), Int(port))
  }

  package var isOpen: Bool { channel.isActive }

  /// Sends a command and waits for its value. An error that Redis answers is thrown in its words.
  package func call(_ words: String..., within time: TimeAmount = .seconds(2)) async throws -> RESPValue {
    try await call(words, within: time)
  }

  package func call(_ words: [String], within time: TimeAmount = .seconds(2)) async throws -> RESPValue {
    try await call(words.map { Array($0.utf8) }, within: time)
  }

  /// The same of words that may be no text.
  package func call(_ words: [[UInt8]], within time: TimeAmount = .seconds(2)) async throws -> RESPValue {
    let value: RESPValue
    do {
      let promise = channel.eventLoop.makePromise(of: RESPValue.self)
      channel.eventLoop.execute { self.handler.value.send(words, within: time, promise) }
      value = try await promise.futureResult.get()
    } catch {
      throw HostProblem.notNow("no answer to \(String(decoding: words.first ?? [], as: UTF8.self))")
    }
    if case .error(let problem) = value { throw RedisError(problem) }
    return value
  }

  /// Sends many commands at once.
  ///
  /// - Returns: their values in the same order, also those that are errors.
  func pipeline(_ commands: [[[UInt8]]], within time: TimeAmount = .seconds(30)) async throws -> [RESPValue] {
    let loop = channel.eventLoop
    do {
      return try await loop.flatSubmit {
        let promises = commands.map { words in
          let promise = loop.makePromise(of: RESPValue.self)
          self.handler.value.send(words, within: time, promise)
          return promise.futureResult
        }
        return EventLoopFuture.whenAllSucceed(promises, on: loop)
      }.get()
    } catch {
      throw HostProblem.notNow("no answer to \(String(decoding: commands.first?.first ?? [], as: UTF8.self))")
    }
  }

  package func close() { channel.close(promise: nil) }
}

/// What Redis says instead of doing what it was told.
package struct RedisError: Error, CustomStringConvertible {
  package var description: String

  init(_ description: String) { self.description = description }

  /// It will answer once its data is read from disk.
  var isLoading: Bool { description.hasPrefix("LOADING") }
}

/// Runs on the connection's loop.
private final class RedisHandler: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer
  typealias OutboundOut = ByteBuffer

  private var parser = RESPParser()
  private var waiting: CircularBuffer<EventLoopPromise<RESPValue>> = []
  private var context: ChannelHandlerContext?
  private let pushed: (@Sendable ([RESPValue]) -> Void)?

  init(_ pushed: (@Sendable ([RESPValue]) -> Void)?) { self.pushed = pushed }

  func channelActive(context: ChannelHandlerContext) { self.context = context }

  func channelInactive(context: ChannelHandlerContext) {
    self.context = nil
    while let promise = waiting.popFirst() { promise.fail(ChannelError.ioOnClosedChannel) }
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

  func send(_ words: [[UInt8]], within time: TimeAmount, _ promise: EventLoopPromise<RESPValue>) {
    guard let context else { return promise.fail(ChannelError.ioOnClosedChannel) }
    var buffer = context.channel.allocator.buffer(capacity: 256)
    buffer.writeString("*\(words.count)\r\n")
    for word in words {
      buffer.writeString("$\(word.count)\r\n")
      buffer.writeBytes(word)
      buffer.writeString("\r\n")
    }
    waiting.append(promise)
    context.writeAndFlush(wrapOutboundOut(buffer), promise: nil)
    // Values come in order: when one is late, what comes after it cannot be told apart.
    let deadline = context.eventLoop.assumeIsolated().scheduleTask(in: time) { [weak self] in
      self?.context?.close(promise: nil)
    }
    promise.futureResult.whenComplete { _ in deadline.cancel() }
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    parser.append(unwrapInboundIn(data).readableBytesView)
    do {
      while let value = try parser.next() {
        if case .push(let values) = value, let pushed {
          pushed(values)
          continue
        }
        guard let promise = waiting.popFirst() else { return context.close(promise: nil) }
        promise.succeed(value)
      }
    } catch {
      context.close(promise: nil)
    }
  }
}
