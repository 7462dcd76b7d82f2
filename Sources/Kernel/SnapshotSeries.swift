package import MusterBytes
package import MusterCluster
package import MusterLog

/// One snapshot to be written.
package struct SnapshotJob: Sendable {
  package let manifest: SnapshotManifest
  fileprivate let view: State
  fileprivate let older: State?

  /// Hands out all pages, or those that changed since the snapshot before.
  package func forEachPage(_ add: (PageAddress, UnsafeRawBufferPointer) throws -> Void) throws {
    try view.forEachStoredPage(changedSince: older) { table, page, bytes in
      try add(PageAddress(table: table, page: page), bytes)
    }
  }
}

/// Decides when a snapshot is due, and what it must hold: a base, then deltas of pages that changed.
///
/// The deltas of a group together hold at most as many pages as its base, so that loading one costs at most twice what
/// the state does, and a change costs what it changed. Groups are short, so that one can be dropped when it is old and
/// its neighbours are still near each other.
package struct SnapshotSeries {
  /// A snapshot follows after at most so many events, so that every moment is near one.
  package static let eventsBetween: UInt64 = 100_000
  /// While a history is young, one follows sooner: after so many events, then after a quarter as many as there are
  /// commits. There things are made, and what is asked for is spoken of everywhere.
  private static let eventsBetweenEarly: UInt64 = 8_000

  private let eventsBetween: UInt64
  private var eventsSince: UInt64 = 0
  private var revision: Revision = 0
  /// The view that the newest snapshot of this run is of; what a later view shares with it need not be written again.
  private var previous: State?
  private var depth: UInt32 = 0
  /// Pages in the deltas since the base.
  private var deltaPages = 0

  package init(eventsBetween: UInt64 = SnapshotSeries.eventsBetween) { self.eventsBetween = eventsBetween }

  /// So many events came after the newest snapshot before this run.
  package mutating func begin(after events: UInt64) { eventsSince = events }

  package mutating func count(_ header: BlockHeader) {
    eventsSince += UInt64(header.eventCount)
    revision = header.lastRevision
  }

  package var isDue: Bool {
    eventsSince >= min(eventsBetween, max(SnapshotSeries.eventsBetweenEarly, revision / 4))
  }

  /// The next snapshot, of the state after the block of `header`.
  ///
  /// - Parameter chain: the chain value of that block, the last in the log.
  package mutating func next(_ view: State, _ header: BlockHeader, chain: SHA256Value) -> SnapshotJob {
    precondition(header.lastRevision == view.revision, "a snapshot is of the state after the last block")
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
    manifest.chain = chain.withUnsafeBytes { Array($0) }
    manifest.featureLevel = header.origin.featureLevel
    manifest.metadata = StateOutline(view).encoded()
    depth = manifest.depth
    let job = SnapshotJob(manifest: manifest, view: view, older: isBase ? nil : previous)
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

  /// A snapshot could not be written: the next one begins anew. The log has everything, so nothing is lost.
  package mutating func failed() { previous = nil }
}
