import MusterBytes
import MusterClient
import MusterCluster
import MusterProtocol
import Testing

/// What real sockets may do to a real server: it answers, or it closes and says why, and it serves the next one.
@Suite(.serialized) struct HostilePeerTests {
  /// The server answers a question of a well-behaved client.
  private func isServing(_ server: TestServer) async throws -> Bool {
    let client = server.client()
    let reply: ReadReply = try await client.call(.read, ReadRequest(.status(StatusQuestion())), within: 20_000)
    await client.close()
    return reply.timeline == 1
  }

  @Test func garbageGetsAnErrorAndTheDoor() async throws {
    let server = try await TestServer.start()
    for garbage in [Array("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n".utf8), [UInt8](repeating: 0xff, count: 4096)] {
      let peer = try RawPeer(port: server.port)
      try peer.send(garbage)
      let frames = try peer.rest()
      #expect(frames.map(\.kind) == [.error])
      #expect(frames.first?.error?.code == .malformed)
    }
    #expect(try await isServing(server))
    try await server.end()
  }

  @Test func bytesOneByOneAreUnderstood() async throws {
    let server = try await TestServer.start()
    let peer = try RawPeer(port: server.port)
    let bytes =
      RawPeer.frame(.hello, payload: testHello.encoded())
      + RawPeer.frame(.request, method: Method.serverInfo.rawValue, call: 1) + RawPeer.frame(.ping)
    for byte in bytes { try peer.send([byte]) }
    #expect(try peer.next()?.kind == .helloReply)
    let kinds = [try peer.next()?.kind, try peer.next()?.kind]
    #expect(kinds.contains(.reply) && kinds.contains(.pong))
    try await server.end()
  }

  @Test func aFrameLongerThanAllowedIsRefusedByItsHead() async throws {
    let server = try await TestServer.start()
    let peer = try RawPeer.greeted(port: server.port)
    var head = RawPeer.frame(.request, method: 2, call: 1)
    head.replaceSubrange(0..<4, with: [0, 0, 0, 0x7f])
    try peer.send(head)
    let frames = try peer.rest()
    #expect(frames.first?.error?.code == .malformed)
    #expect(frames.first?.error?.message.contains("more than") == true)
    #expect(try await isServing(server))
    try await server.end()
  }

  @Test func anUnknownMethodOrAnUnreadableRequestFailsAndTheConnectionGoesOn() async throws {
    let server = try await TestServer.start()
    let peer = try RawPeer.greeted(port: server.port)
    try peer.send(.request, method: 999, call: 1, payload: [1, 2, 3])
    #expect(try peer.next()?.error?.code == .unknownMethod)
    for method in Method.allCases {
      let call = UInt32(method.rawValue) + 1
      try peer.send(.request, method: method.rawValue, call: call, payload: [0xff, 0xff, 0xff])
      let answer = try peer.next()
      #expect(answer?.call == call && answer?.error?.code == .invalidArgument)
    }
    try peer.send(.ping)
    #expect(try peer.next()?.kind == .pong)
    try await server.end()
  }

  @Test func aCallNumberThatIsUsedAgainEndsTheConnectionOnly() async throws {
    let server = try await TestServer.start()
    let peer = try RawPeer.greeted(port: server.port)
    try peer.request(.watch, call: 1, argument: 0, WatchRequest(.everything, from: 1))
    try peer.send(.cancel, call: 1)
    try peer.request(.watch, call: 1, argument: 8, WatchRequest(.everything, from: 1))
    let frames = try peer.rest()
    #expect(frames.last?.call == 0 && frames.last?.error?.code == .malformed)
    #expect(try await isServing(server))
    try await server.end()
  }

  @Test func aPeerThatLeavesInTheMiddleIsForgotten() async throws {
    let server = try await TestServer.start()
    for call in 1...20 as ClosedRange<UInt32> {
      let peer = try RawPeer.greeted(port: server.port)
      try peer.request(.watch, call: call, argument: 5, WatchRequest(.everything, from: 1))
      try peer.request(.log, call: call + 1, argument: 5, LogRequest())
      try peer.request(.execute, call: call + 2, setConfig("a/b", [UInt8(call)]))
    }
    #expect(try await isServing(server))
    while try await server.connectionCount > 0 { await Task.yield() }
    try await server.end()
  }

  @Test func aReaderThatNeverReadsIsNotListenedToUntilItDoes() async throws {
    let server = try await TestServer.start()
    let client = server.client()
    let value = [UInt8](repeating: 7, count: 40_000)
    let _: ExecuteReply = try await client.call(.execute, setConfig("large/value", value))

    let peer = try RawPeer.greeted(port: server.port)
    let question = ReadRequest(.configs(ConfigsQuestion()))
    let asked: UInt32 = 1000
    for call in 1...asked { try peer.request(.read, call: call, question) }
    // Forty megabytes of answers wait; pings with payloads come on top until the server listens no more.
    let ping = RawPeer.frame(.ping, payload: [UInt8](repeating: 0, count: 1 << 20))
    let limit = 256 << 20
    let sent = try peer.flood(ping, limit: limit)
    #expect(sent < limit, "the server read on and on")
    #expect(try await isServing(server))

    var answered: UInt32 = 0
    while answered < asked, let frame = try peer.next() {
      if frame.kind == .pong { continue }
      answered += 1
      #expect(frame.kind == .reply && frame.call == answered && frame.payload.count > value.count)
    }
    #expect(answered == asked)
    await client.close()
    try await server.end()
  }

  @Test func tooManyOpenCallsFailOneByOne() async throws {
    let server = try await TestServer.start()
    let peer = try RawPeer.greeted(port: server.port)
    let watch = WatchRequest(.config).encoded()
    for call in 1...UInt32(ServerConnection.callsMax) + 1 {
      try peer.send(.request, method: Method.watch.rawValue, call: call, argument: 1, payload: watch)
    }
    let refused = try peer.next()
    #expect(refused?.call == UInt32(ServerConnection.callsMax) + 1 && refused?.error?.code == .tooMany)
    try peer.send(.cancel, call: 1)
    #expect(try peer.next()?.error?.code == .cancelled)
    try await server.end()
  }
}
