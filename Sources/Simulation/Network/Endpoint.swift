internal import MusterBytes
internal import MusterPeers
internal import MusterProtocol

/// What came for a peer.
enum Incoming {
  case greeted
  case reply(UInt64, [UInt8])
  case item(UInt64, [UInt8])
  case end(UInt64)
  case failed(UInt64, CallFailure)
}

/// A peer's end of its connection: the real client's machine, without a socket.
final class Endpoint {
  private enum Phase { case idle, connecting, open }

  private let hello: Hello
  private var phase = Phase.idle
  private var machine = ClientEnd<UInt64>(now: 0)
  private var frames = FrameAssembler()
  private var outgoing: [OutgoingFrame] = []
  private(set) var wire: UInt64?
  /// Counts the connections that were asked for.
  private(set) var attempt: UInt64 = 0
  /// When a connection may be asked for again, in microseconds.
  private var nextAttempt: UInt64 = 0
  private(set) var isSilent = false

  init(_ hello: Hello) { self.hello = hello }

  var isConnecting: Bool { phase == .connecting }
  var isOpenOrConnecting: Bool { phase != .idle }
  /// Calls may be begun.
  var isUsable: Bool { phase == .open && machine.isOpen }

  /// - Returns: true when a connection is to be made now.
  func wantsConnection(_ now: UInt64) -> Bool {
    guard phase == .idle, now >= nextAttempt else { return false }
    phase = .connecting
    attempt += 1
    return true
  }

  func refused(_ now: UInt64) {
    phase = .idle
    nextAttempt = now + 300_000
  }

  func connected(_ number: UInt64, _ milliseconds: UInt64) {
    phase = .open
    wire = number
    machine = ClientEnd(now: milliseconds)
    frames = FrameAssembler()
    outgoing = []
    isSilent = false
    send(.hello, hello.encoded())
  }

  // MARK: Sending

  func takeOutgoing() -> [OutgoingFrame] {
    guard !outgoing.isEmpty else { return [] }
    machine.flushed()
    defer { outgoing = [] }
    return outgoing
  }

  private func send(_ kind: WireKind, call: UInt32 = 0, argument: UInt32 = 0, _ payload: [UInt8] = []) {
    payload.withUnsafeBytes {
      outgoing.append(OutgoingFrame(kind, call: call, argument: argument, standsAlone: false, $0))
    }
  }

  /// Begins a call.
  ///
  /// - Parameter argument: milliseconds until the deadline, or the credit of a stream.
  /// - Returns: its number; nil when none can be begun now.
  func begin(_ method: Method, _ payload: [UInt8], tag: UInt64, argument: UInt32, _ milliseconds: UInt64) -> UInt32? {
    guard phase == .open else { return nil }
    let within = method.isStream ? 0 : argument
    guard let call = try? machine.begin(method.rawValue, tag, within: within, now: milliseconds) else { return nil }
    payload.withUnsafeBytes {
      outgoing.append(
        OutgoingFrame(
          .request, method: method.rawValue, call: call, argument: argument, standsAlone: !method.isStream, $0))
    }
    return call
  }

  func grant(_ call: UInt32, _ credit: UInt32) {
    if machine.isOpen(call) { send(.credit, call: call, argument: credit) }
  }

  func cancel(_ call: UInt32) {
    if machine.cancel(call) { send(.cancel, call: call) }
  }

  // MARK: Receiving

  func receive(_ bytes: [UInt8], _ milliseconds: UInt64) -> [Incoming] {
    machine.hear(at: milliseconds)
    var found: [Incoming] = []
    bytes.withUnsafeBytes { raw in
      var rest = raw
      while phase == .open, let incoming = next(&rest) { found += incoming }
    }
    return found
  }

  /// - Returns: nil when there is no whole frame.
  private func next(_ rest: inout UnsafeRawBufferPointer) -> [Incoming]? {
    switch frames.next(from: &rest, payloadMax: FrameHead.payloadMax) {
    case .incomplete: return nil
    case .malformed(let problem): return carryOut(machine.malformed(problem), nil)
    case .frame(let head, let payload): return carryOut(machine.receive(head, payload), payload)
    }
  }

  private func carryOut(_ action: ClientAction<UInt64>, _ payload: UnsafeRawBufferPointer?) -> [Incoming] {
    switch action {
    case .nothing: return []
    case .greeted: return [.greeted]
    case .reply(let tag): return [.reply(tag, Array(payload!))]
    case .item(let tag): return [.item(tag, Array(payload!))]
    case .end(let tag): return [.end(tag)]
    case .fail(let tag, let error): return [.failed(tag, .answered(error))]
    case .ping: send(.ping)
    case .pong: send(.pong)
    case .close(let loss):
      isSilent = loss == .silent
      return lost()
    }
    return []
  }

  /// Looks at the clock.
  func tick(_ milliseconds: UInt64) -> [Incoming] {
    guard phase == .open else { return [] }
    var found = carryOut(machine.tick(milliseconds), nil)
    while let (call, tag, fate) = machine.expired(milliseconds) {
      send(.cancel, call: call)
      found.append(.failed(tag, .lost(fate)))
    }
    return found
  }

  /// The connection is gone, or was given up: what is known of every open call.
  func lost() -> [Incoming] {
    guard phase == .open else { return [] }
    phase = .idle
    return machine.lost().map { .failed($0.waiter, .lost($0.fate)) }
  }

  /// Nothing is left of the connection on this side.
  func forget() -> UInt64? {
    phase = .idle
    outgoing = []
    defer { wire = nil }
    return wire
  }

  /// Another connection may be asked for only after a while.
  func rest(until time: UInt64) { nextAttempt = max(nextAttempt, time) }
}
