/// Something that should happen in some run, or the runs prove less than they seem to.
package enum Mark: String, CaseIterable, Sendable {
  // Recovery.
  case recoveredAfterPowerLoss = "the log was recovered after a power loss"
  case recoveredAfterKill = "the log was recovered after a kill"
  case startedAfterCleanStop = "a server started after a clean stop"
  case crashedWhileRecovering = "the machine crashed again during recovery"
  case tornTailCut = "a torn tail was cut"
  case tailRewritten = "an unconfirmed tail was written again"
  case spareRemoved = "a leftover spare was removed"
  case leftoverRemoved = "a half-made file was removed"
  case packedTwice = "a segment was found live and packed"
  case cleanEndExtended = "a segment that was cut short came back whole"
  case startedFromSnapshot = "a start used a snapshot"
  case startedFromDelta = "a start used a delta of a snapshot"
  case startedWithoutSnapshot = "a start replayed everything"
  case moreDurableThanTold = "the log held more than anybody was told"
  // The disk.
  case segmentRolled = "a segment was full"
  case segmentPacked = "a segment was packed"
  case snapshotWritten = "a snapshot was written"
  case snapshotFailed = "a snapshot could not be written"
  case syncFailed = "a sync failed, and the server ended"
  case syncLied = "what a failed sync lost was gone after the power"
  case diskWasFull = "the disk was full, and writing stopped"
  case diskHadRoomAgain = "the disk had room again, and writing went on"
  case blockWaitedForSpace = "a block waited for space"
  case rotRefusedAtStart = "rot was refused at a start"
  case lostWriteRefused = "a lost write was refused at a start"
  case misdirectedWriteRefused = "a misdirected write was refused at a start"
  case rotToldToReader = "a question about the past was told of rot"
  case rotHarmless = "rot hit nothing that was read"
  case groupCommitted = "a block held several commits"
  case sequencerFull = "requests were turned away because the disk was slow"
  // The network.
  case frameLost = "a message was lost"
  case frameDuplicated = "a message came twice"
  case frameReordered = "messages changed places"
  case frameSplit = "a message came in pieces"
  case connectionReset = "a connection broke"
  case connectionSilent = "an end gave up a silent connection"
  case connectionRefused = "nobody answered a connection"
  case malformedClosed = "a server closed a connection that made no sense"
  case lateRequestArrived = "a request arrived on a connection that its client had given up"
  case partitioned = "a node was cut off"
  case oneWayPartition = "a node was cut off in one direction"
  // Requests.
  case requestRetried = "a request was tried again"
  case requestRepeated = "a retry was answered with what the first try did"
  case outcomeUnknown = "the outcome of a request was unknown"
  case deadlinePassed = "a deadline passed"
  case refusedAsConflict = "a command was refused because of the state"
  case refusedAsUnsatisfiable = "a policy was refused as unsatisfiable"
  case refusedAsFenced = "an old incarnation was fenced"
  case refusedByRevision = "a command was refused because the state had moved on"
  case readOfThePast = "the past was read"
  case historyStreamed = "a log was streamed"
  case stateComparedAgain = "a state was compared with what it was"
  // Watches.
  case watcherCaughtUp = "a watcher was fed from the journal"
  case watcherLacksCredit = "a watcher had no credit"
  case watcherMarked = "an idle watcher was told how far it is"
  case watcherResumed = "a watcher resumed where it was"
  // Time.
  case clockWentBack = "the server's clock went back, and log time did not"
  case serverPaused = "the server hung"
  case ownStallNoticed = "a server told of its own stall"
  case nodePaused = "a node hung"
  // Nodes.
  case nodeSuspected = "a node was suspected"
  case nodeDown = "a node was declared down"
  case nodeRecovered = "a node came back"
  case nodeRestarted = "a node came back as another incarnation"
  case nameRefused = "a second process under a name in use was refused"
  case nodeReplaced = "another process took the name of a node that was down"
  case nodeRejoined = "a removed node joined again"
  case nodeDrained = "a node was drained"
  case nodeRemoved = "a node was removed"
  case massFailureNoticed = "a mass failure was not believed"
  case flappingNoticed = "a flapping node was named"
  // Shards.
  case electionStarted = "an election began"
  case electionOfFarthest = "the farthest replica was elected"
  case uncleanElection = "a leader was elected that may lack writes, as the policy allows"
  case shardBegunEmpty = "a shard without any copy began anew"
  case shardRecovered = "a shard beyond elections was recovered by hand"
  case handOver = "a leadership was handed over"
  case handOverFailed = "a hand-over was taken back"
  case moveFinished = "a move came to its end"
  case movePaused = "a move was held"
  case moveCancelled = "a move was cancelled"
  case repaired = "a lost replica was made anew"
  case balanced = "a replica moved for balance"
  case surplusRemoved = "a surplus replica was removed"
  case misplacedMoved = "a misplaced replica moved"
  case inSyncShrunk = "a replica fell behind"
  case inSyncGrew = "a replica caught up"
  case dataLost = "a node lost its disk"
  case replicaEmptied = "a replica was found without its data"
  case replicaDiverged = "a replica threw away what its leader does not have"
  case maintenance = "maintenance stopped the controllers"
  case policyChanged = "a policy changed"
  case leaderAmbushed = "a leader died just when its word was taken"
  case wordWaylaid = "a word of a leader was late, and true no more"
  case positionEchoed = "a position of an election came once more in the next one"
  case minimumHeld = "a raised minimum in sync held"
  case shardSplit = "a shard was split"
  case childLedElsewhere = "a split's new shard was led by another node than the old one"
  case shardPruned = "a shard forgot the keys that it had given away"
  case splitCancelled = "a split was called off"
  case splitPauseGivenUp = "a leader was told to go on before its split"
  case growthOrdered = "a collection was told to grow"
  case collectionGrown = "a collection came to have the shards it was to have"
  case shardsMerged = "two shards were put together"
  case foundersMerged = "two shards that a collection was made with were put together"
  case mergedFromElsewhere = "a shard went into one that another node led"
  case mergeCancelled = "a merge was called off"
  case mergePauseNotSaid = "a leader was told to go on before it said that it is paused"
  case mergePauseGivenUp = "a paused leader was told to go on before its merge"
  case shrinkingOrdered = "a collection was told to shrink"
  case collectionShrunk = "a collection came down to the shards it was to have"
  case collectionDeleted = "a collection was deleted"
}

/// Which marks were hit, and how often.
package struct Marks: Equatable, Sendable {
  private var counts: [Int]

  package init() { counts = Array(repeating: 0, count: Mark.allCases.count) }

  private static let places = Dictionary(uniqueKeysWithValues: Mark.allCases.enumerated().map { ($1, $0) })

  /// This happened; it should, sometimes.
  package mutating func sometimes(_ mark: Mark) { counts[Marks.places[mark]!] += 1 }

  package subscript(mark: Mark) -> Int { counts[Marks.places[mark]!] }

  package static func += (a: inout Marks, b: Marks) {
    for place in a.counts.indices { a.counts[place] += b.counts[place] }
  }

  package var hit: [Mark] { Mark.allCases.filter { self[$0] > 0 } }
  package var missed: [Mark] { Mark.allCases.filter { self[$0] == 0 } }
}
