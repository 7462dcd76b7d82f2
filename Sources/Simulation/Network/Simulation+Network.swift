internal import MusterWorkload

/// What a link to a peer is like now.
struct Link {
  /// Nothing comes through to this end before.
  var toServerBlockedUntil: UInt64 = 0
  var toPeerBlockedUntil: UInt64 = 0

  func blockedUntil(_ end: WireEnd) -> UInt64 { end == .server ? toServerBlockedUntil : toPeerBlockedUntil }
}

/// Connections as TCP makes them: ordered, each with its own pace, and gone without a word.
extension Simulation {
  func latency() -> UInt64 {
    let base = swarm.latency * (isNetworkSlow ? 40 : 1)
    return UInt64(base / 2 + random.below(base))
  }

  /// A peer asks for a connection.
  func connect(_ peer: Peer) {
    schedule.plan(.connect(peer: peer.number, attempt: peer.endpoint.attempt), at: now + 2 * latency())
  }

  func connected(_ number: Int, _ attempt: UInt64) {
    let peer = peers[number]
    guard peer.endpoint.attempt == attempt, peer.endpoint.isConnecting else { return }
    let link = links[number]
    guard let server, now >= serverPausedUntil, now >= max(link.toPeerBlockedUntil, link.toServerBlockedUntil) else {
      marks.sometimes(.connectionRefused)
      peer.endpoint.refused(now)
      return peer.plan(in: 50_000)
    }
    lastWire += 1
    wires[lastWire] = Wire(peer: number, life: life)
    server.accept(lastWire)
    peer.endpoint.connected(lastWire, peer.milliseconds)
    flush(peer)
  }

  /// Sends what a peer wants sent.
  func flush(_ peer: Peer) {
    guard let wire = peer.endpoint.wire else { return }
    transmit(peer.endpoint.takeOutgoing(), wire, to: .server)
  }

  /// Sends frames to the other end; each alone may meet a fault, and all together.
  func transmit(_ frames: [OutgoingFrame], _ number: UInt64, to end: WireEnd) {
    guard !frames.isEmpty, let wire = wires[number] else { return }
    if !isCalm, swarm.befalls(.reset, &random), random.oneIn(8) { return reset(number) }
    var chunk: [UInt8] = []
    for bytes in isCalm ? frames.map(\.bytes) : misfortunes(frames) { chunk += bytes }
    guard !chunk.isEmpty else { return }
    let earliest = max(now + latency(), links[wire.peer].blockedUntil(end))
    if !isCalm, chunk.count > 2, swarm.befalls(.split, &random) {
      marks.sometimes(.frameSplit)
      let cut = 1 + random.below(chunk.count - 1)
      put(Array(chunk[..<cut]), number, end, earliest)
      put(Array(chunk[cut...]), number, end, earliest + UInt64(random.below(20_000)))
    } else {
      put(chunk, number, end, earliest)
    }
  }

  private func put(_ bytes: [UInt8], _ number: UInt64, _ end: WireEnd, _ earliest: UInt64) {
    guard let arrival = wires[number]?.put(bytes, to: end, at: earliest) else { return }
    schedule.plan(.arrive(wire: number, end: end), at: arrival)
  }

  private func misfortunes(_ frames: [OutgoingFrame]) -> [[UInt8]] {
    var sent: [[UInt8]] = []
    var isLastAlone = false
    for frame in frames {
      guard frame.standsAlone else {
        sent.append(frame.bytes)
        isLastAlone = false
        continue
      }
      if swarm.befalls(.frameLoss, &random) {
        marks.sometimes(.frameLost)
        continue
      }
      if isLastAlone, swarm.has(.reorder), random.oneIn(10) {
        marks.sometimes(.frameReordered)
        sent.insert(frame.bytes, at: sent.count - 1)
      } else {
        sent.append(frame.bytes)
      }
      isLastAlone = true
      if swarm.befalls(.duplicate, &random) {
        marks.sometimes(.frameDuplicated)
        sent.append(frame.bytes)
      }
    }
    return sent
  }

  /// The connection breaks: what is on its way is lost, and each end learns it in its own time.
  func reset(_ number: UInt64) {
    marks.sometimes(.connectionReset)
    wires[number]?.drop()
    for end in [WireEnd.peer, .server] { hangUp(number, end, after: UInt64(random.below(2_000_000))) }
  }

  /// One end closed: what it sent still arrives, and then its end.
  func close(_ number: UInt64, at end: WireEnd) {
    guard wires[number] != nil else { return }
    wires[number]?.close(end)
    hangUp(number, end.other, after: latency())
  }

  func hangUp(_ number: UInt64, _ end: WireEnd, after delay: UInt64) {
    guard let wire = wires[number] else { return }
    let earliest = max(now + delay, links[wire.peer].blockedUntil(end))
    guard let time = wires[number]?.after(earliest, at: end) else { return }
    schedule.plan(.hangUp(wire: number, end: end), at: time)
  }

  func arrive(_ number: UInt64, _ end: WireEnd) {
    guard let bytes = wires[number]?.take(at: end), let wire = wires[number], !wire.isClosed(end), !bytes.isEmpty else {
      return
    }
    noteArrival(bytes)
    switch end {
    case .server:
      if wire.isClosed(.peer) { marks.sometimes(.lateRequestArrived) }
      if wire.life == life { server?.receive(bytes, on: number) }
    case .peer:
      let peer = peers[wire.peer]
      if peer.endpoint.wire == number { peer.receive(bytes) }
    }
  }

  func hungUp(_ number: UInt64, _ end: WireEnd) {
    guard let wire = wires[number], !wire.isClosed(end) else { return }
    wires[number]?.close(end)
    switch end {
    case .server: if wire.life == life { server?.hungUp(number) }
    case .peer:
      let peer = peers[wire.peer]
      if peer.endpoint.wire == number { peer.hungUp() }
    }
    if wire.isClosed(end.other) { wires[number] = nil }
  }
}
