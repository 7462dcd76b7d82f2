import MusterBytes
import MusterClient
import MusterCluster
import MusterProtocol
import MusterServer
import NIOCore
import NIOPosix
import Testing

private func code(_ error: (any Error)?) -> String {
  switch error as? ClientError {
  case .notReachable: "not reachable"
  case .outcomeUnknown: "outcome unknown"
  case .rpc(let error): error.code.name
  case .confused: "confused"
  case nil: "none"
  }
}

private func failure(_ body: () async throws -> Void) async -> String {
  do {
    try await body()
    return "none"
  } catch {
    return code(error)
  }
}

private func status(_ client: Client, within milliseconds: UInt32 = 0) async throws {
  let _: ReadReply = try await client.call(.read, ReadRequest(.status(StatusQuestion())), within: milliseconds)
}

private func command(_ client: Client, within milliseconds: UInt32 = 0) async throws {
  let _: ExecuteReply = try await client.call(.execute, setConfig("a/b", [1]), within: milliseconds)
}

@Suite(.serialized) struct ClientTests {
  @Test func whereNothingListensNothingHappened() async throws {
    let server = try await TestServer.start()
    let port = server.port
    try await server.end()
    let client = Client(try #require(ServerList("127.0.0.1:\(port)")), hello: testHello)
    #expect(await failure { try await command(client) } == "not reachable")
  }

  @Test func theNextServerIsTriedWhenOneIsDown() async throws {
    let dead = try await TestServer.start()
    let alive = try await TestServer.start()
    try await dead.end()
    let list = try #require(ServerList("127.0.0.1:\(dead.port),localhost:\(alive.port)"))
    let client = Client(list, hello: testHello)
    #expect(await failure { try await status(client) } == "none")
    await client.close()
    try await alive.end()
  }

  @Test func theOtherClusterIsNamed() async throws {
    let server = try await TestServer.start()
    let hello = Hello(principal: "ada", kind: .person, software: "test", clusterID: "another")
    let client = Client(try #require(ServerList("127.0.0.1:\(server.port)")), hello: hello)
    #expect(await failure { try await status(client) } == "wrong-cluster")
    try await server.end()
  }

  @Test func aServerThatCameBackIsFoundAgain() async throws {
    let server = try await TestServer.start(port: TestServer.lastingPort())
    let client = server.client()
    let request = setConfig("a/b", [1], sequence: 1)
    let first: ExecuteReply = try await client.execute(request, attempts: 1) { _ in }
    try await server.stop()
    let again = try await TestServer.start(server.directory, port: server.port)
    let second: ExecuteReply = try await client.execute(request, attempts: 100) { _ in await Task.yield() }
    #expect(first.outcome == .committed && second.outcome == .repeated && second.commit == first.commit)
    await client.close()
    try await again.end()
  }

  @Test func manyCallsShareAConnection() async throws {
    let server = try await TestServer.start()
    let client = server.client()
    let connection = try await client.connected()
    try await withThrowingTaskGroup(of: Revision.self) { group in
      for number in 1...500 {
        group.addTask {
          let reply: ExecuteReply = try await connection.call(.execute, setConfig("key/\(number)", [1]))
          return reply.commit
        }
      }
      let revisions = try await group.reduce(into: Set<Revision>()) { $0.insert($1) }
      #expect(revisions == Set(1...500))
    }
    await client.close()
    try await server.end()
  }

  @Test func aServerThatNeverAnswersIsLeftAtTheDeadline() async throws {
    let mute = try await MuteServer.start(closesAfterRequest: false)
    let client = Client(try #require(ServerList("127.0.0.1:\(mute.port)")), hello: testHello)
    #expect(await failure { try await status(client, within: 1) } == "not reachable")
    #expect(await failure { try await command(client, within: 1) } == "outcome unknown")
    await client.close()
    try await mute.stop()
  }

  @Test func onlyACommandThatWasSentHasAnUnknownOutcome() async throws {
    let mute = try await MuteServer.start(closesAfterRequest: true)
    let client = Client(try #require(ServerList("127.0.0.1:\(mute.port)")), hello: testHello)
    #expect(await failure { try await status(client) } == "not reachable")
    #expect(await failure { try await command(client) } == "outcome unknown")
    await client.close()
    try await mute.stop()
  }

  @Test func callsWithoutClosuresAreToldToTheirSink() async throws {
    let server = try await TestServer.start()
    let client = server.client()
    let connection = try await client.connected()
    let tags = try await connection.loop.flatSubmit { () -> EventLoopFuture<[UInt64]> in
      let sink = Sink(wanted: 100, connection.loop.makePromise())
      for tag in 1...100 as ClosedRange<UInt64> {
        ServerInfoRequest().encoded().withUnsafeBytes { _ = connection.begin(.serverInfo, $0, to: sink, tag: tag) }
      }
      return sink.done.futureResult
    }.get()
    #expect(tags == Array(1...100))
    await client.close()
    try await server.end()
  }
}

private final class Sink: ReplySink {
  let done: EventLoopPromise<[UInt64]>
  private let wanted: Int
  private var tags: [UInt64] = []

  init(wanted: Int, _ done: EventLoopPromise<[UInt64]>) {
    self.wanted = wanted
    self.done = done
  }

  func received(_ tag: UInt64, _ reply: ClientReply) {
    guard case .reply = reply else { return done.fail(ClientError.confused("no reply")) }
    tags.append(tag)
    if tags.count == wanted { done.succeed(tags) }
  }
}

@Suite struct ListenAddressTests {
  @Test(arguments: ["127.0.0.1:7400", "localhost:0", "[::1]:65535", "127.1.2.3:1"])
  func loopbackIsAccepted(text: String) throws {
    let address = try ListenAddress(text)
    #expect(text.hasSuffix(":\(address.port)"))
  }

  @Test(arguments: ["0.0.0.0:7400", "10.0.0.1:1", "127.evil.example:1", "127.0.0.1.example:1", "example:1", "[::]:1"])
  func everythingElseIsRefused(text: String) {
    #expect {
      try ListenAddress(text)
    } throws: { error in
      if case .notLoopback? = error as? ServerError { true } else { false }
    }
  }

  @Test(arguments: ["", "7400", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536", "127.0.0.1:-1"])
  func whatIsNoAddressIsSaidToBeNone(text: String) {
    #expect(throws: ServerError.self) { try ListenAddress(text) }
  }
}
