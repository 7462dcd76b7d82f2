package import MusterBytes
package import MusterCluster
internal import MusterPeers
package import MusterProtocol
internal import NIOCore
internal import NIOPosix

/// Where servers are: HOST:PORT, separated by commas.
package struct ServerList: Sendable {
  package var addresses: [(host: String, port: Int)]

  /// Nil when the text is no such list.
  package init?(_ text: String) {
    addresses = []
    for part in text.split(separator: ",", omittingEmptySubsequences: false) {
      guard let colon = part.lastIndex(of: ":"), let port = UInt16(part[part.index(after: colon)...]), port > 0 else {
        return nil
      }
      var host = String(part[..<colon])
      if host.hasPrefix("[") && host.hasSuffix("]") { host = String(host.dropFirst().dropLast()) }
      guard !host.isEmpty else { return nil }
      addresses.append((host, Int(port)))
    }
  }
}

/// A client of a cluster: connects to the first server that answers, and anew when the connection is lost.
///
/// Used by one task at a time.
package actor Client {
  private let servers: ServerList
  private var hello: Hello
  private var connection: ClientConnection?

  package init(_ servers: ServerList, hello: Hello) {
    self.servers = servers
    self.hello = hello
  }

  /// The connection, made if there is none.
  package func connected() async throws(ClientError) -> ClientConnection {
    if let connection, connection.isUsable { return connection }
    var last = ClientError.notReachable("no server is given")
    for (host, port) in servers.addresses {
      do {
        let loop = MultiThreadedEventLoopGroup.singleton.any()
        let fresh = try await ClientConnection.connect(host: host, port: port, hello: hello, on: loop).get()
        // The cluster that answered first stays the one: one that was restored from it is another.
        hello.clusterID = fresh.server.clusterID
        connection = fresh
        return fresh
      } catch let error as ClientError {
        last = error
      } catch {
        last = .notReachable("\(host):\(port): \(error)")
      }
    }
    throw last
  }

  /// Calls once. A connection that failed is not used again.
  ///
  /// - Parameter milliseconds: how long the answer may take; 0 for as long as the server is there.
  package func call<Reply: Message>(
    _ method: Method, _ request: some Message, within milliseconds: UInt32 = 0, _: Reply.Type = Reply.self
  ) async throws(ClientError) -> Reply {
    let connection = try await connected()
    do throws(ClientError) {
      return try await connection.call(method, request, within: milliseconds)
    } catch {
      if !error.isAnswer { drop(connection) }
      throw error
    }
  }

  /// Executes a command, and again with the same request id after the connection was lost, until there is an answer.
  ///
  /// - Parameters:
  ///   - attempts: how often it is tried at most.
  ///   - pause: waits for so many milliseconds between tries.
  package func execute(
    _ request: Request, attempts: Int, pause: @Sendable (UInt64) async -> Void = Client.sleep
  ) async throws(ClientError) -> ExecuteReply {
    var policy = RetryPolicy(attempts: attempts)
    while true {
      do throws(ClientError) {
        return try await call(.execute, request)
      } catch {
        let decision = policy.decide(
          error.failure, isRepeatable: !request.client.isEmpty, spread: UInt64.random(in: 0...UInt64.max))
        guard case .again(let milliseconds) = decision else { throw error }
        await pause(milliseconds)
      }
    }
  }

  /// Waits, or less when the task is cancelled.
  package static func sleep(milliseconds: UInt64) async {
    try? await Task.sleep(for: .milliseconds(Int64(clamping: milliseconds)))
  }

  package func stream(_ method: Method, _ request: some Message, window: UInt32 = 256) async throws(ClientError)
    -> ClientStream
  {
    try await connected().stream(method, request, window: window)
  }

  private func drop(_ lost: ClientConnection) {
    if connection === lost { connection = nil }
    lost.close()
  }

  package func close() {
    connection?.close()
    connection = nil
  }
}

extension ClientError {
  /// True when the server answered, and the connection is as good as before.
  var isAnswer: Bool {
    if case .rpc(let error) = self { error.code != .malformed } else { false }
  }

  var failure: CallFailure {
    switch self {
    case .notReachable: .lost(.nothingHappened)
    case .outcomeUnknown: .lost(.outcomeUnknown)
    case .rpc(let error): .answered(error)
    case .confused: .confused
    }
  }

  /// True when the same request may succeed later.
  package var isWorthRetrying: Bool {
    var policy = RetryPolicy(attempts: 2)
    return policy.decide(failure, isRepeatable: true, spread: 0) != .giveUp
  }
}
