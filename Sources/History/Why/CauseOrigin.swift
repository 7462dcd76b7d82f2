internal import MusterCluster
internal import MusterProtocol

/// What began a chain of causes.
enum CauseOrigin {
  /// - Parameter chain: from the last decision to the first; not empty.
  static func kind(_ chain: [Commit], _ state: State) -> OriginKind {
    let root = chain[chain.count - 1]
    if let kind = root.reason?.kind, isFailure(kind) { return .failure }
    // Somebody wrote a policy once; that it is kept is why this happens.
    let isKept = chain.count > 1 && chain[chain.count - 2].reason.map { isPolicy($0.kind) } ?? false
    if isKept, root.events.contains(where: { $0.isPolicy }) { return .policy }
    switch state.principals.row(root.principal)?.kind {
    case .person, nil: return .person
    case .service: return .service
    case .node: return .node
    case .controller: return root.reason.map { isPolicy($0.kind) } ?? false ? .policy : .controller
    }
  }

  private static func isFailure(_ kind: ReasonKind) -> Bool {
    switch kind {
    case .heartbeatMissed, .leaderLost, .replicaLost, .storageLow, .checksumMismatch, .hostProblem, .uncleanElection,
      .moveFailed, .handOverFailed, .ownStall:
      true
    default: false
    }
  }

  private static func isPolicy(_ kind: ReasonKind) -> Bool {
    switch kind {
    case .replicaMissing, .replicaMisplaced, .replicaSurplus, .placementContinued, .balance, .balanceReached, .growth,
      .leaderPreferred:
      true
    default: false
    }
  }
}

extension Event {
  /// It wrote a rule that controllers keep.
  fileprivate var isPolicy: Bool {
    switch self {
    case .collectionCreated, .collectionChanged, .balancingChanged, .configSet, .schemaSet, .shardCountWanted: true
    default: false
    }
  }
}
