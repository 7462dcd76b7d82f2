package import MusterBytes

/// Why something was done.
package enum ReasonKind: UInt32, Sendable, CaseIterable {
  /// Nobody said.
  case unstated = 0
  /// A client asked for it.
  case request = 1
  case heartbeatMissed = 2
  case heartbeatResumed = 3
  case placementContinued = 4
  case drainCompleted = 5
  case storageLow = 6
  case storageRecovered = 7
  /// The node that led is lost.
  case leaderLost = 8
  /// Replicas promised an epoch and said how far they are.
  case election = 9
  /// Nobody in sync was left, and the policy prefers to go on.
  case uncleanElection = 10
  case replicaLost = 11
  case replicaMissing = 12
  case draining = 13
  case balance = 14
  case moveStep = 15
  case moveFailed = 16
  case balanceReached = 17
  /// A replica stands where the policy does not want it any more.
  case replicaMisplaced = 18
  /// There are more replicas than the policy asks for.
  case replicaSurplus = 19
  /// A leader did not hand over as it was asked, or there is nobody to hand over to.
  case handOverFailed = 20
  /// Replicas differ at the same position.
  case checksumMismatch = 21
  /// What hosts replicas on a node has a problem.
  case hostProblem = 22
  /// A collection shall have more shards.
  case growth = 27
  /// The policy prefers leaders elsewhere.
  case leaderPreferred = 30
  /// What was signed and the log do not fit together, or no checkpoint could be written.
  case checkpointRefused = 31
  case checkpointResumed = 32
  /// The cluster was restored from a backup.
  case restored = 34
  /// What is older than the policy keeps was cut.
  case retention = 35
  /// What was read again from the disk is not what was written.
  case scrubFault = 36
  /// Shards are short of what their collection promises, or are so no more.
  case availability = 37
  /// The server itself stood still, and judged nobody meanwhile.
  case ownStall = 40

  package var name: String {
    switch self {
    case .unstated: "unstated"
    case .request: "request"
    case .heartbeatMissed: "heartbeat-missed"
    case .heartbeatResumed: "heartbeat-resumed"
    case .placementContinued: "placement-continued"
    case .drainCompleted: "drain-completed"
    case .storageLow: "storage-low"
    case .storageRecovered: "storage-recovered"
    case .leaderLost: "leader-lost"
    case .election: "election"
    case .uncleanElection: "unclean-election"
    case .replicaLost: "replica-lost"
    case .replicaMissing: "replica-missing"
    case .draining: "draining"
    case .balance: "balance"
    case .moveStep: "move-step"
    case .moveFailed: "move-failed"
    case .balanceReached: "balance-reached"
    case .replicaMisplaced: "replica-misplaced"
    case .replicaSurplus: "replica-surplus"
    case .handOverFailed: "hand-over-failed"
    case .checksumMismatch: "checksum-mismatch"
    case .hostProblem: "host-problem"
    case .growth: "growth"
    case .leaderPreferred: "leader-preferred"
    case .checkpointRefused: "checkpoint-refused"
    case .checkpointResumed: "checkpoint-resumed"
    case .restored: "restored"
    case .retention: "retention"
    case .scrubFault: "scrub-fault"
    case .availability: "availability"
    case .ownStall: "own-stall"
    }
  }
}

/// A typed reason with the inputs of the decision.
package struct Reason: FieldMessage, Hashable {
  package var kind = ReasonKind.unstated
  /// What a person wrote.
  package var text = ""
  /// What the decision saw: names and figures, such as `silent=3100ms`.
  package var arguments: [String] = []

  package init() {}
  package init(_ kind: ReasonKind, text: String = "", arguments: [String] = []) {
    self.kind = kind
    self.text = text
    self.arguments = arguments
  }

  package mutating func visit<V: FieldVisitor & ~Copyable>(_ fields: inout V) throws(WireError) {
    try fields.enumeration(1, &kind)
    try fields.string(2, &text, max: Limits.reasonBytes)
    try fields.strings(3, &arguments, max: Limits.pathBytes, count: Limits.reasonArguments)
  }
}

/// The events that one accepted command caused, with who, when and why. Its stored bytes are its identity: they are
/// hashed, replicated and proved, and never encoded again.
package struct Commit: FieldMessage, Hashable {
  package var revision: Revision = 0
  /// Log time: never decreases from commit to commit.
  package var time: Microseconds = 0
  /// How far the server's clock was from log time, in microseconds: not 0 only after a clock went back.
  package var wallOffset: Int64 = 0
  package var principal: PrincipalID = 0
  package var assurance = Assurance.asserted
  /// With `sequence` the request id; 0 for what no client asked for.
  package var session: SessionID = 0
  package var sequence: UInt64 = 0
  /// The revision that made this one happen, or 0.
  package var cause: Revision = 0
  package var reason: Reason?
  package var tenant: TenantID = 0
  package var traceParent = ""
  package var events: [Event] = []

  package init() {}

  package var wallTime: Microseconds {
    let (sum, overflow) = Int64(clamping: time).addingReportingOverflow(wallOffset)
    return overflow || sum < 0 ? 0 : UInt64(sum)
  }

  package mutating func visit<V: FieldVisitor & ~Copyable>(_ fields: inout V) throws(WireError) {
    try fields.uint64(1, &revision)
    try fields.uint64(2, &time)
    try fields.sint64(3, &wallOffset)
    try fields.uint32(4, &principal)
    try fields.enumeration(5, &assurance)
    try fields.uint32(6, &session)
    try fields.uint64(7, &sequence)
    try fields.uint64(8, &cause)
    try fields.message(9, &reason)
    try fields.uint32(10, &tenant)
    try fields.string(11, &traceParent, max: Limits.traceParentBytes)
    try fields.messages(12, &events, count: Int.max)
  }
}
