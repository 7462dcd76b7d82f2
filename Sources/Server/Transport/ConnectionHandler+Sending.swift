internal import MusterBytes
internal import MusterProtocol
internal import NIOCore

/// What goes out is gathered in one buffer and written once a tick.
extension ConnectionHandler {
  /// When more than `high` bytes wait for the client to read, nothing more is read from it until fewer than `low` do.
  static let waterMark = ChannelOptions.Types.WriteBufferWaterMark(low: 2 << 20, high: 8 << 20)
  /// A client that granted so much credit and reads none of it is cut off: a watcher comes back where it was.
  static let unreadMax = 64 << 20
  /// So much is written before the end of the tick.
  static let flushEarlyBytes = 1 << 20
  /// A buffer that grew larger is not kept.
  private static let keptCapacity = 1 << 20

  /// Appends the answer of a call, or an element of it, unless the call is not open any more.
  func send(_ kind: WireKind, _ call: UInt32, _ payload: UnsafeRawBufferPointer) {
    guard kind == .item ? machine.isOpen(call) : machine.answer(call) else { return }
    append(kind, call: call, payload)
  }

  func send(_ kind: WireKind, _ call: UInt32, _ payload: [UInt8]) {
    payload.withUnsafeBytes { send(kind, call, $0) }
  }

  func append(_ kind: WireKind, call: UInt32 = 0, _ payload: [UInt8]) {
    payload.withUnsafeBytes { append(kind, call: call, $0) }
  }

  private func append(_ kind: WireKind, call: UInt32, _ payload: UnsafeRawBufferPointer) {
    let head = FrameHead(kind, length: payload.count, call: call)
    let size = FrameHead.byteCount + payload.count
    outgoing.writeWithUnsafeMutableBytes(minimumWritableBytes: size) { target in
      head.store(into: target)
      UnsafeMutableRawBufferPointer(rebasing: target[FrameHead.byteCount...]).copyMemory(from: payload)
      return size
    }
    if !isDirty {
      isDirty = true
      server.markDirty(self)
    }
  }

  /// Writes what was gathered.
  func flush() {
    isDirty = false
    guard let context, outgoing.readableBytes > 0 else { return }
    context.writeAndFlush(wrapOutboundOut(outgoing), promise: nil)
    if outgoing.capacity > ConnectionHandler.keptCapacity { outgoing = ByteBuffer() } else { outgoing.clear() }
    if !context.channel.isWritable { limitUnread(context) }
  }

  private func limitUnread(_ context: ChannelHandlerContext) {
    let unread = try? context.channel.syncOptions?.getOption(.bufferedWritableBytes)
    if let unread, unread > ConnectionHandler.unreadMax { context.close(promise: nil) }
  }

  // MARK: Closing

  /// Says why, says nothing more, and lets the client read it: a socket that is closed with bytes unread forgets
  /// what it still had to send.
  func farewell(_ kind: WireKind, _ error: RPCError) {
    append(kind, error.encoded())
    flush()
    context?.close(mode: .output, promise: nil)
  }

  /// The server stops.
  func leave() {
    append(.goAway, RPCError(.unavailable, "the server stops", retryAfterMilliseconds: 1000).encoded())
    flush()
    context?.close(promise: nil)
  }
}
