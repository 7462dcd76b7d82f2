package import MusterCluster
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
  ///
  /// - Parameters:
  ///   - root: of the tree of everything before the oldest segment that stays.
  ///   - names: the root of the tree of all names at the horizon.
  package func cut(to horizon: Horizon, root: [UInt8], names: [UInt8], _ now: Now) {
    guard readOnlyBecause.isEmpty, !sequencer.isFull else { return }
    var cut = HistoryCut()
    cut.horizon = horizon.revision
    cut.time = horizon.time
    cut.digestLow = horizon.digestLow
    cut.digestHigh = horizon.digestHigh
    cut.firstRevision = horizon.firstRevision
    cut.chain = horizon.chain
    cut.root = root
    cut.edge = horizon.edge
    cut.names = names
    carryOut(.cutHistory(CutHistory(cut)), of: "retention", .retention, now)
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
