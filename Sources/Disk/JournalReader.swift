public import MusterLog

/// A journal that is read in place and never written, also while another process writes it or after one died.
///
/// It shows what was there when it was made: beside a writer up to the last revision that the writer confirmed on disk,
/// else up to the last one that recovery would keep. One thread at a time.
public final class JournalReader {
  private let log: LogReader
  private let snapshots: SnapshotStore
  /// The last revision that is shown.
  public let lastRevision: UInt64

  /// Opens a directory for reading.
  public init(_ directory: String) throws(JournalError) {
    let files = try DataDirectory(directory)
    log = try files.log()
    snapshots = files.snapshots
    lastRevision = files.lastRevision(log)
  }

  init(_ log: LogReader, _ snapshots: SnapshotStore, through lastRevision: UInt64) {
    self.log = log
    self.snapshots = snapshots
    self.lastRevision = lastRevision
  }

  public var identity: LogIdentity { log.identity }
  /// What the questions so far have cost.
  public var cost: ReadCost { log.cost }

  /// Calls `body` with every block that holds a revision of the range, in order, until it returns false. The memory of
  /// a block is good until `body` returns.
  public func forEachBlock(
    from: UInt64 = 1, through: UInt64 = .max, _ body: (BlockView) throws -> Bool
  ) throws {
    try log.forEachBlock(from: from, through: min(through, lastRevision), body)
  }

  /// Calls `body` with the bytes of every commit of the range and its revision, in order, until it returns false. The
  /// memory of a commit is good until `body` returns.
  public func forEachCommit(
    from: UInt64 = 1, through: UInt64 = .max, _ body: (UnsafeRawBufferPointer, UInt64) throws -> Bool
  ) throws {
    let last = min(through, lastRevision)
    try forEachBlock(from: from, through: last) { block in
      try block.forEachCommit { bytes, revision in
        if revision < from { return true }
        if revision > last { return false }
        return try body(bytes, revision)
      }
    }
  }

  /// The last revision of the newest block whose log time is at or before `time`, in microseconds since 1970; nil when
  /// there is none.
  public func lastRevision(atOrBefore time: UInt64) throws -> UInt64? {
    let units = log.units(from: 1, through: lastRevision)
    var low = 0
    var high = units.count
    while low < high {
      let middle = (low + high) / 2
      if units[middle].time <= time { low = middle + 1 } else { high = middle }
    }
    var found = low > 0 ? units[low - 1].lastRevision : nil
    if low < units.count {
      _ = try log.forEachBlock(in: units[low]) { block in
        guard block.header.time <= time else { return false }
        found = block.header.lastRevision
        return true
      }
    }
    return found.map { min($0, lastRevision) }
  }

  /// Calls `page` with every page of the newest snapshot at or before `revision`: table, number, bytes, in ascending
  /// order, each as that snapshot has it.
  ///
  /// - Returns: what the snapshot is of, or nil when there is none.
  public func loadSnapshot(
    atOrBefore revision: UInt64 = .max, _ page: (UInt32, UInt32, UnsafeRawBufferPointer) throws -> Void
  ) throws -> SnapshotDescription? {
    let manifest = try snapshots.load(atOrBefore: min(revision, lastRevision)) { address, bytes in
      try page(address.table, address.page, bytes)
    }
    return manifest.map { SnapshotDescription($0) }
  }

  /// Checks every checksum of every file, the chain from the first block to the last, and the snapshots against it.
  /// Throws at the first fault and says where it is.
  public func verify() throws { _ = try Verification.run(log, snapshots) }
}
