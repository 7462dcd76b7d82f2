import MusterBytes
import MusterCluster
import MusterProtocol
import MusterWorkload
import Testing

private func frame(_ kind: WireKind, _ payload: [UInt8] = [], call: UInt32 = 0, method: UInt16 = 0) -> [UInt8] {
  var writer = ByteWriter()
  FrameHead(kind, length: payload.count, method: method, call: call).encode(into: &writer)
  writer.raw(payload)
  return writer.array()
}

/// Feeds bytes to a server's end as a socket would, and gathers what it does.
private func feed(_ machine: inout ServerConnection, _ bytes: [UInt8]) -> [ServerAction] {
  var actions: [ServerAction] = []
  bytes.withUnsafeBytes { raw in
    var offset = 0
    while !machine.isClosed {
      let rest = UnsafeRawBufferPointer(rebasing: raw[offset...])
      switch FrameHead.look(rest, payloadMax: machine.payloadMax) {
      case .incomplete: return
      case .malformed(let problem):
        actions.append(machine.malformed(problem))
        return
      case .frame(let head):
        let end = FrameHead.byteCount + Int(head.length)
        actions.append(machine.receive(head, UnsafeRawBufferPointer(rebasing: rest[FrameHead.byteCount..<end])))
        offset += end
      }
    }
  }
  return actions
}

private let hello = frame(.hello, Hello(principal: "ops", kind: .person, software: "test").encoded())

@Suite struct ServerConnectionTests {
  private func machine() -> ServerConnection { ServerConnection(clusterID: "c", timeline: 1, software: "s") }

  @Test func aHelloOpensTheConnection() {
    var connection = machine()
    let actions = feed(&connection, hello + frame(.request, [], call: 7, method: 2) + frame(.ping))
    #expect(actions.count == 3)
    guard case .greet = actions[0], case .request(7, 2, 0) = actions[1], case .pong = actions[2] else {
      Issue.record("\(actions)")
      return
    }
  }

  @Test(arguments: [
    (frame(.request), RPCErrorCode.malformed), (frame(.hello, [1, 2, 3]), .malformed),
    (frame(.hello, Hello(principal: "", kind: .person, software: "").encoded()), .permissionDenied),
    (frame(.hello, Hello(principal: "x", kind: .controller, software: "").encoded()), .permissionDenied),
    (frame(.hello, Hello(principal: "x", kind: .person, software: "", clusterID: "d").encoded()), .wrongCluster),
    ([255, 255, 255, 255] + [UInt8](repeating: 0, count: 12), .malformed),
    ([0, 0, 0, 0, 99] + [UInt8](repeating: 0, count: 11), .malformed),
    (frame(.hello, [UInt8](repeating: 0, count: 5000)), .malformed), (hello + frame(.reply), .malformed),
    (hello + hello, .malformed),
  ])
  func whatIsNotTheProtocolIsNamedAndClosed(_ bytes: [UInt8], _ code: RPCErrorCode) {
    var connection = machine()
    guard case .close(let error)? = feed(&connection, bytes).last else {
      Issue.record("the connection is closed")
      return
    }
    #expect(error.code == code)
    #expect(connection.isClosed)
  }

  @Test func aSlowHelloIsNotWaitedForForEver() {
    var connection = machine()
    guard case .close(let error) = connection.greetingTimedOut() else {
      Issue.record("the connection is closed")
      return
    }
    #expect(error.code == .deadlineExceeded)
    var open = machine()
    _ = feed(&open, hello)
    guard case .nothing = open.greetingTimedOut() else {
      Issue.record("an open connection stays")
      return
    }
  }

  @Test func openCallsAreBounded() {
    var connection = machine()
    _ = feed(&connection, hello)
    for call in 0..<ServerConnection.callsMax { _ = feed(&connection, frame(.request, [], call: call)) }
    guard case .fail(let call, let error)? = feed(&connection, frame(.request, [], call: 9_999_999)).first else {
      Issue.record("one call too many is refused")
      return
    }
    #expect(call == 9_999_999)
    #expect(error.code == .tooMany)
    #expect(!connection.isClosed)
  }

  @Test func everyTruncationAndFlippedBitIsSurvived() {
    let talk =
      hello + frame(.request, [1, 2, 3], call: 1, method: 1) + frame(.credit, call: 1) + frame(.cancel, call: 1)
    for length in 0..<talk.count {
      var connection = machine()
      _ = feed(&connection, Array(talk[..<length]))
    }
    for bit in 0..<(talk.count * 8) {
      var bad = talk
      bad[bit / 8] ^= 1 << (bit % 8)
      var connection = machine()
      _ = feed(&connection, bad)
    }
  }

  @Test func randomBytesAreSurvived() {
    var random = SeededGenerator(seed: 3)
    for _ in 0..<2000 {
      var connection = machine()
      let noise = (0..<random.below(200)).map { _ in UInt8(truncatingIfNeeded: random.next()) }
      _ = feed(&connection, random.oneIn(2) ? noise : hello + noise)
    }
  }
}

@Suite struct MessageTests {
  /// What the server decodes from strangers: noise gives an error or a message, never a trap.
  @Test func noiseInsteadOfARequestIsAnError() {
    var random = SeededGenerator(seed: 8)
    let real = Request(
      .createCollection(
        CreateCollection(name: "c", shards: 3, policy: Policy(), labels: [Label("a", "b")], tenant: "")),
      client: "app", sequence: 5, reason: "why"
    ).encoded()
    var decoded = 0
    for _ in 0..<20_000 {
      var bytes = real
      for _ in 0...random.below(4) { bytes[random.below(bytes.count)] = UInt8(truncatingIfNeeded: random.next()) }
      if (try? Request(bytes: bytes, refusingUnknownFields: true)) != nil { decoded += 1 }
      _ = try? ReadRequest(bytes: bytes, refusingUnknownFields: true)
      _ = try? LogRequest(bytes: bytes, refusingUnknownFields: true)
      _ = try? HeartbeatRequest(bytes: bytes, refusingUnknownFields: true)
    }
    #expect(decoded > 0)
  }
}
