#if MUTANTS
  internal import Glibc
#endif

/// Deliberate bugs that the simulator must find: each breaks one rule that the rest relies on.
///
/// They exist only in builds with `MUSTER_MUTANTS` set, where `MUSTER_MUTANT` names the one that is on. In all others
/// `isOn` is a constant, and nothing is left of them.
package enum Mutant: String, CaseIterable, Sendable {
  // The log.
  case unsyncedBlock = "unsynced-block"
  case unsyncedDirectory = "unsynced-directory"
  case unsyncedSnapshot = "unsynced-snapshot"
  case lostWriteIsEnd = "lost-write-is-end"
  case rotIsTorn = "rot-is-torn"
  case tornIsWhole = "torn-is-whole"
  case tailNotRewritten = "tail-not-rewritten"
  case replaySkipsCommit = "replay-skips-commit"
  case snapshotForgetsRequests = "snapshot-forgets-requests"
  case snapshotForgetsTime = "snapshot-forgets-time"
  // Answers.
  case answerBeforeDurable = "answer-before-durable"
  case readBeforeDurable = "read-before-durable"
  case watchSkipsAfterCatchUp = "watch-skips-after-catch-up"
  case watchResumesLate = "watch-resumes-late"
  case dedupeKnowsNewestOnly = "dedupe-knows-newest-only"
  case clockOverridesLogTime = "clock-overrides-log-time"
  // The cluster.
  case staleIncarnation = "stale-incarnation"
  case minorityElection = "minority-election"
  case minimumAtOnce = "minimum-at-once"
  case stalePromise = "stale-promise"
  case earlyYield = "early-yield"
  case earlyPromotion = "early-promotion"
  case spreadIgnored = "spread-ignored"
  case lastInSyncRemoved = "last-in-sync-removed"
  case wordTakenBack = "word-taken-back"
  case sparedStaysCounted = "spared-stays-counted"
  case lostCopiesSpared = "lost-copies-spared"
  case emptiedCountsAsCopy = "emptied-counts-as-copy"
  case unpausedMerge = "unpaused-merge"
  case pauseOutlivesLeader = "pause-outlives-leader"
  case absorbedAlone = "absorbed-alone"
  case staleAbsorption = "stale-absorption"

  #if MUTANTS
    private static let active = getenv("MUSTER_MUTANT").flatMap { Mutant(rawValue: String(cString: $0)) }

    package static func isOn(_ mutant: Mutant) -> Bool { mutant == active }
  #else
    @inlinable
    package static func isOn(_ mutant: Mutant) -> Bool { false }
  #endif
}
