internal import Glibc
package import MusterBytes
public import MusterLog
internal import Synchronization

/// How a journal is kept.
public struct JournalOptions: Sendable {
  /// How long a segment is, a multiple of 4 KiB.
  public var segmentBytes = 16 << 20
  /// How live frames are compressed.
  package var codec = Codec.lz4

  public init() {}
}

/// A durable, chained, checksummed log of commits with snapshots beside it.
///
/// One thread at a time appends; `append` returns when the block is on disk. Readers are made with `reader()` and may
/// run on other threads meanwhile. A thread of the journal's own prepares segments ahead and packs full ones.
public final class Journal: @unchecked Sendable {
  public let directory: String
  public let identity: LogIdentity
  /// What recovery found and did when this was opened.
  public let recovery: RecoveryPlan
  /// The number of this start; it is in every block that is written from now on.
  public let run: UInt64
  package let storage: FileStorage
  package let snapshots: SnapshotStore

  private let lock: DirectoryLock
  private let options: JournalOptions
  private let writer: LogWriter
  private let worker = WorkThread(isBackground: true)
  private let shared = Mutex(Shared())

  /// What the worker and the appending thread both touch.
  private struct Shared {
    var isSpareReady = false
    var isPreparing = false
    var isClosed = false
    var problem: String?
    var observer: (@Sendable (String?) -> Void)?
  }

  private init(
    _ storage: FileStorage, _ lock: DirectoryLock, _ identity: LogIdentity, _ plan: RecoveryPlan,
    _ options: JournalOptions
  ) {
    directory = storage.root
    self.storage = storage
    self.lock = lock
    self.identity = identity
    self.options = options
    recovery = plan
    run = plan.lastRun + 1
    snapshots = SnapshotStore(storage, identity)
    writer = LogWriter(storage, identity: identity, plan: plan, run: run, segmentBytes: options.segmentBytes)
  }

  /// Makes a journal in a directory that is absent or empty.
  public static func create(
    _ directory: String, identity: LogIdentity, options: JournalOptions = JournalOptions()
  ) throws(JournalError) {
    let storage = FileStorage(root: directory)
    try wrap(directory) { () throws(LogError) in
      try from { () throws(StorageError) in try storage.makeDirectory(Layout.root) }
      let names = try from { () throws(StorageError) in try storage.list(Layout.root) }
      guard names.allSatisfy({ $0 == Layout.lock }) else { throw .occupied }
    }
    let lock = try take(directory)
    try wrap(directory) { () throws(LogError) in
      try DirectoryIdentity.create(storage, identity, segmentBytes: options.segmentBytes)
    }
    withExtendedLifetime(lock) {}
  }

  /// True when the directory is absent or has nothing in it but a lock.
  public static func isVacant(_ directory: String) -> Bool {
    guard let names = try? FileStorage(root: directory).list(Layout.root) else { return false }
    return names.allSatisfy { $0 == Layout.lock }
  }

  /// Opens a journal for writing: recovers what a crash left, and refuses what is corrupt without changing it.
  public static func open(
    _ directory: String, options: JournalOptions = JournalOptions()
  ) throws(JournalError) -> Journal {
    let storage = FileStorage(root: directory)
    let identity = try wrap(directory) { () throws(LogError) in try DirectoryIdentity.read(storage) }
    let lock = try take(directory)
    let plan = try wrap(directory) { () throws(LogError) in
      let plan = try RecoveryPlan.make(try openLog(storage, identity))
      try plan.execute(storage)
      return plan
    }
    let journal = Journal(storage, lock, identity, plan, options)
    journal.prepareAhead()
    journal.packFullSegments()
    return journal
  }

  private static func take(_ directory: String) throws(JournalError) -> DirectoryLock {
    let lock = try wrap(directory) { () throws(LogError) in
      try from { () throws(StorageError) in try DirectoryLock.take(directory) }
    }
    guard let lock else { throw .locked(directory) }
    return lock
  }

  /// Opens the log of a directory for reading.
  package static func openLog(_ storage: FileStorage, _ identity: LogIdentity) throws(LogError) -> LogReader {
    let newest = try SnapshotStore(storage, identity).list().last
    return try LogReader(storage, identity: identity, confirmed: newest?.revision ?? 0)
  }

  /// Opens a log that is written meanwhile: a file may get its packed form between the listing and the reading.
  package static func openChangingLog(_ storage: FileStorage, _ identity: LogIdentity) throws(LogError) -> LogReader {
    for _ in 0..<3 {
      if let log = try? openLog(storage, identity) { return log }
    }
    return try openLog(storage, identity)
  }

  // MARK: Appending

  /// The last revision that is on disk.
  public var lastRevision: UInt64 { writer.durable }

  /// The chain value of the last block: the next one is built upon it.
  package var chain: SHA256Value { writer.chain }

  /// A builder for the next blocks.
  public func builder() -> BlockBuilder { BlockBuilder(after: writer.chain) }

  /// Writes a block and returns when it is durable.
  ///
  /// - Throws: `.full` with nothing written when no prepared space is left; `.poisoned` when a write or sync failed,
  ///   now or before: then only a new start finds out what is on disk.
  public func append(_ block: SealedBlock) throws(LogError) {
    writer.isSpareReady = shared.withLock { $0.isSpareReady }
    let before = writer.segmentFirst
    try writer.append(block, codec: options.codec)
    guard writer.segmentFirst != before else { return }
    shared.withLock { $0.isSpareReady = false }
    prepareAhead()
    packFullSegments()
  }

  /// To be called when nothing was appended for some 10 ms: says on disk how far the log is durable.
  public func confirm() throws(LogError) { try writer.confirm() }

  /// Ends writing: the last frame says that nothing follows it. The directory may be opened again.
  public func close() throws(LogError) {
    defer { lock.release() }
    shared.withLock {
      $0.isClosed = true
      $0.observer = nil
    }
    worker.stop()
    try writer.confirm(isFinal: true)
  }

  // MARK: Space

  /// Calls `observer` when space for the next segment can't be had, with the reason, and with nil when it can again.
  public func observeSpace(_ observer: @escaping @Sendable (String?) -> Void) {
    let problem = shared.withLock { shared in
      shared.observer = observer
      return shared.problem
    }
    if let problem { observer(problem) }
  }

  private func prepareAhead() {
    let mustStart = shared.withLock { shared in
      guard !shared.isSpareReady, !shared.isPreparing else { return false }
      shared.isPreparing = true
      return true
    }
    if mustStart { worker.run { [self] in prepareSpare() } }
  }

  private func prepareSpare() {
    do throws(StorageError) {
      try LogWriter.prepareSpare(storage, bytes: options.segmentBytes) { usleep(500) }
      report(problem: nil, isReady: true)
    } catch {
      // The space that was taken goes back, so that others, and the alarm's own commit, have it.
      try? storage.remove(Layout.spare)
      report(problem: "no space for the next segment: \(error.message)", isReady: false)
      let goesOn = shared.withLock { !$0.isClosed }
      guard goesOn else { return }
      usleep(500_000)
      prepareSpare()
    }
  }

  private func report(problem: String?, isReady: Bool) {
    let observer = shared.withLock { shared in
      shared.isSpareReady = isReady
      shared.isPreparing = !isReady
      defer { shared.problem = problem }
      return shared.problem == problem ? nil : shared.observer
    }
    observer?(problem)
  }

  // MARK: Packing

  /// Packs every live segment but the one that is written.
  private func packFullSegments() {
    let current = writer.segmentFirst
    worker.run { [self] in
      guard let names = try? SegmentName.all(in: storage.list(Layout.log)) else { return }
      for (place, name) in names.enumerated() where !name.isSealed && name.first < current && place + 1 < names.count {
        // What cannot be packed stays as it is, whole; reading it will say what is wrong with it.
        try? LogWriter.seal(storage, identity, first: name.first, through: names[place + 1].first - 1)
      }
    }
  }

  // MARK: Reading

  /// Opens the log for reading as it is now. Several readers may be used at once, each by one thread.
  package func reader() throws(LogError) -> LogReader { try Journal.openChangingLog(storage, identity) }
}

/// Turns the errors of files into the log's.
func from<T>(_ body: () throws(StorageError) -> T) throws(LogError) -> T {
  do throws(StorageError) { return try body() } catch { throw .storage(error) }
}

/// Says whose directory an error is about.
func wrap<T>(_ directory: String, _ body: () throws(LogError) -> T) throws(JournalError) -> T {
  do throws(LogError) { return try body() } catch { throw .log(error, directory: directory) }
}

// MARK: - Sizes

extension Journal {
  /// Bytes of the log and of the snapshots, as the files' lengths say; 0 for what cannot be read.
  package func sizes() -> (log: UInt64, snapshots: UInt64) {
    (size(of: Layout.log), size(of: Layout.snapshots))
  }

  private func size(of directory: String) -> UInt64 {
    let names = (try? storage.list(directory)) ?? []
    return names.reduce(0) { sum, name in
      sum + UInt64(((try? storage.size(directory + "/" + name)) ?? nil) ?? 0)
    }
  }
}

// MARK: - Snapshots

extension Journal {
  /// Writes a snapshot: `pages` is handed a function that takes each page, in ascending order. May run on any thread.
  ///
  /// - Returns: the bytes written.
  @discardableResult
  package func writeSnapshot(
    _ manifest: SnapshotManifest,
    _ pages: ((PageAddress, UnsafeRawBufferPointer) throws -> Void) throws -> Void
  ) throws -> Int {
    let writer = try SnapshotWriter(storage, identity, manifest)
    try pages { try writer.add($0, $1) }
    return try writer.finish()
  }
}
