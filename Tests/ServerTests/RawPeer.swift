import MusterBytes
import MusterProtocol

/// A client of the protocol that says what it likes.
final class RawPeer {
  struct Frame: Equatable {
    var kind: WireKind
    var call: UInt32
    var payload: [UInt8]

    var error: RPCError? { kind == .error ? try? RPCError(bytes: payload) : nil }
  }

  private let socket: RawSocket
  private var frames = FrameAssembler()
  private var received: [Frame] = []

  init(port: Int) throws { socket = try RawSocket(port: port) }

  /// A peer whose handshake is over.
  static func greeted(port: Int) throws -> RawPeer {
    let peer = try RawPeer(port: port)
    try peer.send(.hello, payload: testHello.encoded())
    guard try peer.next()?.kind == .helloReply else { throw RawSocket.Problem.silence }
    return peer
  }

  static func frame(
    _ kind: WireKind, method: UInt16 = 0, call: UInt32 = 0, argument: UInt32 = 0, payload: [UInt8] = []
  ) -> [UInt8] {
    var writer = ByteWriter()
    FrameHead(kind, length: payload.count, method: method, call: call, argument: argument).encode(into: &writer)
    writer.raw(payload)
    return writer.array()
  }

  // MARK: Sending

  func send(_ bytes: [UInt8]) throws { try socket.send(bytes) }

  func send(
    _ kind: WireKind, method: UInt16 = 0, call: UInt32 = 0, argument: UInt32 = 0, payload: [UInt8] = []
  ) throws {
    try send(RawPeer.frame(kind, method: method, call: call, argument: argument, payload: payload))
  }

  func request(_ method: Method, call: UInt32, argument: UInt32 = 0, _ message: some Message) throws {
    try send(.request, method: method.rawValue, call: call, argument: argument, payload: message.encoded())
  }

  /// Sends `bytes` until the other end takes no more.
  func flood(_ bytes: [UInt8], limit: Int) throws -> Int { try socket.flood(bytes, limit: limit) }

  // MARK: Receiving

  /// The next frame; nil when the other end has closed.
  func next() throws -> Frame? {
    while received.isEmpty {
      let bytes = try socket.receive()
      if bytes.isEmpty { return nil }
      assemble(bytes)
    }
    return received.removeFirst()
  }

  private func assemble(_ bytes: [UInt8]) {
    bytes.withUnsafeBytes { buffer in
      var rest = buffer
      while true {
        switch frames.next(from: &rest, payloadMax: FrameHead.payloadMax) {
        case .frame(let head, let payload):
          received.append(Frame(kind: head.kind, call: head.call, payload: Array(payload)))
        case .incomplete: return
        case .malformed(let problem): preconditionFailure("the server sent nonsense: \(problem)")
        }
      }
    }
  }

  /// Everything until the other end closes.
  func rest() throws -> [Frame] {
    var frames: [Frame] = []
    while let frame = try next() { frames.append(frame) }
    return frames
  }
}
