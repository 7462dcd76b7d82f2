import MusterBytes
import MusterClient
import MusterCluster
import MusterProtocol
import Testing

@Suite(.serialized) struct StreamTests {
  private func server(commits: Int) async throws -> TestServer {
    let server = try await TestServer.start()
    let client = server.client()
    for number in 1...commits {
      let reply: ExecuteReply = try await client.call(.execute, setConfig("some/key", [UInt8(number & 255)]))
      #expect(reply.commit == Revision(number))
    }
    await client.close()
    return server
  }

  @Test func noMoreElementsComeThanThereIsCreditFor() async throws {
    let server = try await server(commits: 10)
    let peer = try RawPeer.greeted(port: server.port)
    try peer.request(.watch, call: 1, argument: 3, WatchRequest(.everything, from: 1))
    #expect(try revisions(peer, 3) == [1, 2, 3])
    try peer.send(.ping)
    #expect(try peer.next()?.kind == .pong)
    try peer.send(.credit, call: 1, argument: 4)
    #expect(try revisions(peer, 4) == [4, 5, 6, 7])
    try peer.send(.ping)
    #expect(try peer.next()?.kind == .pong)
    try peer.send(.credit, call: 1, argument: .max)
    try peer.send(.credit, call: 1, argument: .max)
    #expect(try revisions(peer, 3) == [8, 9, 10])
    try await server.end()
  }

  private func revisions(_ peer: RawPeer, _ count: Int) throws -> [Revision] {
    try (0..<count).map { _ in
      let frame = try #require(try peer.next())
      #expect(frame.kind == .item && frame.call == 1)
      return try WatchItem(bytes: frame.payload).revision
    }
  }

  @Test func aStreamThatIsCalledOffEndsAtOnce() async throws {
    let server = try await server(commits: 10)
    let peer = try RawPeer.greeted(port: server.port)
    try peer.request(.watch, call: 1, argument: 2, WatchRequest(.everything, from: 1))
    _ = try revisions(peer, 2)
    try peer.send(.cancel, call: 1)
    #expect(try peer.next()?.error?.code == .cancelled)
    try peer.send(.credit, call: 1, argument: 100)
    try peer.send(.ping)
    #expect(try peer.next()?.kind == .pong)
    try await server.end()
  }

  @Test(arguments: [1, 2, 7, 256] as [UInt32]) func aStreamIsReadToItsEndWithAnyWindow(window: UInt32) async throws {
    let server = try await server(commits: 30)
    let client = server.client()
    var items = 0
    var hasEnded = false
    try await client.stream(.log, LogRequest(), window: window).forEach { element in
      if case .item = element { items += 1 } else { hasEnded = true }
      return true
    }
    #expect(items == 30 && hasEnded)
    await client.close()
    try await server.end()
  }

  @Test func aReaderThatStopsInTheMiddleLeavesTheConnectionGood() async throws {
    let server = try await server(commits: 30)
    let client = server.client()
    var items = 0
    try await client.stream(.watch, WatchRequest(.everything, from: 1), window: 4).forEach { _ in
      items += 1
      return items < 6
    }
    #expect(items == 6)
    let reply: ReadReply = try await client.call(.read, ReadRequest(.status(StatusQuestion())))
    #expect(reply.revision == 30)
    await client.close()
    try await server.end()
  }

  @Test func aTaskThatIsCancelledEndsItsStream() async throws {
    let server = try await server(commits: 1)
    let client = server.client()
    let stream = try await client.stream(.watch, WatchRequest(.everything, from: 1), window: 4)
    let task = Task {
      try await stream.forEach { _ in
        withUnsafeCurrentTask { $0?.cancel() }
        return true
      }
    }
    await #expect(throws: CancellationError.self) { try await task.value }
    await client.close()
    try await server.end()
  }
}
