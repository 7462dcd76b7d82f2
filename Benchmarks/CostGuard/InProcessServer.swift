import MusterBytes
import MusterCluster
import MusterKernel
import MusterLog
import MusterProtocol

/// A server without sockets and threads: bytes of a client go in, bytes for it come out, and between them is the code
/// that the real one runs, from cutting frames to the log's writer.
final class InProcessServer {
  let storage = MemoryStorage()
  private static let identity = LogIdentity(clusterID: "c0c0c0c0c0c0c0c0d1d1d1d1d1d1d1d1", timeline: 1)
  /// Long enough that no new one is made while work is counted: the real server makes them beside it.
  private static let segmentBytes = 64 << 20

  private let writer: LogWriter
  private let kernel: Kernel
  private var machine: ServerConnection
  private var frames = FrameAssembler()
  private var caller: Caller?
  private var now = Now(wall: 1_700_000_000_000_000, monotonic: 0)
  /// What a client would be sent.
  private(set) var outgoing = ByteWriter(capacity: 1 << 20)
  private(set) var answers: UInt64 = 0
  private(set) var items: UInt64 = 0
  private(set) var failures: UInt64 = 0

  init() throws {
    try DirectoryIdentity.create(storage, InProcessServer.identity, segmentBytes: InProcessServer.segmentBytes)
    let plan = try RecoveryPlan.make(try LogReader(storage, identity: InProcessServer.identity, confirmed: 0))
    let origin = BlockOrigin(timeline: 1, term: 1, run: 1)
    writer = LogWriter(
      storage, identity: InProcessServer.identity, plan: plan, run: 1, segmentBytes: InProcessServer.segmentBytes)
    let identity = Identity(clusterID: InProcessServer.identity.clusterID, version: "guard", origin: origin)
    kernel = Kernel(State(), identity: identity, after: plan.chain)
    let greeting = ServerGreeting(
      clusterID: InProcessServer.identity.clusterID, timeline: 1, software: "guard")
    machine = ServerConnection(greeting, now: 0)
  }

  /// Everything that came in one tick: taken, decided, written, synced, answered.
  func tick(_ bytes: UnsafeRawBufferPointer) throws {
    outgoing.removeAll()
    now.wall += 1000
    now.monotonic += 1
    machine.hear(at: now.monotonic)
    var rest = bytes
    while case .frame(let head, let payload) = frames.next(from: &rest, payloadMax: machine.payloadMax) {
      take(head, payload)
    }
    carryOut()
    while let block = kernel.takeBlock() {
      try writer.append(block)
      _ = kernel.blockDurable()
      carryOut()
    }
  }

  private func take(_ head: FrameHead, _ payload: UnsafeRawBufferPointer) {
    switch machine.receive(head, payload, now: now.monotonic) {
    case .greet(let hello, let reply):
      caller = Caller(principal: hello.principal, kind: hello.kind, assurance: .asserted)
      reply.encoded().withUnsafeBytes { send(.helloReply, 0, $0) }
    case .request(let call, let method, let credit):
      guard let caller else { return }
      kernel.receive(
        CallID(connection: 1, call: call), from: caller, method: method, credit: credit, payload: payload, now: now)
    case .credit(let call, let amount):
      kernel.grant(CallID(connection: 1, call: call), amount)
    default:
      failures += 1
    }
  }

  private func carryOut() {
    for effect in kernel.effects {
      switch effect {
      case .reply(let call, let range):
        guard machine.answer(call.call) else { continue }
        send(.reply, call.call, UnsafeRawBufferPointer(rebasing: kernel.outbox.bytes[range]))
        answers += 1
      case .item(let call, let range):
        guard machine.isOpen(call.call) else { continue }
        send(.item, call.call, UnsafeRawBufferPointer(rebasing: kernel.outbox.bytes[range]))
        items += 1
      default:
        // Nothing else belongs to the work that is counted.
        failures += 1
      }
    }
    kernel.effectsDone()
  }

  private func send(_ kind: WireKind, _ call: UInt32, _ payload: UnsafeRawBufferPointer) {
    FrameHead(kind, length: payload.count, call: call).encode(into: &outgoing)
    outgoing.raw(payload)
  }
}
