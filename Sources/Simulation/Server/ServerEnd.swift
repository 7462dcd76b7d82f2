internal import MusterKernel
internal import MusterProtocol

/// The server's end of one connection: the real server's machine, without a socket.
final class ServerEnd {
  let wire: UInt64
  var machine: ServerConnection
  var frames = FrameAssembler()
  var caller: Caller?
  private var outgoing: [OutgoingFrame] = []
  /// It is noted among those that have something to send.
  var isDirty = false

  init(_ wire: UInt64, _ machine: consuming ServerConnection) {
    self.wire = wire
    self.machine = machine
  }

  /// Sends the answer of a call, or an element of it, unless the call is not open any more.
  func send(_ kind: WireKind, _ call: UInt32, _ payload: UnsafeRawBufferPointer) {
    guard kind == .item ? machine.isOpen(call) : machine.answer(call) else { return }
    append(kind, call: call, standsAlone: kind == .reply, payload)
  }

  func send(_ kind: WireKind, _ call: UInt32, _ payload: [UInt8]) {
    payload.withUnsafeBytes { send(kind, call, $0) }
  }

  func append(_ kind: WireKind, call: UInt32 = 0, _ payload: [UInt8]) {
    payload.withUnsafeBytes { append(kind, call: call, standsAlone: false, $0) }
  }

  private func append(_ kind: WireKind, call: UInt32, standsAlone: Bool, _ payload: UnsafeRawBufferPointer) {
    outgoing.append(OutgoingFrame(kind, call: call, standsAlone: standsAlone, payload))
  }

  func takeOutgoing() -> [OutgoingFrame] {
    isDirty = false
    defer { outgoing = [] }
    return outgoing
  }
}
