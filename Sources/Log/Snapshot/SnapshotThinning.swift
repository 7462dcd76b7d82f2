/// Which snapshots are dropped as they grow old: whole groups, a base with its deltas, so that none is left without what
/// it changes.
///
/// Between two neighbours there may lie an eighth of the events that came after them, half of those before them,
/// and never more than `gapMax`: every moment stays near a snapshot, those of the beginning too, and the number of
/// snapshots grows with the logarithm of the log, then slowly.
///
/// Kept in any case: the two newest groups, whatever is newer than the packed part of the log, and the oldest group when
/// the log does not go back to its first commit.
package struct SnapshotThinning {
  /// The most events between two snapshots of which one may have been dropped: four times what lies between those that
  /// are written, with room for blocks that go beyond it.
  package static let gapMax: UInt64 = 450_000

  /// A base with its deltas.
  private struct Group {
    var names: [SnapshotName]
    var first: UInt64 { names[0].revision }
    var last: UInt64 { names[names.count - 1].revision }
  }

  /// What to remove, in this order: a delta goes before what it changes.
  ///
  /// - Parameters:
  ///   - names: all snapshots, by ascending revision.
  ///   - gapMax: another bound, for small histories.
  package static func plan(
    _ names: [SnapshotName], _ log: LogReader, gapMax: UInt64 = SnapshotThinning.gapMax
  ) -> [SnapshotName] {
    let positions = EventPositions(log)
    let groups = groups(names)
    var dropped: [SnapshotName] = []
    var before = log.firstRevision == 1 ? 0 : nil as UInt64?
    for (place, group) in groups.enumerated() {
      guard place + 2 < groups.count, let start = before,
        let next = positions.events(through: groups[place + 1].first)
      else {
        before = positions.events(through: group.last) ?? before
        continue
      }
      let gap = next - min(start, next)
      let age = positions.total - min(next, positions.total)
      if gap <= min(age / 8, start / 2, gapMax) {
        dropped += group.names.reversed()
      } else {
        before = positions.events(through: group.last) ?? before
      }
    }
    return dropped
  }

  private static func groups(_ names: [SnapshotName]) -> [Group] {
    var groups: [Group] = []
    for name in names {
      if name.isBase || groups.isEmpty {
        groups.append(Group(names: [name]))
      } else {
        groups[groups.count - 1].names.append(name)
      }
    }
    return groups
  }
}

/// How many events the packed part of a log holds up to a revision, as far as its directories say: whole packs.
private struct EventPositions {
  private var revisions: [UInt64] = []
  private var events: [UInt64] = []

  init(_ log: LogReader) {
    var sum: UInt64 = 0
    for segment in log.segments {
      guard segment.name.isSealed else { return }
      for unit in segment.units {
        sum += unit.eventCount
        revisions.append(unit.lastRevision)
        events.append(sum)
      }
    }
  }

  var total: UInt64 { events.last ?? 0 }

  /// Nil behind the packed part.
  func events(through revision: UInt64) -> UInt64? {
    var low = 0
    var high = revisions.count
    while low < high {
      let middle = (low + high) / 2
      if revisions[middle] < revision { low = middle + 1 } else { high = middle }
    }
    return low < revisions.count ? events[low] : nil
  }
}
