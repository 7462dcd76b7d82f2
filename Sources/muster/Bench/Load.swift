internal import MusterCluster

import MusterClient
import MusterProtocol
import MusterServer
import NIOCore
import NIOPosix

/// Closed-loop clients on one event loop: each asks anew as soon as it has its answer.
final class Load {
  private let connections: [ClientConnection]
  private let loop: any EventLoop
  private let pipeline: Int
  private let clients: Int
  private let method: Method
  private let request: (_ client: Int, _ number: UInt64) -> [UInt8]
  /// Nil when the reply is as it should be.
  private let check: (UnsafeRawBufferPointer) -> String?
  private var measurement = Measurement()
  private var numbers: [UInt64]
  private var inFlight = 0
  private var deadline: UInt64 = 0
  private var done: EventLoopPromise<Void>?

  private init(
    _ connections: [ClientConnection], _ options: LoadOptions, _ method: Method,
    _ request: @escaping (Int, UInt64) -> [UInt8], _ check: @escaping (UnsafeRawBufferPointer) -> String?
  ) {
    self.connections = connections
    loop = connections[0].loop
    pipeline = options.pipeline
    clients = options.clients
    self.method = method
    self.request = request
    self.check = check
    numbers = [UInt64](repeating: 0, count: options.clients)
  }

  /// Runs the load and returns what was measured, and how long it took in microseconds.
  static func run(
    _ options: LoadOptions, _ method: Method, _ request: @escaping @Sendable (Int, UInt64) -> [UInt8],
    _ check: @escaping @Sendable (UnsafeRawBufferPointer) -> String?
  ) async throws -> (Measurement, UInt64) {
    let loop = MultiThreadedEventLoopGroup.singleton.any()
    var connections: [ClientConnection] = []
    for _ in 0..<(options.connections ?? options.clients) {
      connections.append(try await connect(options.server, loop))
    }
    let ready = connections
    let start = Clock.microseconds()
    let finished = try await loop.flatSubmit { () -> EventLoopFuture<Measurement> in
      let load = Load(ready, options, method, request, check)
      return load.start(seconds: options.seconds)
    }.get()
    for connection in connections { connection.close() }
    return (finished, Clock.microseconds() - start)
  }

  static func connect(_ server: String?, _ loop: any EventLoop) async throws -> ClientConnection {
    let text = server ?? Terminal.environment("MUSTER_SERVER") ?? "127.0.0.1:7400"
    guard let address = ServerList(text)?.addresses.first else { throw Failure.usage("\"\(text)\" is no HOST:PORT") }
    let hello = Hello(principal: Terminal.userName, kind: .service, software: Connection.software)
    do {
      return try await ClientConnection.connect(host: address.host, port: address.port, hello: hello, on: loop).get()
    } catch {
      throw Failure(error)
    }
  }

  private func start(seconds: Int) -> EventLoopFuture<Measurement> {
    let promise = loop.makePromise(of: Void.self)
    done = promise
    deadline = Clock.microseconds() + UInt64(seconds) * 1_000_000
    for client in 0..<clients {
      for _ in 0..<pipeline { ask(client) }
    }
    return promise.futureResult.assumeIsolated().map { [self] in measurement }.nonisolated()
  }

  private func ask(_ client: Int) {
    numbers[client] += 1
    inFlight += 1
    let began = Clock.microseconds()
    connections[client % connections.count].begin(method, request(client, numbers[client])) { [self] reply in
      answered(client, began, reply)
    }
  }

  private func answered(_ client: Int, _ began: UInt64, _ reply: ClientReply) {
    let now = Clock.microseconds()
    inFlight -= 1
    switch reply {
    case .reply(let bytes), .end(let bytes), .item(let bytes):
      if let problem = check(bytes) { measurement.fail(problem) } else { measurement.record(now - began) }
    case .failed(let error):
      measurement.fail("\(error)")
    }
    if now < deadline, measurement.errors < 1000 {
      ask(client)
    } else if inFlight == 0 {
      done?.succeed()
      done = nil
    }
  }
}
