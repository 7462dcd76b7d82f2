import MusterCluster
import MusterKernel
import MusterLog
import Testing

/// When a snapshot is due.
@Suite struct SnapshotSeriesTests {
  /// The events at each snapshot of a log whose blocks hold `events` in a commit each.
  private func moments(_ series: SnapshotSeries, blocks: Int, commits: UInt32, events: UInt32) -> [UInt64] {
    var (series, total, found) = (series, UInt64(0), [UInt64]())
    var header = BlockHeader()
    header.firstRevision = 1
    header.commitCount = commits
    header.eventCount = events
    for _ in 0..<blocks {
      series.count(header)
      total += UInt64(events)
      if series.isDue {
        found.append(total)
        // What a job of the next one does; no state is needed to know when it is due.
        series.begin(after: 0)
      }
      header.firstRevision += UInt64(commits)
    }
    return found
  }

  @Test func aYoungHistoryHasThemSoonerAndTheirDistanceGrows() {
    let found = moments(SnapshotSeries(), blocks: 10_000, commits: 60, events: 100)
    #expect(found.first == 8_000)
    let distances = zip(found, found.dropFirst()).map { $1 - $0 }
    #expect(distances == distances.sorted(), "they never come closer together again")
    #expect(distances.last == SnapshotSeries.eventsBetween)
    // None is farther from the one before than a quarter of the commits there are, but for the shortest distance.
    for (end, distance) in zip(found.dropFirst(), distances) {
      #expect(distance <= max(8_000, end * 60 / 100 / 4 + 100))
    }
  }

  @Test func aShorterDistanceThatIsAskedForHoldsFromTheBeginning() {
    let found = moments(SnapshotSeries(eventsBetween: 300), blocks: 30, commits: 1, events: 100)
    #expect(found == stride(from: 300, through: 3000, by: 300).map { UInt64($0) })
  }
}
