import MusterBytes
import MusterClient
import MusterCluster
import MusterLog
import MusterProtocol
import MusterWorkload
import Testing

/// Requests that mean something odd, or nothing: a server answers each of them, and what it wrote can be replayed.
@Suite(.serialized) struct RandomRequestTests {
  @Test(arguments: 1...8 as ClosedRange<UInt64>) func everyRequestIsAnsweredAndTheLogReplays(seed: UInt64) async throws
  {
    let server = try await TestServer.start()
    try await begin(server)
    var fields = RandomFields(seed: seed)
    var speaker = Speaker(server.port)
    for _ in 0..<60 {
      try speaker.say(25, &fields)
      try speaker.listen()
    }
    #expect(speaker.answered == speaker.asked, "every call of one reply has one")

    let digest = try await digest(server)
    try await server.stop()
    let again = try await TestServer.start(server.directory)
    #expect(try await self.digest(again) == digest)
    try await again.end()
  }

  /// Six nodes in three zones and two collections, so that there is something to speak of.
  private func begin(_ server: TestServer) async throws {
    let client = server.client()
    for number in 1...6 {
      let join = JoinNode(
        name: "n\(number)", domain: "r/z\(number % 3)/k\(number)", labels: [Label("disk", "ssd")],
        capacity: [Amount("cpu", 1000)], address: "", heartbeatMilliseconds: 0)
      let _: ExecuteReply = try await client.call(.execute, Request(.joinNode(join)))
    }
    for name in ["c1", "c2"] {
      var policy = Policy()
      policy.replicas = 2
      policy.weights = [Amount("cpu", 1)]
      let collection = CreateCollection(name: name, shards: 4, policy: policy, labels: [], tenant: "")
      let _: ExecuteReply = try await client.call(.execute, Request(.createCollection(collection)))
    }
    await client.close()
  }

  private func digest(_ server: TestServer) async throws -> String {
    let client = server.client()
    let reply: ReadReply = try await client.call(.read, ReadRequest(.status(StatusQuestion())))
    await client.close()
    return try #require(reply.answer.status).digest
  }
}

/// Talks without pause, and comes back when it is shown the door.
private struct Speaker {
  private let port: Int
  private var peer: RawPeer?
  private var nextCall: UInt32 = 1
  /// Calls for one reply.
  private var open: Set<UInt32> = []
  private(set) var asked = 0
  private(set) var answered = 0

  init(_ port: Int) { self.port = port }

  mutating func say(_ count: Int, _ fields: inout RandomFields) throws {
    let peer = try self.peer ?? RawPeer.greeted(port: port)
    self.peer = peer
    var bytes: [UInt8] = []
    for _ in 0..<count { bytes += frame(&fields) }
    try peer.send(bytes + RawPeer.frame(.ping))
  }

  private mutating func frame(_ fields: inout RandomFields) -> [UInt8] {
    let method = fields.random.oneIn(2) ? .execute : Method.allCases[fields.random.below(Method.allCases.count)]
    if fields.random.oneIn(10), nextCall > 1 {
      let kind = fields.random.oneIn(2) ? WireKind.cancel : .credit
      return RawPeer.frame(kind, call: UInt32(fields.random.below(Int(nextCall))), argument: .max)
    }
    defer { nextCall += 1 }
    var payload = payload(method, &fields)
    if fields.random.oneIn(5), !payload.isEmpty {
      payload[fields.random.below(payload.count)] ^= 1 << UInt8(fields.random.below(8))
    }
    if !method.isStream {
      open.insert(nextCall)
      asked += 1
    }
    let credit = method.isStream ? UInt32(fields.random.below(20)) : 0
    return RawPeer.frame(.request, method: method.rawValue, call: nextCall, argument: credit, payload: payload)
  }

  private func payload(_ method: Method, _ fields: inout RandomFields) -> [UInt8] {
    switch method {
    case .execute:
      var request: Request = fields.fill()
      // Otherwise nearly everything would be refused for these, whatever it is.
      request.command = fields.command()
      request.expectedRevision = nil
      request.cause = 0
      request.traceParent = ""
      request.isDryRun = fields.random.oneIn(8)
      if !fields.random.oneIn(4) { request.client = "" }
      return request.encoded()
    case .read: return fields.fill(ReadRequest.self).encoded()
    case .heartbeat: return fields.fill(HeartbeatRequest.self).encoded()
    case .log: return fields.fill(LogRequest.self).encoded()
    case .diff: return fields.fill(DiffRequest.self).encoded()
    case .watch: return fields.fill(WatchRequest.self).encoded()
    case .assignments: return fields.fill(AssignmentsRequest.self).encoded()
    case .positions: return fields.fill(PositionsRequest.self).encoded()
    case .serverInfo: return fields.fill(ServerInfoRequest.self).encoded()
    case .checkpoint: return fields.fill(CheckpointRequest.self).encoded()
    case .prove: return fields.fill(ProveRequest.self).encoded()
    case .proveExport: return fields.fill(ProveExportRequest.self).encoded()
    case .journalFiles: return fields.fill(BackupRequest.self).encoded()
    case .journalRead: return fields.fill(BackupRead.self).encoded()
    case .blame: return fields.fill(BlameRequest.self).encoded()
    case .why: return fields.fill(WhyRequest.self).encoded()
    case .bisect: return fields.fill(BisectRequest.self).encoded()
    }
  }

  /// Reads until nothing that was asked is open.
  mutating func listen() throws {
    var isPonged = false
    while !isPonged || !open.isEmpty {
      guard let frame = try peer?.next() else {
        Issue.record("the connection was closed though its frames were in order")
        return
      }
      switch frame.kind {
      case .pong: isPonged = true
      case .reply, .error: if open.remove(frame.call) != nil { answered += 1 }
      default: continue
      }
    }
  }
}
