internal import Glibc
internal import MusterBytes
internal import MusterCluster
package import MusterDisk
internal import MusterHistory
package import MusterKernel
package import MusterLog
internal import MusterProtocol
package import NIOCore
internal import NIOPosix

/// The control plane's body: one event loop that owns the kernel, the journal it writes, and the threads that read
/// the past.
///
/// Everything here runs on the loop unless it says otherwise.
package final class Server {
  package let journal: Journal
  package let kernel: Kernel
  package let loop: any EventLoop
  let archive: Archive
  private var connections: [UInt64: ConnectionHandler] = [:]
  private var callers: [UInt64: Caller] = [:]
  private var nextConnection: UInt64 = 1
  private var dirty: [ConnectionHandler] = []
  private var isTickEnding = false
  var recalls = RecallTable()
  var appender: Appender
  var snapshotter: Snapshotter
  private var listener: (any Channel)?
  /// Called once, on the loop, when nothing can be written any more.
  package var onFailure: (LogError) -> Void = { _ in }

  /// Connections that may be open at once.
  package static let connectionsMax = 4096
  private static let tickMilliseconds: Int64 = 100

  package init(_ journal: Journal, _ kernel: Kernel, on loop: any EventLoop) {
    self.journal = journal
    self.kernel = kernel
    self.loop = loop
    archive = Archive(journal)
    appender = Appender(journal)
    snapshotter = Snapshotter(journal)
  }

  // MARK: Connections

  func connectionOpened(_ connection: ConnectionHandler, _ hello: Hello) {
    callers[connection.id] = Caller(principal: hello.principal, kind: hello.kind, assurance: .asserted)
  }

  func connectionClosed(_ id: UInt64) {
    connections[id] = nil
    callers[id] = nil
    kernel.connectionClosed(id)
    recalls.remove(connection: id)
  }

  package var connectionCount: Int { connections.count }

  private func accept() -> ConnectionHandler? {
    guard connections.count < Server.connectionsMax else { return nil }
    let machine = ServerConnection(
      clusterID: kernel.identity.clusterID, timeline: kernel.identity.timeline, software: kernel.identity.version)
    let handler = ConnectionHandler(id: nextConnection, server: self, machine: machine)
    connections[nextConnection] = handler
    nextConnection += 1
    return handler
  }

  // MARK: Calls

  func request(
    _ connection: ConnectionHandler, call: UInt32, method: UInt16, credit: UInt32, _ payload: UnsafeRawBufferPointer
  ) {
    guard let caller = callers[connection.id] else { return }
    kernel.receive(
      CallID(connection: connection.id, call: call), from: caller, method: method, credit: credit, payload: payload,
      now: Clock.now())
    if blockBegan == nil, !kernel.sequencer.isIdle { blockBegan = Clock.microseconds() }
    endTickSoon()
  }

  func grant(_ connection: ConnectionHandler, call: UInt32, _ credit: UInt32) {
    let id = CallID(connection: connection.id, call: call)
    if recalls.grant(id, credit) { pump(id) } else { kernel.grant(id, credit) }
    endTickSoon()
  }

  func cancel(_ connection: ConnectionHandler, call: UInt32) {
    let id = CallID(connection: connection.id, call: call)
    guard recalls.remove(id) || kernel.cancel(id) else { return }
    connection.send(.error, call, RPCError(.cancelled, "the call was called off").encoded())
    endTickSoon()
  }

  // MARK: The end of a tick

  func markDirty(_ connection: ConnectionHandler) {
    dirty.append(connection)
    endTickSoon()
  }

  /// Everything that is ready to be read is read first; then, once, blocks are written and answers are sent.
  func endTickSoon() {
    guard !isTickEnding else { return }
    isTickEnding = true
    loop.assumeIsolated().execute { [self] in endTick() }
  }

  private func endTick() {
    isTickEnding = false
    carryOutEffects()
    flush()
    appendBlocks()
  }

  /// Hands the next block to the disk, if none is on its way.
  func appendBlocks() {
    guard !appender.isBusy, let block = kernel.takeBlock() else { return }
    if appender.isDiskFast {
      finish(appender.append(block), block)
    } else {
      appendElsewhere(block)
    }
  }

  /// The disk's thread is done with a block.
  func appended(_ block: SealedBlock, _ result: Result<Void, LogError>, _ microseconds: UInt64) {
    appender.finished(microseconds)
    finish(result, block)
  }

  private func finish(_ result: Result<Void, LogError>, _ block: SealedBlock) {
    switch result {
    case .success:
      if let began = blockBegan { commitLatency.record(Clock.microseconds() - began) }
      blockBegan = nil
      // The replaced view goes only after the answers have left: freeing its pages is nobody's wait.
      let replaced = kernel.blockDurable()
      carryOutEffects()
      flush()
      withExtendedLifetime(replaced) {}
      confirmSoon()
      considerSnapshot(block.header)
      endTickSoon()
    case .failure(.full):
      kernel.storageChanged("no space is left for the log", Clock.now())
      appender.park(block)
    case .failure(let error):
      onFailure(error)
    }
  }

  private func considerSnapshot(_ header: BlockHeader) {
    let bound = NIOLoopBound(self, eventLoop: loop)
    snapshotter.consider(kernel.view, header) { [loop] isWritten in
      loop.execute { bound.value.snapshotter.finished(isWritten) }
    }
  }

  /// A block that found no space is tried again.
  private func retryParked() {
    guard let block = appender.unpark() else { return }
    finish(appender.append(block), block)
  }

  /// Carries out what the kernel wants, in order.
  func carryOutEffects() {
    guard !kernel.effects.isEmpty else { return }
    let effects = kernel.effects
    for effect in effects {
      switch effect {
      case .reply(let call, let range): send(.reply, call, range)
      case .item(let call, let range): send(.item, call, range)
      case .fail(let call, let error): connections[call.connection]?.send(.error, call.call, error.encoded())
      case .recall(let call, let recall): begin(call, recall)
      case .catchUp(let call, let from, let through, let limit): catchUp(call, from, through, limit)
      }
    }
    kernel.effectsDone()
  }

  private func send(_ kind: WireKind, _ call: CallID, _ range: Range<Int>) {
    guard let connection = connections[call.connection] else { return }
    connection.send(kind, call.call, UnsafeRawBufferPointer(rebasing: kernel.outbox.bytes[range]))
  }

  /// Sends a message that did not come from the kernel.
  func send(_ kind: WireKind, _ call: CallID, _ payload: [UInt8]) {
    connections[call.connection]?.send(kind, call.call, payload)
  }

  private func flush() {
    let ready = dirty
    dirty = []
    for connection in ready { connection.flush() }
  }

  // MARK: Time

  /// From the first command of a block to its durability.
  private(set) var commitLatency = LatencyHistogram()
  private var blockBegan: UInt64?
  private(set) var sizes: (log: UInt64, snapshots: UInt64) = (0, 0)
  private var cachedStatus: StatusReport?
  private var cachedAt: Revision?

  /// The counts of the present state; made anew only when it changed.
  func statusForMetrics() -> StatusReport {
    if let cachedStatus, cachedAt == kernel.view.revision { return cachedStatus }
    let status = kernel.view.statusReport()
    cachedStatus = status
    cachedAt = kernel.view.revision
    return status
  }

  private var isConfirming = false
  private var blocksSeen: UInt64 = 0

  /// After 10 ms without a block a frame says how far the log is durable.
  private func confirmSoon() {
    blocksSeen += 1
    guard !isConfirming else { return }
    isConfirming = true
    armConfirmation(after: blocksSeen)
  }

  private func armConfirmation(after seen: UInt64) {
    loop.assumeIsolated().scheduleTask(in: .milliseconds(10)) { [self] in
      guard seen == blocksSeen, !appender.isBusy else {
        armConfirmation(after: blocksSeen)
        return
      }
      isConfirming = false
      do throws(LogError) { try journal.confirm() } catch { onFailure(error) }
    }
  }

  private func tick() {
    retryParked()
    ticks += 1
    if ticks % 10 == 1 { sizes = journal.sizes() }
    kernel.tick(Clock.now())
    endTickSoon()
    armTick()
  }

  private var ticks: UInt64 = 0

  private func armTick() {
    guard !isStopping else { return }
    loop.assumeIsolated().scheduleTask(in: .milliseconds(Server.tickMilliseconds)) { [self] in tick() }
  }

  // MARK: Beginning and end

  private var isStopping = false

  /// Begins to listen, and to let time pass. The future is the port that was bound.
  package func start(_ address: ListenAddress) -> EventLoopFuture<Int> {
    armTick()
    let bound = NIOLoopBound(self, eventLoop: loop)
    journal.observeSpace { [loop] problem in
      loop.execute {
        bound.value.kernel.storageChanged(problem, Clock.now())
        bound.value.endTickSoon()
      }
    }
    let bootstrap = ServerBootstrap(group: loop)
      .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
      .serverChannelOption(.backlog, value: 1024)
      .childChannelOption(.socketOption(.tcp_nodelay), value: 1)
      .childChannelOption(
        .writeBufferWaterMark, value: .init(low: ConnectionHandler.outgoingMax / 2, high: ConnectionHandler.outgoingMax)
      )
      .childChannelOption(
        .recvAllocator, value: AdaptiveRecvByteBufferAllocator(minimum: 2048, initial: 16384, maximum: 262_144)
      )
      .childChannelInitializer { channel in
        guard let handler = bound.value.accept() else { return channel.close() }
        return channel.eventLoop.makeCompletedFuture { try channel.pipeline.syncOperations.addHandler(handler) }
      }
    return bootstrap.bind(host: address.host, port: address.port).assumeIsolated().map { [self] channel in
      listener = channel
      return channel.localAddress?.port ?? address.port
    }.nonisolated()
  }

  /// Stops listening, lets what was begun become durable, and ends the log cleanly.
  package func stop() throws(LogError) {
    isStopping = true
    listener?.close(promise: nil)
    while appender.isBusy == false, let block = kernel.takeBlock() {
      try appender.append(block).get()
      _ = kernel.blockDurable()
      carryOutEffects()
    }
    flush()
    for connection in connections.values { connection.close() }
    archive.stop()
    snapshotter.stop()
    appender.stop()
    try journal.close()
  }
}
