import MusterBytes
import MusterCluster
import MusterProtocol
import MusterWorkload
import Testing

/// A whole conversation of a client, and what a server makes of it when bits of it are not what they were.
@Suite struct ConversationTests {
  private let spoken: [UInt8] =
    frame(.hello, someHello().encoded())
    + frame(.request, method: Method.read.rawValue, call: 1, ReadRequest(.status(StatusQuestion())).encoded())
    + frame(.request, method: Method.watch.rawValue, call: 2, argument: 10, WatchRequest(.config, from: 1).encoded())
    + frame(.credit, call: 2, argument: 5)
    + frame(.ping)
    + frame(.cancel, call: 2)

  /// Feeds a server's end like its shell does.
  private func actions(_ bytes: [UInt8], pieces: Int = .max) -> [ServerAction] {
    var connection = ServerConnection(greeting, now: 0)
    var assembler = FrameAssembler()
    var actions: [ServerAction] = []
    for start in stride(from: 0, to: bytes.count, by: min(pieces, bytes.count)) {
      bytes[start...].prefix(pieces).withUnsafeBytes { piece in
        var rest = piece
        while !connection.isClosed {
          switch assembler.next(from: &rest, payloadMax: connection.payloadMax) {
          case .frame(let head, let payload): actions.append(connection.receive(head, payload, now: 0))
          case .malformed(let problem): actions.append(connection.close(.malformed, problem, 0))
          case .incomplete: return
          }
        }
      }
    }
    return actions
  }

  @Test func itIsUnderstood() {
    let kinds = actions(spoken).map { String("\($0)".prefix { $0 != "(" }) }
    #expect(kinds == ["greet", "request", "request", "credit", "pong", "cancel"])
    #expect(actions(spoken, pieces: 1).count == 6)
  }

  @Test func everyTruncationIsWaitedForNotMisread() {
    for length in 1..<spoken.count {
      let seen = actions(Array(spoken[..<length]))
      #expect(seen.count <= 6 && seen.allSatisfy { $0.closes == nil })
    }
  }

  @Test func everyFlippedBitIsRefusedOrHarmless() {
    for place in 0..<spoken.count * 8 {
      var bytes = spoken
      bytes[place / 8] ^= 1 << (place % 8)
      let seen = actions(bytes)
      #expect(seen.count <= 7)
      let closing = seen.firstIndex { $0.closes != nil }
      #expect(closing == nil || closing == seen.count - 1, "nothing is done after a close")
    }
  }

  @Test func garbageOfAnyKindOpensNothing() {
    var random = SeededGenerator(seed: 99)
    for _ in 0..<3000 {
      let garbage = (0..<(1 + random.below(200))).map { _ in UInt8(random.below(256)) }
      #expect(actions(garbage).allSatisfy { $0.closes != nil || $0.isNothing })
    }
  }

  @Test func anUnauthenticatedClientHoldsFourKibibytesAtMost() {
    var head: [UInt8] = frame(.hello)
    head.replaceSubrange(0..<4, with: [0x01, 0x10, 0, 0])
    #expect(actions(head).first?.closes == .malformed)
    head.replaceSubrange(0..<4, with: [0x00, 0x10, 0, 0])
    #expect(actions(head).isEmpty)
  }
}
