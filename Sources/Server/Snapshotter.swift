internal import Glibc
internal import MusterBytes
internal import MusterCluster
internal import MusterDisk
internal import MusterLog
internal import NIOCore

/// Writes snapshots while the server goes on: views are values, so one can be written as it was for as long as it
/// takes.
struct Snapshotter {
  /// A snapshot follows after at most so many events, so that every moment is near one.
  static let eventsBetween: UInt64 = 200_000

  private let journal: Journal
  private let thread = WorkThread(isBackground: true)
  private var isBusy = false
  private var eventsSince: UInt64 = 0
  /// The view that the newest snapshot of this run is of; what it shares with a later view need not be written again.
  private var previous: State?
  private var depth: UInt32 = 0

  init(_ journal: Journal, since view: State) { self.journal = journal }

  /// Begins a snapshot of `view` when it is time for one.
  mutating func consider(_ view: State, _ header: BlockHeader, _ done: @escaping @Sendable (Bool) -> Void) {
    eventsSince += UInt64(header.eventCount)
    guard !isBusy, eventsSince >= Snapshotter.eventsBetween else { return }
    begin(view, header, done)
  }

  private mutating func begin(_ view: State, _ header: BlockHeader, _ done: @escaping @Sendable (Bool) -> Void) {
    isBusy = true
    eventsSince = 0
    let isBase = previous == nil || depth >= SnapshotWriter.deltasMax
    var manifest = SnapshotManifest()
    manifest.revision = view.revision
    manifest.time = view.time
    manifest.parent = isBase ? 0 : previous?.revision ?? 0
    manifest.depth = isBase ? 0 : depth + 1
    manifest.digestLow = header.digest.low
    manifest.digestHigh = header.digest.high
    manifest.featureLevel = header.origin.featureLevel
    depth = manifest.depth
    let job = SnapshotJob(journal: journal, manifest: manifest, view: view, older: isBase ? nil : previous)
    previous = view
    thread.run { done(job.run()) }
  }

  /// A snapshot was written, or could not be: then the next one begins anew.
  mutating func finished(_ isWritten: Bool) {
    isBusy = false
    if !isWritten { previous = nil }
  }

  func stop() { thread.stop() }
}

/// One snapshot being written.
private struct SnapshotJob: Sendable {
  let journal: Journal
  let manifest: SnapshotManifest
  let view: State
  let older: State?

  /// - Returns: false when it could not be written; the log has everything, so nothing is lost.
  func run() -> Bool {
    do {
      try journal.writeSnapshot(manifest) { add in
        try view.forEachPage(changedSince: older) { table, page, bytes in
          try add(PageAddress(table: table.rawValue, page: page), bytes)
        }
      }
      return true
    } catch {
      return false
    }
  }
}
