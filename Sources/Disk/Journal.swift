internal import Glibc
package import MusterBytes
public import MusterLog

/// How a journal is kept.
public struct JournalOptions: Sendable {
  /// How long a segment is, a multiple of 4 KiB, at most 64 MiB.
  public var segmentBytes = 16 << 20
  /// How live frames are compressed.
  package var codec = Codec.lz4
  /// What commits of packed segments are found by; nil for no index.
  public var keys: CommitKeys?

  public init() {}
}

/// A durable, chained, checksummed log of commits with snapshots beside it.
///
/// One thread at a time appends; `append` returns when the block is on disk. Readers are `JournalReader`s and may run on
/// other threads meanwhile, or in other processes. Threads of the journal's own prepare segments ahead and pack full
/// ones.
public final class Journal: @unchecked Sendable {
  public let directory: String
  public let identity: LogIdentity
  /// What recovery found and did when this was opened.
  public let recovery: RecoveryPlan
  /// The number of this start; it is in every block that is written from now on.
  public let run: UInt64
  package let storage: any Storage & Sendable

  private let lock: DirectoryLock
  private let options: JournalOptions
  private let writer: LogWriter
  private let spare: SpareKeeper
  private let packer = WorkThread(isBackground: true)

  private init(
    _ directory: String, _ storage: any Storage & Sendable, _ lock: DirectoryLock, _ identity: LogIdentity,
    _ plan: RecoveryPlan, _ options: JournalOptions
  ) {
    precondition(options.segmentBytes % Frame.alignment == 0, "a segment is a multiple of 4 KiB")
    precondition(options.segmentBytes <= Frame.segmentBytesMax, "a segment that this makes can be opened again")
    self.directory = directory
    self.storage = storage
    self.lock = lock
    self.identity = identity
    self.options = options
    recovery = plan
    run = plan.lastRun + 1
    spare = SpareKeeper(storage, bytes: options.segmentBytes)
    writer = LogWriter(storage, identity: identity, plan: plan, run: run, segmentBytes: options.segmentBytes)
  }

  /// Makes a journal in a directory that is absent or empty, or where making one was cut short.
  public static func create(
    _ directory: String, identity: LogIdentity, options: JournalOptions = JournalOptions()
  ) throws(JournalError) {
    let storage = FileStorage(root: directory)
    try wrap(directory) { () throws(LogError) in
      try from { () throws(StorageError) in try storage.makeRoot() }
      guard try DirectoryIdentity.isVacant(storage) else { throw .occupied }
    }
    let lock = try take(directory)
    try wrap(directory) { () throws(LogError) in
      guard try DirectoryIdentity.isVacant(storage) else { throw .occupied }
      try DirectoryIdentity.create(storage, identity, segmentBytes: options.segmentBytes)
    }
    lock.release()
  }

  /// True when the directory is absent, or has nothing in it but a lock and what was left of making a journal.
  public static func isVacant(_ directory: String) -> Bool {
    (try? DirectoryIdentity.isVacant(FileStorage(root: directory))) ?? false
  }

  /// Opens a journal for writing: recovers what a crash left, and refuses what is corrupt without changing it.
  public static func open(
    _ directory: String, options: JournalOptions = JournalOptions()
  ) throws(JournalError) -> Journal {
    try open(directory, on: FileStorage(root: directory), options: options)
  }

  /// Opens a journal on files that may fail as a test wants them to.
  package static func open(
    _ directory: String, on storage: any Storage & Sendable, options: JournalOptions
  ) throws(JournalError) -> Journal {
    let identity = try wrap(directory) { () throws(LogError) in
      let identity = try DirectoryIdentity.read(storage)
      guard try BackupManifest.read(storage) == nil else { throw .isBackup }
      return identity
    }
    let lock = try take(directory)
    let plan = try wrap(directory) { () throws(LogError) in
      let plan = try RecoveryPlan.make(try LogReader.open(storage, identity))
      try plan.execute(storage)
      return plan
    }
    let journal = Journal(directory, storage, lock, identity, plan, options)
    // What recovery kept is durable now; those who read beside this writer may see it.
    try wrap(directory) { () throws(LogError) in try journal.confirm() }
    journal.spare.prepareNext()
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
    let before = writer.segmentFirst
    do throws(LogError) {
      try writer.append(block, codec: options.codec)
    } catch .full {
      // A spare may be ready that the writer has not heard of, or be on its way.
      guard spare.awaitReady() else { throw .full }
      writer.isSpareReady = true
      try writer.append(block, codec: options.codec)
    }
    guard writer.segmentFirst != before else { return }
    spare.prepareNext()
    packFullSegments()
  }

  /// To be called when nothing was appended for some 10 ms: says on disk how far the log is durable.
  public func confirm() throws(LogError) { try writer.confirm() }

  /// Ends writing: the last frame says that nothing follows it. The directory may then be opened again.
  public func close() throws(LogError) {
    defer { lock.release() }
    spare.stop()
    packer.stop()
    try writer.confirm(isFinal: true)
  }

  /// Calls `observer` when space for the next segment can't be had, with the reason, and with nil when it can (again).
  /// Until then there is what is left of the present segment.
  public func observeSpace(_ observer: @escaping @Sendable (String?) -> Void) { spare.observe(observer) }

  /// Packs every live segment but the one that is written.
  private func packFullSegments() {
    let current = writer.segmentFirst
    packer.run { [storage, identity, keys = options.keys] in
      guard let names = try? SegmentName.all(in: storage.list(Layout.log)) else { return }
      for (place, name) in names.enumerated() where !name.isSealed && name.first < current && place + 1 < names.count {
        // What cannot be packed stays as it is, whole; reading it will say what is wrong with it.
        try? LogWriter.seal(
          storage, identity, first: name.first, through: names[place + 1].first - 1, keys: keys
        ) { usleep(500) }
      }
    }
  }

  // MARK: Reading

  /// The snapshots, for one thread.
  package var snapshots: SnapshotStore { SnapshotStore(storage, identity) }

  /// A reader of all that is durable now, for the thread that appends; it may then be handed to another.
  public func openReader() throws(JournalError) -> JournalReader {
    try wrap(directory) { () throws(LogError) in
      JournalReader(try reader(), snapshots, through: writer.durable)
    }
  }

  /// Opens the log for reading as it is now. Several readers may be used at once, each by one thread.
  ///
  /// - Parameter older: a reader from before: what it knows of packed segments is not read again.
  package func reader(reusing older: LogReader? = nil) throws(LogError) -> LogReader {
    try LogReader.openChanging(storage, identity, reusing: older)
  }
}

/// Turns the errors of files into the log's.
func from<T>(_ body: () throws(StorageError) -> T) throws(LogError) -> T {
  do throws(StorageError) { return try body() } catch { throw .storage(error) }
}

/// Says whose directory an error is about.
func wrap<T>(_ directory: String, _ body: () throws(LogError) -> T) throws(JournalError) -> T {
  do throws(LogError) { return try body() } catch { throw .log(error, directory: directory) }
}
