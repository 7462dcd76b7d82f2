package import MusterLog

/// A data directory that is only read, also while a server runs on it or after one died.
package struct DataDirectory: Sendable {
  package let root: String
  package let identity: LogIdentity
  package let storage: FileStorage
  /// A server has the directory: what it has not confirmed yet is not shown.
  package let isServed: Bool

  package init(_ root: String) throws(JournalError) {
    self.root = root
    storage = FileStorage(root: root)
    let files = storage
    identity = try wrap(root) { () throws(LogError) in try DirectoryIdentity.read(files) }
    isServed = DirectoryLock.isHeld(root)
  }

  package func log() throws(JournalError) -> LogReader {
    try wrap(root) { () throws(LogError) in
      try isServed ? LogReader.openChanging(storage, identity) : LogReader.open(storage, identity)
    }
  }

  package var snapshots: SnapshotStore { SnapshotStore(storage, identity) }

  /// The highest revision that may be shown: beside a running server the last one that it confirmed, else the last
  /// one that recovery would keep.
  package func lastRevision(_ log: LogReader) -> UInt64 {
    guard isServed, let live = log.segments.last?.live else { return log.lastRevision }
    return min(log.lastRevision, max(live.durableThrough, live.first - 1))
  }

  /// Checks every file on several threads.
  package func verify(_ log: LogReader, _ depth: Verification.Depth) throws -> Verification {
    let work = try VerificationWork(log, snapshots, depth)
    let contents = log.contents
    let readers = { @Sendable in (log: LogReader(storage, sharing: contents), snapshots: snapshots) }
    let parts = try ParallelWork.run(work.items.count, worker: readers) { reader, place in
      try work.check(place, reader.log, reader.snapshots)
    }
    return try work.join(parts)
  }
}
