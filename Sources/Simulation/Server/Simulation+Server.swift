internal import MusterHistory
internal import MusterLog
internal import MusterSimulatedDisk
internal import MusterWorkload

/// The server's births and deaths.
extension Simulation {
  /// A server starts on what the disk holds.
  func start() throws {
    guard server == nil else { return }
    life += 1
    applyDamageAtRest()
    // Now and then it dies again while it starts.
    if !isCalm, report.starts > 0, swarm.has(.powerLoss), random.oneIn(6) { armPowerLoss(within: 8) }
    do {
      let fresh = try SimulatedServer(self, disk, life: life)
      noteStart(fresh)
      try oracle.restarted(fresh, self)
      if random.oneIn(3), !isDamaged { try oracle.compareAgain(disk, self) }
      server = fresh
      fresh.begin()
    } catch {
      guard disk.isDown || LogError.isOfDisk(error) || isDamaged && LogError.isCorruption(error) else {
        return fail("the log that a crash left cannot be recovered: \(error)")
      }
      if disk.isDown { marks.sometimes(.crashedWhileRecovering) } else if isDamaged { refused() }
      die()
    }
  }

  private func noteStart(_ fresh: SimulatedServer) {
    report.starts += 1
    let plan = fresh.plan
    if wasStoppedCleanly { marks.sometimes(.startedAfterCleanStop) }
    wasStoppedCleanly = false
    if plan.tornBytes > 0 { marks.sometimes(.tornTailCut) }
    for action in plan.actions {
      switch action {
      case .remove(let path):
        marks.sometimes(
          path == Layout.spare ? .spareRemoved : path.hasSuffix(".new") ? .leftoverRemoved : .packedTwice)
      case .rewrite: marks.sometimes(.tailRewritten)
      case .extend: marks.sometimes(.cleanEndExtended)
      case .keepAside, .clear: break
      }
    }
    let newest = (try? SnapshotStore(disk, SimulatedServer.identity).list())?.last
    marks.sometimes(newest == nil ? .startedWithoutSnapshot : .startedFromSnapshot)
    if newest?.isBase == false { marks.sometimes(.startedFromDelta) }
  }

  /// Runs something of the server; when the disk dies or fails under it, the server is dead.
  func serve(_ body: (SimulatedServer) throws -> Void) throws {
    guard let server else { return }
    do {
      try body(server)
    } catch  where disk.isDown || LogError.isOfDisk(error) {
      if !disk.isDown {
        marks.sometimes(.syncFailed)
        hasLostSync = true
      }
      die()
    }
  }

  /// The server is dead; what the disk keeps is what its kind of death leaves.
  func die() {
    server = nil
    life += 1
    if disk.isDown, isPowerLossArmed {
      marks.sometimes(.recoveredAfterPowerLoss)
      if hasLostSync { marks.sometimes(.syncLied) }
      hasLostSync = false
      disk.crash(&random)
    } else {
      marks.sometimes(.recoveredAfterKill)
      disk.restart()
    }
    isPowerLossArmed = false
    // A machine without power says nothing; a process that is gone resets what comes.
    for number in wires.keys.sorted() where !(wires[number]?.isClosed(.peer) ?? true) {
      hangUp(number, .peer, after: UInt64(random.below(random.oneIn(3) ? 20_000_000 : 500_000)))
    }
    for number in wires.keys.sorted() { wires[number]?.close(.server) }
    let delay = !isCalm && random.oneIn(6) ? 20_000_000 : 1_500_000
    schedule.plan(.restart, at: now + 50_000 + UInt64(random.below(delay)))
  }

  func armPowerLoss(within operations: Int) {
    isPowerLossArmed = true
    disk.diesAtOperation = disk.operationCount + 1 + random.below(operations)
  }

  /// Ends the server's process now.
  func kill() {
    guard server != nil else { return }
    disk.restart()
    isPowerLossArmed = false
    die()
  }
}

extension LogError {
  /// The disk failed, and the process ends.
  static func isOfDisk(_ error: any Error) -> Bool {
    if error is StorageError { return true }
    if case .log(let inner)? = error as? HistoryError { return isOfDisk(inner) }
    return switch error as? LogError {
    case .storage, .poisoned: true
    default: false
    }
  }

  /// Something that was durable cannot be read, or does not say what it must.
  static func isCorruption(_ error: any Error) -> Bool {
    if let error = error as? HistoryError { return error.isCorruption }
    if case .corrupt? = error as? LogError { return true }
    return false
  }
}
