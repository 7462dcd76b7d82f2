internal import MusterLog
package import MusterCluster

extension History {
  /// The log time of the newest commit that is shown.
  package var lastTime: Microseconds { (try? time(of: last)) ?? 0 }

  /// The revision that a moment names.
  ///
  /// - Parameter clock: what `ago` counts from, in microseconds since 1970.
  package func resolve(_ moment: Moment, clock: Microseconds) throws(HistoryError) -> Revision {
    switch moment {
    case .now: return last
    case .revision(let revision):
      try requireKept(revision)
      return revision
    case .time(let time):
      // What will be then nobody knows.
      guard time <= max(clock, present) || time <= lastTime else { throw .future(asked: "that time", newest: last) }
      return try revision(atOrBefore: time)
    case .ago(let span):
      guard span <= clock else { throw .beforeBeginning(asked: "that moment") }
      return try revision(atOrBefore: clock - span)
    }
  }

  /// That a revision is neither in the future nor cut.
  package func requireKept(_ revision: Revision) throws(HistoryError) {
    guard revision <= last else { throw .future(asked: "revision \(revision)", newest: last) }
    if let horizon = log.horizon, revision < horizon.revision { throw .cut(asked: "revision \(revision)", horizon) }
  }

  /// The last commit at or before a log time.
  package func revision(atOrBefore time: Microseconds) throws(HistoryError) -> Revision {
    if let horizon = log.horizon, time < horizon.time { throw .cut(asked: "that time", horizon) }
    let units = log.units(from: log.oldestRevision, through: last)
    var low = 0
    var high = units.count
    while low < high {
      let middle = (low + high) / 2
      if units[middle].time <= time { low = middle + 1 } else { high = middle }
    }
    // Every unit before `low` lies wholly at or before the time; the next one may begin there.
    var found = low > 0 ? units[low - 1].lastRevision : 0
    if low < units.count {
      try forEachCommit(from: units[low].firstRevision, through: units[low].lastRevision) { commit in
        guard commit.time <= time else { return false }
        found = commit.revision
        return true
      }
    }
    guard found > 0 else { throw .beforeBeginning(asked: "that time") }
    return min(found, last)
  }

  /// The log time of a commit; 0 for revision 0.
  package func time(of revision: Revision) throws(HistoryError) -> Microseconds {
    revision == 0 ? 0 : try commit(revision).time
  }
}
