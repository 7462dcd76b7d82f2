extension State {
  mutating func apply(_ event: RetentionChanged, _ revision: Revision) {
    modifyHistory(revision) { $0.policy = event.policy }
  }

  mutating func apply(_ event: HistoryCut, _ revision: Revision, _ time: Microseconds) {
    modifyHistory(revision) {
      $0.horizon = event.horizon
      $0.horizonTime = event.time
      $0.cutAt = revision
      $0.cutTime = time
    }
  }

  /// The row exists from the first change on: a cluster that keeps everything has the digest it always had.
  private mutating func modifyHistory(_ revision: Revision, _ change: (inout HistoryRow) -> Void) {
    if history.count > 0 {
      modify(\.history, 1) {
        change(&$0)
        $0.changed = revision
      }
      return
    }
    var row = HistoryRow()
    change(&row)
    row.changed = revision
    write(append: row, to: \.history)
  }
}
