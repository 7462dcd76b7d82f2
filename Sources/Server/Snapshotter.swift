internal import Glibc
package import MusterCluster
package import MusterDisk
package import MusterKernel
package import MusterLog

extension SnapshotJob {
  /// Writes it.
  package func run(_ journal: Journal) throws {
    try journal.writeSnapshot(manifest) { add in try forEachPage(add) }
  }
}

extension SnapshotSeries {
  /// Writes a snapshot at once when one is due.
  package mutating func consider(_ view: State, _ header: BlockHeader, _ journal: Journal) throws {
    count(header)
    guard isDue else { return }
    try next(view, header, chain: journal.chain).run(journal)
    try journal.thinSnapshots()
  }
}

/// Writes snapshots while the server goes on: views are values, so one can be written as it was for as long as it
/// takes.
struct Snapshotter {
  private let journal: Journal
  private var series: SnapshotSeries
  private let thread = WorkThread(isBackground: true)
  private var isBusy = false

  /// Counts what came after the newest snapshot: runs that end early must not leave a long way without one.
  init(_ journal: Journal) {
    self.journal = journal
    series = SnapshotSeries()
    series.begin(after: (try? journal.eventsSinceSnapshot()) ?? 0)
  }

  /// Begins a snapshot of `view` when it is time for one; `done` is told whether it was written.
  mutating func consider(_ view: State, _ header: BlockHeader, _ done: @escaping @Sendable (Bool) -> Void) {
    series.count(header)
    guard !isBusy, series.isDue else { return }
    isBusy = true
    let job = series.next(view, header, chain: journal.chain)
    thread.run { [journal] in
      done((try? job.run(journal)) != nil)
      // What cannot be dropped now is dropped after a later snapshot.
      try? journal.thinSnapshots()
    }
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
