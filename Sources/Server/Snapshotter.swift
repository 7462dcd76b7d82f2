internal import Glibc
internal import MusterBytes
package import MusterCluster
package import MusterDisk
package import MusterLog

/// One snapshot to be written.
package struct SnapshotJob: Sendable {
  fileprivate let journal: Journal
  fileprivate let manifest: SnapshotManifest
  fileprivate let view: State
  fileprivate let older: State?

  /// Writes it: all pages, or those that changed since the one before.
  package func run() throws {
    try journal.writeSnapshot(manifest) { add in
      try view.forEachPage(changedSince: older) { table, page, bytes in
        try add(PageAddress(table: table.rawValue, page: page), bytes)
      }
    }
  }
}

/// Decides when a snapshot is due, and what it must hold: a base, then deltas of pages that changed.
///
/// The deltas of a group together hold at most as many pages as its base, so that loading one costs at most twice what
/// the state does, and a change costs what it changed.
package struct SnapshotSeries {
  /// A snapshot follows after at most so many events, so that every moment is near one.
  package static let eventsBetween: UInt64 = 200_000

  private let journal: Journal
  private var eventsSince: UInt64 = 0
  /// The view that the newest snapshot of this run is of; what a later view shares with it need not be written again.
  private var previous: State?
  private var depth: UInt32 = 0
  /// Pages in the deltas since the base.
  private var deltaPages = 0

  package init(_ journal: Journal) { self.journal = journal }

  package mutating func count(_ header: BlockHeader) { eventsSince += UInt64(header.eventCount) }

  package var isDue: Bool { eventsSince >= SnapshotSeries.eventsBetween }

  /// The next snapshot, of the state after the block of `header`.
  package mutating func next(_ view: State, _ header: BlockHeader) -> SnapshotJob {
    precondition(
      header.lastRevision == view.revision && journal.lastRevision == view.revision,
      "a snapshot is of the state after the last block")
    eventsSince = 0
    let isBase = isBaseNext(view)
    var manifest = SnapshotManifest()
    manifest.revision = view.revision
    manifest.time = view.time
    manifest.parent = isBase ? 0 : previous?.revision ?? 0
    manifest.depth = isBase ? 0 : depth + 1
    manifest.digestLow = header.digest.low
    manifest.digestHigh = header.digest.high
    manifest.term = header.origin.term
    manifest.chain = journal.chain.withUnsafeBytes { Array($0) }
    manifest.featureLevel = header.origin.featureLevel
    depth = manifest.depth
    let job = SnapshotJob(journal: journal, manifest: manifest, view: view, older: isBase ? nil : previous)
    previous = view
    return job
  }

  private mutating func isBaseNext(_ view: State) -> Bool {
    guard let previous, depth < SnapshotWriter.deltasMax else {
      deltaPages = 0
      return true
    }
    deltaPages += view.pageCount(changedSince: previous)
    guard deltaPages > view.pageCount(changedSince: nil) else { return false }
    deltaPages = 0
    return true
  }

  /// Writes a snapshot at once when one is due.
  package mutating func consider(_ view: State, _ header: BlockHeader) throws {
    count(header)
    if isDue { try next(view, header).run() }
  }

  /// A snapshot could not be written: the next one begins anew. The log has everything, so nothing is lost.
  package mutating func failed() { previous = nil }
}

/// Writes snapshots while the server goes on: views are values, so one can be written as it was for as long as it
/// takes.
struct Snapshotter {
  private var series: SnapshotSeries
  private let thread = WorkThread(isBackground: true)
  private var isBusy = false

  init(_ journal: Journal) { series = SnapshotSeries(journal) }

  /// Begins a snapshot of `view` when it is time for one; `done` is told whether it was written.
  mutating func consider(_ view: State, _ header: BlockHeader, _ done: @escaping @Sendable (Bool) -> Void) {
    series.count(header)
    guard !isBusy, series.isDue else { return }
    isBusy = true
    let job = series.next(view, header)
    thread.run { done((try? job.run()) != nil) }
  }

  mutating func finished(_ isWritten: Bool) {
    isBusy = false
    if !isWritten { series.failed() }
  }

  func stop() { thread.stop() }
}

/// Waiting, for those who have nothing else to do.
package enum Pause {
  package static func milliseconds(_ count: UInt32) { usleep(count * 1000) }
}
