internal import MusterCluster
internal import MusterHistory
internal import MusterKernel
internal import MusterLog
internal import MusterSimulatedDisk
internal import MusterWorkload

/// The zeroed segment that stands ready ahead of the writer.
enum SpareState {
  case used, preparing, ready, failed
}

/// What the real server's appender, journal and snapshotter do.
extension SimulatedServer {
  private var diskDelay: UInt64 {
    UInt64(100 + world.random.below(1500)) * (world.isDiskSlow ? 300 : 1)
  }

  /// Hands the next block to the disk, if none is on its way.
  func appendBlocks() {
    guard inFlight == nil, parked == nil, let block = kernel.takeBlock() else { return }
    inFlight = block
    later(.appended, diskDelay)
  }

  /// The disk does its work on the block that was handed to it.
  func appended() throws {
    guard let block = inFlight else { return }
    inFlight = nil
    if block.header.commitCount > 1 { world.marks.sometimes(.groupCommitted) }
    try append(block)
  }

  private func append(_ block: SealedBlock) throws {
    let segment = writer.segmentFirst
    do throws(LogError) {
      writer.isSpareReady = spare == .ready
      try writer.append(block)
    } catch .full {
      // A spare on its way is waited for.
      if spare != .preparing { kernel.storageChanged("no space is left for the log", now) }
      world.marks.sometimes(.blockWaitedForSpace)
      parked = block
      return
    }
    if writer.segmentFirst != segment {
      world.marks.sometimes(.segmentRolled)
      prepareSpare()
      later(.pack, 1000 + diskDelay)
    }
    published(block)
  }

  /// A block is durable: its answers leave.
  func published(_ block: SealedBlock) {
    world.oracle.durable(block, world)
    _ = kernel.blockDurable()
    carryOutEffects()
    flush()
    confirmSoon()
    considerSnapshot(block.header)
  }

  private func retryParked() throws {
    guard let block = parked else { return }
    parked = nil
    try append(block)
  }

  // MARK: Confirmation

  private func confirmSoon() {
    blocksSeen += 1
    guard confirmPlannedAfter == nil else { return }
    confirmPlannedAfter = blocksSeen
    later(.confirm, 10_000)
  }

  /// After 10 ms without a block a frame says how far the log is durable.
  func confirm() throws {
    guard confirmPlannedAfter == blocksSeen, inFlight == nil else {
      confirmPlannedAfter = blocksSeen
      return later(.confirm, 10_000)
    }
    confirmPlannedAfter = nil
    try writer.confirm()
  }

  // MARK: Space

  func prepareSpare() {
    spare = .preparing
    later(.spare, 2000 + 4 * diskDelay)
  }

  func makeSpare() throws {
    do throws(StorageError) {
      try LogWriter.prepareSpare(disk, bytes: world.swarm.segmentBytes, pause: {})
    } catch {
      guard !disk.isDown else { throw error }
      // The space that was taken goes back, so that others have it.
      try? disk.remove(Layout.spare)
      spare = .failed
      world.marks.sometimes(.diskWasFull)
      kernel.storageChanged("no space for the next segment: \(error)", now)
      return later(.spare, 500_000)
    }
    spare = .ready
    if !kernel.readOnlyBecause.isEmpty { world.marks.sometimes(.diskHadRoomAgain) }
    kernel.storageChanged(nil, now)
    try retryParked()
  }

  /// Packs every live segment but the one that is written.
  func packSegments() throws {
    guard let names = try? SegmentName.all(in: disk.list(Layout.log)) else { return }
    let current = writer.segmentFirst
    for (place, name) in names.enumerated() where !name.isSealed && name.first < current && place + 1 < names.count {
      do throws(LogError) {
        try LogWriter.seal(
          disk, SimulatedServer.identity, first: name.first, through: names[place + 1].first - 1, keys: History.keys)
        world.marks.sometimes(.segmentPacked)
      } catch {
        // What cannot be packed stays as it is, whole; reading it will say what is wrong with it.
        guard !disk.isDown else { throw error }
      }
    }
  }

  // MARK: Snapshots

  private func considerSnapshot(_ header: BlockHeader) {
    series.count(header)
    guard snapshotJob == nil, series.isDue else { return }
    snapshotJob = series.next(kernel.view, header, chain: writer.chain)
    later(.snapshot, 1000 + 8 * diskDelay)
  }

  func writeSnapshot() throws {
    guard let job = snapshotJob else { return }
    snapshotJob = nil
    do {
      let snapshot = try SnapshotWriter(disk, SimulatedServer.identity, job.manifest)
      try job.forEachPage { try snapshot.add($0, $1) }
      _ = try snapshot.finish()
      world.marks.sometimes(.snapshotWritten)
    } catch {
      guard !disk.isDown else { throw error }
      world.marks.sometimes(.snapshotFailed)
      series.failed()
    }
  }
}
