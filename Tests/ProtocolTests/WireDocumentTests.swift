import Glibc
import MusterBytes
import MusterCluster
import MusterProtocol
import Testing

/// The hexadecimal examples of `WireProtocol.md` are frames, and say what the page says that they do.
@Suite struct WireDocumentTests {
  private struct Line: Equatable {
    var isFromClient: Bool
    var bytes: [UInt8]
  }

  @Test func theExamplesAreTheseFrames() throws {
    let lines = try documentLines()
    #expect(lines.count == expected.count)
    for (line, expected) in zip(lines, expected) {
      #expect(
        line == expected,
        "expected \(expected.isFromClient ? "C" : "S") \(hexadecimal(expected.bytes[..<16])) \(hexadecimal(expected.bytes[16...]))"
      )
    }
  }

  @Test func bothEndsUnderstandTheExamples() throws {
    var server = ServerConnection(
      ServerGreeting(clusterID: "c0ffee", timeline: 1, software: "muster 1.0"), now: 0)
    var client = ClientEnd<String>(now: 0)
    for line in try documentLines() {
      var assembler = FrameAssembler()
      let frame = try #require(assemble(line.bytes, &assembler).first)
      let isUnderstood = frame.payload.withUnsafeBytes { payload in
        if line.isFromClient {
          if case .close = server.receive(frame.head, payload, now: 0) { return false }
        } else if case .close = client.receive(frame.head, payload) {
          return frame.head.kind == .goAway
        }
        return true
      }
      #expect(isUnderstood, "\(frame.head.kind)")
    }
  }

  private var expected: [Line] {
    var reply = HelloReply()
    reply.version = 1
    reply.clusterID = "c0ffee"
    reply.timeline = 1
    reply.software = "muster 1.0"
    reply.payloadMax = UInt32(FrameHead.payloadMax)
    reply.callsMax = 4096
    var request = Request(
      .setConfig(SetConfig(key: "ttl", scope: ScopeName(.cluster), value: .integer(60))), client: "ada", sequence: 7)
    request.reason = "slow clients"
    var done = ExecuteReply()
    done.timeline = 1
    done.revision = 12
    done.commit = 12
    var mark = WatchItem()
    mark.timeline = 1
    mark.revision = 12
    let cancelled = RPCError(.cancelled, "the call was called off")
    let stops = RPCError(.unavailable, "the server stops", retryAfterMilliseconds: 1000)
    return [
      client(.hello, Hello(principal: "ada", kind: .person, software: "example").encoded()),
      server(.helloReply, reply.encoded()),
      client(.request, method: 1, call: 1, argument: 5000, request.encoded()),
      server(.reply, call: 1, done.encoded()),
      client(.request, method: 6, call: 2, argument: 100, WatchRequest(.config, from: 12).encoded()),
      server(.item, call: 2, mark.encoded()),
      client(.credit, call: 2, argument: 50),
      client(.cancel, call: 2),
      server(.error, call: 2, cancelled.encoded()),
      client(.ping),
      server(.pong),
      server(.goAway, stops.encoded()),
    ]
  }

  private func client(
    _ kind: WireKind, method: UInt16 = 0, call: UInt32 = 0, argument: UInt32 = 0, _ payload: [UInt8] = []
  ) -> Line {
    Line(isFromClient: true, bytes: frame(kind, method: method, call: call, argument: argument, payload))
  }

  private func server(_ kind: WireKind, call: UInt32 = 0, _ payload: [UInt8] = []) -> Line {
    Line(isFromClient: false, bytes: frame(kind, call: call, payload))
  }

  // MARK: The page

  private func documentLines() throws -> [Line] {
    var lines: [Line] = []
    var isExample = false
    for line in try page().split(separator: "\n", omittingEmptySubsequences: false) {
      if line.hasPrefix("```") {
        isExample = line == "```hex"
      } else if isExample {
        lines.append(Line(isFromClient: line.hasPrefix("C "), bytes: try bytes(line.dropFirst(2))))
      }
    }
    return lines
  }

  private func bytes(_ text: Substring) throws -> [UInt8] {
    let digits = try text.filter { $0 != " " }.map { try #require($0.hexDigitValue) }
    return try stride(from: 0, to: digits.count, by: 2).map { place in
      try #require(UInt8(exactly: digits[place] * 16 + digits[place + 1]))
    }
  }

  private func page() throws -> String {
    let path = #filePath.split(separator: "/").dropLast(3).joined(separator: "/")
    let file = try #require(fopen("/\(path)/Sources/Protocol/WireProtocol.md", "r"))
    defer { fclose(file) }
    var text: [UInt8] = []
    var piece = [UInt8](repeating: 0, count: 4096)
    while case let count = fread(&piece, 1, piece.count, file), count > 0 { text += piece[..<count] }
    return String(decoding: text, as: UTF8.self)
  }
}
