internal import MusterBytes
internal import MusterProtocol

enum ConnectionFuzz {
  /// The bytes come in pieces, whose length the first byte says; time passes with each.
  static func run(_ bytes: [UInt8]) {
    guard let first = bytes.first else { return }
    let piece = max(1, Int(first))
    var machine = ServerConnection(ServerGreeting(clusterID: "c", timeline: 1, software: "fuzz"), now: 0)
    var assembler = FrameAssembler()
    var now: UInt64 = 0
    bytes.dropFirst().withUnsafeBytes { raw in
      var start = 0
      while start < raw.count {
        var input = UnsafeRawBufferPointer(rebasing: raw[start..<min(start + piece, raw.count)])
        start += piece
        now += UInt64(first)
        guard take(&input, &assembler, &machine, now) else { return }
      }
    }
    _ = machine.tick(now + 60_000)
  }

  private static func take(
    _ input: inout UnsafeRawBufferPointer, _ assembler: inout FrameAssembler, _ machine: inout ServerConnection,
    _ now: UInt64
  ) -> Bool {
    while true {
      switch assembler.next(from: &input, payloadMax: FrameHead.payloadMax) {
      case .frame(let head, let payload):
        if case .request(let call, _, _) = machine.receive(head, payload, now: now), now % 2 == 0 {
          _ = machine.answer(call)
        }
      case .incomplete: return true
      case .malformed(let problem):
        _ = machine.close(.malformed, problem, now)
        return false
      }
    }
  }
}
