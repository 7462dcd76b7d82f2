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
  @exclusivity(unchecked) private var connections: [UInt64: ConnectionHandler] = [:]
  /// The one that was last looked up.
  @exclusivity(unchecked) private var recent: ConnectionHandler?
  private var nextConnection: UInt64 = 1
  @exclusivity(unchecked) private var dirty: [ConnectionHandler] = []
  @exclusivity(unchecked) private var isTickEnding = false
  var recalls = RecallTable()
  var appender: Appender
  var snapshotter: Snapshotter
  let auditor: Auditor
  /// The revision that the newest checkpoint is of, and why there is none of a later one.
  var checkpointed: Revision = 0
  var checkpointProblem: String?
  private var listener: (any Channel)?
  /// Called once, on the loop, when nothing can be written any more.
  package var onFailure: (LogError) -> Void = { _ in }

  /// Connections that may be open at once.
  package static let connectionsMax = 4096
  /// Bytes of answers that wait for the end of a tick at most.
  private static let outboxMax = 1 << 20
  private static let tickMilliseconds: Int64 = 100

  package init(_ journal: Journal, _ kernel: Kernel, _ auditor: Auditor, on loop: any EventLoop) {
    self.journal = journal
    self.kernel = kernel
    self.auditor = auditor
    self.loop = loop
    archive = Archive(journal)
    appender = Appender(journal)
    snapshotter = Snapshotter(journal)
  }

  // MARK: Connections

  func connectionOpened(_ connection: ConnectionHandler) { connections[connection.id] = connection }

  func connectionClosed(_ id: UInt64) {
    guard connections.removeValue(forKey: id) != nil else { return }
    recent = nil
    kernel.connectionClosed(id)
    recalls.remove(connection: id)
  }

  package var connectionCount: Int { connections.count }

  /// Who speaks with a new connection: nobody but a short farewell when there are too many.
  private func accept(_ channel: any Channel) throws {
    guard connections.count < Server.connectionsMax else {
      return try channel.pipeline.syncOperations.addHandler(RejectionHandler())
    }
    let greeting = ServerGreeting(
      clusterID: kernel.identity.clusterID, timeline: kernel.identity.timeline, software: kernel.identity.version)
    defer { nextConnection += 1 }
    try channel.pipeline.syncOperations.addHandler(
      ConnectionHandler(
        id: nextConnection, server: self, machine: ServerConnection(greeting, now: Clock.now().monotonic)))
  }

  // MARK: Calls

  func request(
    _ call: CallID, from caller: Caller, method: UInt16, credit: UInt32, _ payload: UnsafeRawBufferPointer, now: Now
  ) {
    kernel.receive(call, from: caller, method: method, credit: credit, payload: payload, now: now)
    noteFilling()
    // Long answers move on at once, so that a client that asks for many of them is the one that feels it.
    if kernel.outbox.count > Server.outboxMax { carryOutEffects() }
  }

  func grant(_ call: CallID, _ credit: UInt32) {
    if recalls.grant(call, credit) { pump(call) } else { kernel.grant(call, credit) }
  }

  func cancel(_ call: CallID) {
    guard recalls.remove(call) || kernel.cancel(call) else { return }
    send(.error, call, RPCError(.cancelled, "the call was called off").encoded())
  }

  /// The deadline of a call has passed: whatever still comes of it is not sent.
  func expire(_ call: CallID) {
    _ = recalls.remove(call) || kernel.cancel(call)
  }

  /// A connection that was stuck can be sent more.
  func resume(_ connection: ConnectionHandler) {
    for call in recalls.calls(of: connection.id) { pump(call) }
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
    flightBegan = fillingBegan
    fillingBegan = nil
    if appender.isWorthWaiting(for: block) {
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
      if let began = flightBegan { commitLatency.record(Clock.microseconds() - began) }
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
    var next = 0
    while next < kernel.effects.count {
      defer { next += 1 }
      switch kernel.effects[next] {
      case .reply(let call, let range): send(.reply, call, range)
      case .item(let call, let range): send(.item, call, range)
      case .fail(let call, let error): send(.error, call, error.encoded())
      case .recall(let call, let recall): begin(call, recall)
      case .destroyKeys(let tenant, let through): destroyKeys(tenant, through)
      case .catchUp(let call, let from, let through, let limit): catchUp(call, from, through, limit)
      }
    }
    kernel.effectsDone()
  }

  private func send(_ kind: WireKind, _ call: CallID, _ range: Range<Int>) {
    connection(call)?.send(kind, call.call, UnsafeRawBufferPointer(rebasing: kernel.outbox.bytes[range]))
  }

  /// The connection that a call came on, if it is still there. Answers come in runs for one connection.
  private func connection(_ call: CallID) -> ConnectionHandler? {
    if let recent, recent.id == call.connection { return recent }
    recent = connections[call.connection]
    return recent
  }

  /// Sends a message that did not come from the kernel.
  func send(_ kind: WireKind, _ call: CallID, _ payload: [UInt8]) {
    connection(call)?.send(kind, call.call, payload)
  }

  /// True when the client does not read what it was sent already.
  func isStuck(_ call: CallID) -> Bool { connection(call)?.isStuck ?? false }

  private func flush() {
    let ready = dirty
    dirty = []
    for connection in ready { connection.flush() }
  }

  // MARK: Time

  /// From the first command of a block to its durability.
  private(set) var commitLatency = LatencyHistogram()
  /// When the first command of the block that fills came, and of the one on its way to the disk.
  private var fillingBegan: UInt64?
  private var flightBegan: UInt64?

  private func noteFilling() {
    if fillingBegan == nil, kernel.sequencer.isFilling { fillingBegan = Clock.microseconds() }
  }

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
    noteFilling()
    endTickSoon()
    armTick()
  }

  private var ticks: UInt64 = 0

  private func armTick() {
    guard !isStopping else { return }
    loop.assumeIsolated().scheduleTask(in: .milliseconds(Server.tickMilliseconds)) { [self] in tick() }
  }

  // MARK: Beginning and end

  private(set) var isStopping = false

  /// Begins to listen, and to let time pass. The future is the port that was bound.
  package func start(_ address: ListenAddress) -> EventLoopFuture<Int> {
    armTick()
    beginCheckpoints()
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
      .childChannelOption(.writeBufferWaterMark, value: ConnectionHandler.waterMark)
      .childChannelOption(
        .recvAllocator, value: AdaptiveRecvByteBufferAllocator(minimum: 2048, initial: 16384, maximum: 262_144)
      )
      .childChannelInitializer { channel in
        channel.eventLoop.makeCompletedFuture { try bound.value.accept(channel) }
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
    listener = nil
    while appender.isBusy == false, let block = kernel.takeBlock() {
      try appender.append(block).get()
      _ = kernel.blockDurable()
      carryOutEffects()
    }
    flush()
    for connection in Array(connections.values) { connection.leave() }
    auditor.stop(signing: kernel.view.revision == checkpointed ? nil : kernel.view.revision)
    archive.stop()
    snapshotter.stop()
    appender.stop()
    try journal.close()
  }
}
