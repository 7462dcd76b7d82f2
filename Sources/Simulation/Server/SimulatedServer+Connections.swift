internal import MusterBytes
internal import MusterCluster
internal import MusterKernel
internal import MusterProtocol

/// What the real server's connection handlers do.
extension SimulatedServer {
  func accept(_ wire: UInt64) {
    let greeting = ServerGreeting(
      clusterID: kernel.identity.clusterID, timeline: kernel.identity.timeline, software: kernel.identity.version)
    ends[wire] = ServerEnd(wire, ServerConnection(greeting, now: now.monotonic))
    wires.append(wire)
  }

  func receive(_ bytes: [UInt8], on wire: UInt64) {
    guard let end = ends[wire] else { return }
    let now = now
    end.machine.hear(at: now.monotonic)
    bytes.withUnsafeBytes { raw in
      var rest = raw
      while !end.machine.isClosed, takeFrame(end, &rest, now) {}
    }
    endTick()
  }

  /// - Returns: false when there is no whole frame.
  private func takeFrame(_ end: ServerEnd, _ rest: inout UnsafeRawBufferPointer, _ now: Now) -> Bool {
    switch end.frames.next(from: &rest, payloadMax: end.machine.payloadMax) {
    case .incomplete: return false
    case .malformed(let problem):
      carryOut(end.machine.close(.malformed, problem, now.monotonic), end)
      return false
    case .frame(let head, let payload):
      let action = end.machine.receive(head, payload, now: now.monotonic)
      guard case .request(let call, let method, let credit) = action, let caller = end.caller else {
        carryOut(action, end)
        return true
      }
      kernel.receive(
        CallID(connection: end.wire, call: call), from: caller, method: method, credit: credit, payload: payload,
        now: now)
      return true
    }
  }

  private func carryOut(_ action: ServerAction, _ end: ServerEnd) {
    switch action {
    case .nothing, .request: return
    case .greet(let hello, let reply):
      end.caller = Caller(principal: hello.principal, kind: hello.kind, assurance: .asserted)
      end.append(.helloReply, reply.encoded())
    case .credit(let call, let amount): return grant(CallID(connection: end.wire, call: call), amount)
    case .cancel(let call): return cancel(CallID(connection: end.wire, call: call))
    case .ping: end.append(.ping, [])
    case .pong: end.append(.pong, [])
    case .fail(let call, let error): end.append(.error, call: call, error.encoded())
    case .close(let error):
      world.marks.sometimes(.malformedClosed)
      end.append(.error, error.encoded())
    case .drop:
      world.marks.sometimes(.connectionSilent)
      world.close(end.wire, at: .server)
      return forget(end.wire)
    }
    markDirty(end)
  }

  private func grant(_ call: CallID, _ credit: UInt32) {
    if recalls.grant(call, credit) { pump(call) } else { kernel.grant(call, credit) }
  }

  private func cancel(_ call: CallID) {
    guard recalls.remove(call) || kernel.cancel(call) else { return }
    send(.error, call, RPCError(.cancelled, "the call was called off").encoded())
  }

  func tickConnections() {
    let monotonic = now.monotonic
    for wire in wires {
      guard let end = ends[wire] else { continue }
      carryOut(end.machine.tick(monotonic), end)
      while let (call, error) = end.machine.expired(monotonic) {
        let id = CallID(connection: wire, call: call)
        _ = recalls.remove(id) || kernel.cancel(id)
        send(.error, id, error.encoded())
      }
    }
  }

  func hungUp(_ wire: UInt64) {
    forget(wire)
    endTick()
  }

  private func forget(_ wire: UInt64) {
    guard ends.removeValue(forKey: wire) != nil else { return }
    wires.removeAll { $0 == wire }
    kernel.connectionClosed(wire)
    recalls.remove(connection: wire)
  }

  // MARK: Sending

  func send(_ kind: WireKind, _ call: CallID, _ range: Range<Int>) {
    guard let end = ends[call.connection] else { return }
    end.send(kind, call.call, UnsafeRawBufferPointer(rebasing: kernel.outbox.bytes[range]))
    markDirty(end)
  }

  func send(_ kind: WireKind, _ call: CallID, _ payload: [UInt8]) {
    guard let end = ends[call.connection] else { return }
    end.send(kind, call.call, payload)
    markDirty(end)
  }

  func markDirty(_ end: ServerEnd) {
    guard !end.isDirty else { return }
    end.isDirty = true
    dirty.append(end)
  }

  func flush() {
    guard !dirty.isEmpty else { return }
    let ready = dirty
    dirty = []
    for end in ready { world.transmit(end.takeOutgoing(), end.wire, to: .peer) }
  }
}
