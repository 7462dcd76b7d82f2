package import MusterCluster
package import MusterHistory
package import MusterLog

extension Kernel {
  /// What the policy keeps, as of now; nil when that is everything.
  package func retentionBounds(_ now: Now) -> RetentionBounds? {
    let policy = view.retention.policy
    guard !policy.isForEver else { return nil }
    var bounds = RetentionBounds()
    bounds.logSince = Kernel.since(policy.logSeconds, now)
    bounds.logBytes = policy.logBytes
    bounds.snapshotsSince = Kernel.since(policy.snapshotSeconds, now)
    bounds.snapshotBytes = policy.snapshotBytes
    return bounds
  }

  /// The log time that is so many seconds ago; 0 for no bound.
  private static func since(_ seconds: UInt64, _ now: Now) -> Microseconds {
    let (span, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000)
    return seconds == 0 || overflow ? 0 : now.wall - min(span, now.wall)
  }

  /// Says in the log that what is before a horizon goes. Only once that is durable anything may be deleted.
  package func cut(_ cut: PlannedCut, _ now: Now) {
    guard readOnlyBecause.isEmpty, !sequencer.isFull else { return }
    carryOut(.cutHistory(CutHistory(cut.event)), of: "retention", .retention, now)
  }
}

extension HistoryCut {
  /// The horizon that this makes, when it stands in a commit.
  package func horizon(cutAt revision: Revision, _ cutTime: Microseconds) -> Horizon {
    var horizon = Horizon()
    horizon.revision = self.horizon
    horizon.time = time
    horizon.digestLow = digestLow
    horizon.digestHigh = digestHigh
    horizon.firstRevision = firstRevision
    horizon.chain = chain
    horizon.edge = edge
    horizon.cutAt = revision
    horizon.cutTime = cutTime
    return horizon
  }
}
