internal import MusterBytes
internal import MusterCluster
internal import MusterCrashStates
internal import MusterHistory
internal import MusterLog

/// Files of a data directory, with their checksums put right.
enum StoredFuzz {
  static func runLive(_ bytes: [UInt8]) {
    run(Layout.live(1), Checksummed.frames(bytes, alignment: Frame.alignment))
  }

  static func runPacked(_ bytes: [UInt8]) {
    run(Layout.sealed(1), Checksummed.frames(Checksummed.trailer(bytes), alignment: 1))
  }

  private static func disk(_ path: String, _ bytes: [UInt8]) -> WeakDisk {
    let disk = WeakDisk(DiskImage())
    try? DirectoryIdentity.write(disk, LogDriver.identity)
    try? disk.makeDirectory(Layout.log)
    try? disk.makeDirectory(Layout.snapshots)
    try? disk.create(path, zeros: 0)
    try? disk.write(path, at: 0, bytes)
    return disk
  }

  private static func run(_ path: String, _ bytes: [UInt8]) {
    let disk = disk(path, bytes)
    try? read(disk)
    guard let plan = try? RecoveryPlan.make(try LogDriver.reader(disk)), (try? plan.execute(disk)) != nil else {
      return
    }
    guard let again = try? RecoveryPlan.make(try LogDriver.reader(disk)) else {
      preconditionFailure("what was recovered can be opened")
    }
    precondition(again.lastRevision == plan.lastRevision && again.tornBytes == 0, "recovery is done once")
  }

  private static func read(_ disk: WeakDisk) throws {
    let log = try LogDriver.reader(disk)
    for segment in log.segments { _ = try? log.checkKeys(segment, against: History.keys) }
    _ = try? log.verifyChain()
    for unit in log.units(from: 1, through: .max) {
      _ = try? log.forEachBlock(in: unit) { block in
        try block.forEachCommit { bytes, _ in
          _ = try Commit(bytes: bytes)
          return true
        }
      }
    }
    for key in 1...4 as ClosedRange<UInt32> {
      var selection = History.everything
      selection.require(anyOf: [LogKey(kind: 2, id: key)])
      _ = try? log.units(from: 1, through: log.lastRevision, matching: selection)
    }
  }

  static func runSnapshot(_ bytes: [UInt8]) {
    let patched = Checksummed.frames(Checksummed.trailer(bytes), alignment: 1)
    let path = Layout.snapshot(100, isBase: true)
    let disk = disk(path, patched)
    let store = SnapshotStore(disk, LogDriver.identity)
    for name in (try? store.list()) ?? [] { _ = try? store.verify(name) }
    try? load(store)
    guard let pages = try? store.pages(atOrBefore: 100) else { return }
    for table in 1...4 as ClosedRange<UInt32> {
      for page in 0...2 as ClosedRange<UInt32> { _ = try? pages.page(PageAddress(table: table, page: page)) }
    }
  }

  private static func load(_ store: SnapshotStore) throws {
    var state = State.empty()
    let manifest = try store.load(atOrBefore: 100) { address, bytes in
      try state.addPage(table: address.table, page: address.page, bytes)
    }
    guard let manifest else { return }
    try state.finishPages(revision: manifest.revision, time: manifest.time)
    state.resumeDigest()
    _ = state.statusReport()
  }
}
