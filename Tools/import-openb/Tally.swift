import MusterCluster

/// What one run of the importer was told.
struct Tally: Equatable {
  /// The sequence that an earlier run came to, or 0.
  var resumedAfter: UInt64 = 0
  private(set) var committed: UInt64 = 0
  /// Requests that had had their effect already when they were sent again.
  private(set) var repeated: UInt64 = 0
  private(set) var refused: UInt64 = 0
  /// How often each rule stood in the way.
  private(set) var witnesses: [String: UInt64] = [:]
  /// The first refusal, in the cluster's words.
  private(set) var firstRefusal: String?

  mutating func executed(isRepeated: Bool) {
    if isRepeated { repeated += 1 } else { committed += 1 }
  }

  mutating func refused(_ refusal: Refusal) {
    refused += 1
    for witness in refusal.witness { witnesses[witness.rule, default: 0] += 1 }
    if firstRefusal == nil { firstRefusal = refusal.message }
  }
}

/// What the log says of the client's requests, whichever run sent them.
struct Ledger: Equatable {
  private(set) var joined: UInt64 = 0
  private(set) var created: UInt64 = 0
  private(set) var deleted: UInt64 = 0
  private var executed: Set<String> = []
  /// A request that became two commits: what request ids are there to prevent.
  private(set) var twice: String?

  mutating func take(_ commit: CommitReport, session: String) {
    guard commit.requestID.hasPrefix(session + ":") else { return }
    if !executed.insert(commit.requestID).inserted { twice = twice ?? commit.requestID }
    for event in commit.events {
      switch event.type {
      case "NodeJoined": joined += 1
      case "CollectionCreated": created += 1
      case "CollectionDeleted": deleted += 1
      default: break
      }
    }
  }
}
