internal import MusterBytes
internal import MusterProtocol

enum WireEnd: UInt8 {
  case peer, server

  var other: WireEnd { self == .peer ? .server : .peer }
}

/// A frame on its way into a wire.
struct OutgoingFrame {
  var bytes: [UInt8]
  /// A message that stands alone: it may be lost, come twice or change places. What belongs to a stream, or keeps the
  /// connection, may not: no connection of use mixes those up.
  var standsAlone: Bool

  init(
    _ kind: WireKind, method: UInt16 = 0, call: UInt32 = 0, argument: UInt32 = 0, standsAlone: Bool,
    _ payload: UnsafeRawBufferPointer
  ) {
    var writer = ByteWriter(capacity: FrameHead.byteCount + payload.count)
    FrameHead(kind, length: payload.count, method: method, call: call, argument: argument).encode(into: &writer)
    writer.raw(payload)
    bytes = writer.array()
    self.standsAlone = standsAlone
  }
}

/// One connection: bytes go in at one end and come out at the other in the same order, later.
struct Wire {
  let peer: Int
  /// The life of the server that it leads to.
  let life: UInt64
  private var toPeer = Pipe()
  private var toServer = Pipe()

  private struct Pipe {
    var chunks: [[UInt8]] = []
    var first = 0
    var lastArrival: UInt64 = 0
    var isClosed = false
  }

  init(peer: Int, life: UInt64) {
    self.peer = peer
    self.life = life
  }

  private subscript(end: WireEnd) -> Pipe {
    get { end == .peer ? toPeer : toServer }
    set { if end == .peer { toPeer = newValue } else { toServer = newValue } }
    _modify { if end == .peer { yield &toPeer } else { yield &toServer } }
  }

  /// This end does not listen any more.
  mutating func close(_ end: WireEnd) { self[end].isClosed = true }

  func isClosed(_ end: WireEnd) -> Bool { end == .peer ? toPeer.isClosed : toServer.isClosed }

  /// Puts bytes in that come out at `end`, not before `time`.
  ///
  /// - Returns: when they do.
  mutating func put(_ bytes: [UInt8], to end: WireEnd, at time: UInt64) -> UInt64 {
    let arrival = after(time, at: end)
    self[end].chunks.append(bytes)
    return arrival
  }

  /// When something that is sent now, and comes at `time` at the earliest, is behind all that was sent before.
  mutating func after(_ time: UInt64, at end: WireEnd) -> UInt64 {
    let arrival = max(time, self[end].lastArrival + 1)
    self[end].lastArrival = arrival
    return arrival
  }

  mutating func take(at end: WireEnd) -> [UInt8]? {
    guard self[end].first < self[end].chunks.count else { return nil }
    let bytes = self[end].chunks[self[end].first]
    self[end].chunks[self[end].first] = []
    self[end].first += 1
    if self[end].first == self[end].chunks.count {
      self[end].chunks.removeAll(keepingCapacity: true)
      self[end].first = 0
    }
    return bytes
  }

  /// What is on its way is lost.
  mutating func drop() {
    for end in [WireEnd.peer, .server] { self[end].chunks = Array(repeating: [], count: self[end].chunks.count) }
  }
}
