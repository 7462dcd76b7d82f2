import MusterBytes
import MusterCluster
import MusterProtocol

/// A frame with a payload of its own.
struct Frame: Equatable {
  var head: FrameHead
  var payload: [UInt8]
}

func frame(_ head: FrameHead, _ payload: [UInt8]) -> [UInt8] {
  var writer = ByteWriter()
  head.encode(into: &writer)
  writer.raw(payload)
  return writer.array()
}

func frame(_ kind: WireKind, method: UInt16 = 0, call: UInt32 = 0, argument: UInt32 = 0, _ payload: [UInt8] = [])
  -> [UInt8]
{
  frame(FrameHead(kind, length: payload.count, method: method, call: call, argument: argument), payload)
}

func look(_ bytes: [UInt8], payloadMax: Int = FrameHead.payloadMax) -> FrameSighting {
  bytes.withUnsafeBytes { FrameHead.look($0, payloadMax: payloadMax) }
}

func isMalformed(_ sighting: FrameSighting) -> Bool {
  if case .malformed = sighting { true } else { false }
}

/// Every frame that these bytes complete.
func assemble(_ bytes: [UInt8], _ assembler: inout FrameAssembler) -> [Frame] {
  bytes.withUnsafeBytes { buffer in
    var rest = buffer
    var frames: [Frame] = []
    while case .frame(let head, let payload) = assembler.next(from: &rest, payloadMax: FrameHead.payloadMax) {
      frames.append(Frame(head: head, payload: Array(payload)))
    }
    return frames
  }
}

let greeting = ServerGreeting(clusterID: "c1", timeline: 3, software: "muster test")

func someHello() -> Hello { Hello(principal: "ada", kind: .person, software: "test") }

extension ServerConnection {
  /// A frame comes in.
  mutating func take(
    _ kind: WireKind, method: UInt16 = 0, call: UInt32 = 0, argument: UInt32 = 0, _ payload: [UInt8] = [],
    at now: UInt64 = 0
  ) -> ServerAction {
    let head = FrameHead(kind, length: payload.count, method: method, call: call, argument: argument)
    return payload.withUnsafeBytes { receive(head, $0, now: now) }
  }

  /// A connection whose handshake is over.
  static func opened(at now: UInt64 = 0) -> ServerConnection {
    var connection = ServerConnection(greeting, now: now)
    _ = connection.take(.hello, someHello().encoded(), at: now)
    return connection
  }
}

extension ServerAction {
  /// The code of the error that it closes the connection with.
  var closes: RPCErrorCode? {
    if case .close(let error) = self { error.code } else { nil }
  }

  var isNothing: Bool {
    if case .nothing = self { true } else { false }
  }
}
