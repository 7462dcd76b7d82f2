package import MusterLog

/// What the log owes to those whom it answered, whatever a crash leaves.
package struct LogPromise {
  /// The directory was made: it is a journal from now on.
  package var isCreated = false
  /// Every commit that was acknowledged, by revision less one.
  package var acknowledged: [[UInt8]] = []
  /// The block that is being written: it may be there whole, and never in part.
  package var attempted: [[UInt8]] = []
  /// Snapshots that were finished and that nobody drops.
  package var snapshots: Set<UInt64> = []
  /// Where the history begins, and where it may begin already.
  package var horizon: Horizon?
  package var nextHorizon: Horizon?

  package init() {}
}

extension LogPromise {
  /// Recovers from a crash and checks that everything promised is there, nothing else, and that the log goes on.
  ///
  /// - Parameter watch: is handed the disk before anything is changed on it; `beforeChange` is called until the log is
  ///   recovered.
  /// - Returns: what recovery did.
  @discardableResult
  package func check(_ image: DiskImage, _ watch: (WeakDisk) -> Void = { _ in }) throws -> RecoveryPlan {
    let disk = WeakDisk(image)
    watch(disk)
    let log: LogDriver
    do { log = try open(disk) } catch { throw disk.stopped ?? error }
    disk.beforeChange = {}
    let reader = try LogDriver.reader(disk)
    try checkHorizon(disk, reader)
    let found = try reader.commits()
    try checkCommits(found, from: reader.firstRevision)
    let store = SnapshotStore(disk, LogDriver.identity)
    let there = try store.list().map(\.revision)
    if let missing = snapshots.first(where: { !there.contains($0) }) {
      throw BrokenPromise("the snapshot of revision \(missing) is gone")
    }
    _ = try Verification.run(reader, store)
    try checkGoingOn(log, disk, reader)
    return log.plan
  }

  private func open(_ disk: WeakDisk) throws -> LogDriver {
    do throws(LogError) {
      _ = try DirectoryIdentity.read(disk)
    } catch .absent {
      guard !isCreated else { throw BrokenPromise("the journal is gone") }
      guard try DirectoryIdentity.isVacant(disk) else {
        throw BrokenPromise("neither a journal nor a place where one may be made")
      }
      return try LogDriver.create(disk)
    }
    return try LogDriver(disk)
  }

  private func checkHorizon(_ disk: WeakDisk, _ log: LogReader) throws {
    guard log.horizon == horizon || (nextHorizon != nil && log.horizon == nextHorizon) else {
      throw BrokenPromise("the history begins at \(log.oldestRevision)")
    }
    guard try Cutting.leftovers(disk, LogDriver.identity).isEmpty else {
      throw BrokenPromise("what was cut is still there after a start")
    }
  }

  private func checkCommits(_ found: [[UInt8]], from first: UInt64) throws {
    let kept = acknowledged.dropFirst(Int(first) - 1)
    guard found.count >= kept.count else {
      throw BrokenPromise(
        "\(kept.count - found.count) acknowledged commits are lost, the last of revision \(acknowledged.count)")
    }
    guard found.prefix(kept.count).elementsEqual(kept) else {
      throw BrokenPromise("a commit is another than was acknowledged")
    }
    let rest = found.dropFirst(kept.count)
    guard rest.isEmpty || rest.elementsEqual(attempted) else {
      throw BrokenPromise("\(rest.count) commits are there that nobody wrote so")
    }
  }

  private func checkGoingOn(_ log: LogDriver, _ disk: WeakDisk, _ before: LogReader) throws {
    let commit: [UInt8] = [1, 2, 3]
    if !log.hasRoom(for: 0) { try log.prepareSpare() }
    try log.append([commit])
    let after = try LogDriver.reader(disk)
    guard after.lastRevision == before.lastRevision + 1 else { throw BrokenPromise("the log does not go on") }
    var last: [UInt8] = []
    try after.forEachBlock(from: after.lastRevision, through: after.lastRevision) { block in
      try block.forEachCommit { bytes, _ in
        last = Array(bytes)
        return true
      }
    }
    guard last == commit else { throw BrokenPromise("what was appended after the crash reads as something else") }
  }
}
