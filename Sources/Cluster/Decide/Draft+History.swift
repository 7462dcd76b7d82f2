internal import MusterBytes

// Decisions about the history itself.

extension Draft {
  mutating func decide(_ command: BeginTimeline) throws(Refusal) {
    guard command.began.revision == state.revision, command.began.lastRevision <= state.revision else {
      throw Refusal(.invalid, "a timeline begins behind the commits that it takes over")
    }
    emit(.timelineBegan(command.began))
    // It was cut where it comes from, under whatever policy there was then.
    if let cut = command.cut { try record(cut) }
  }

  mutating func decide(_ command: SetRetention) throws(Refusal) {
    let policy = command.policy
    for (what, seconds) in [("log", policy.logSeconds), ("snapshots", policy.snapshotSeconds)] {
      guard seconds == 0 || seconds >= Limits.retentionSecondsMin else {
        throw Refusal(
          .invalid, "the \(what) would be kept for \(seconds) s; the least is \(Limits.retentionSecondsMin)")
      }
    }
    for (what, bytes) in [("log", policy.logBytes), ("snapshots", policy.snapshotBytes)] {
      guard bytes == 0 || bytes >= Limits.retentionBytesMin else {
        throw Refusal(
          .invalid, "the \(what) would be kept within \(bytes) bytes; the least is \(Limits.retentionBytesMin)")
      }
    }
    if policy == state.retention.policy { return }
    emit(.retentionChanged(RetentionChanged(policy: policy)))
  }

  mutating func decide(_ command: CutHistory) throws(Refusal) {
    guard !state.retention.policy.isForEver else {
      throw Refusal(.conflict, "history is kept for ever; `muster retention set` changes that")
    }
    try record(command.cut)
  }

  private mutating func record(_ cut: HistoryCut) throws(Refusal) {
    guard cut.horizon <= state.revision, cut.firstRevision >= 1, cut.firstRevision <= cut.horizon,
      cut.chain.count == SHA256Value.byteCount
    else { throw Refusal(.invalid, "a cut names a horizon, and the segment that holds it") }
    if cut.horizon <= state.retention.horizon { return }
    emit(.historyCut(cut))
  }
}
