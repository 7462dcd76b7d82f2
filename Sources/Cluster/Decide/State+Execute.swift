package import MusterBytes

extension State {
  /// Decides a request and, when it is accepted, applies it: the state then includes the commit.
  ///
  /// Pure: the same state, request, context and planner give the same outcome, on every machine.
  ///
  /// - Parameter encoded: holds the bytes of the commit afterwards, when there is one; they are what is stored.
  package mutating func execute(
    _ request: Request, _ context: RequestContext, _ planner: some Planner, encoded: inout ByteWriter
  ) -> Outcome {
    do throws(Refusal) {
      if let revision = try repeated(request) { return .repeated(revision) }
      try checkEnvelope(request, context)
      guard let decision = try decided(request, context, planner, &encoded) else { return .unchanged }
      if request.isDryRun { return .wouldCommit(decision.commit.events) }
      adopt(decision)
      return .committed(decision.commit)
    } catch {
      return .refused(error)
    }
  }

  /// Decides on a copy, which is gone when this returns: the pages that the commit then writes are shared with
  /// nobody but published views, and are written in place where there are none.
  private func decided(
    _ request: Request, _ context: RequestContext, _ planner: some Planner, _ encoded: inout ByteWriter
  ) throws(Refusal) -> Decision? {
    var draft = Draft(
      self, at: revision + 1,
      time: Mutant.isOn(.clockOverridesLogTime) ? context.wallTime : max(time, context.wallTime),
      appliesAtOnce: request.command.seesItsOwnEvents)
    var commit = try draft.open(request, context)
    try draft.decide(request.command, planner)
    guard draft.hasDecidedSomething else { return nil }
    commit.events = draft.events
    try encode(commit, into: &encoded)
    return Decision(commit: commit, stateAfterEvents: draft.appliesAtOnce ? draft.state : nil)
  }

  private mutating func adopt(_ decision: Decision) {
    do throws(ApplyError) {
      if let after = decision.stateAfterEvents {
        self = after
        try finish(CommitEnvelope(decision.commit))
      } else {
        try apply(decision.commit)
      }
    } catch {
      preconditionFailure("what was decided on a state applies to it: \(error)")
    }
  }

  /// The commit that an earlier try of this request became.
  private func repeated(_ request: Request) throws(Refusal) -> Revision? {
    guard !request.client.isEmpty, let id = sessionID(of: request.client) else { return nil }
    let session = sessions[id]
    if let revision = session.revision(of: request.sequence) { return revision }
    guard request.sequence > session.floor else {
      throw Refusal(
        .requestForgotten,
        "request \(request.client):\(request.sequence) is older than the last \(Limits.requestWindow) requests of its "
          + "client, so whether it was executed is not known any more; look at the log, and use a sequence above "
          + "\(session.highest)")
    }
    return nil
  }

  private func checkEnvelope(_ request: Request, _ context: RequestContext) throws(Refusal) {
    if let expected = request.expectedRevision, expected != revision {
      throw Refusal(.revisionMismatch, "the cluster is at revision \(revision), not \(expected); read again and retry")
    }
    if let expected = request.expectedPlacement { try requirePlacement(asOf: expected) }
    guard context.kind == .controller || !request.command.isReserved else {
      throw Refusal(.invalid, "\(request.command.name) is decided by Muster's own controllers alone")
    }
    guard request.client.isEmpty || Names.isValid(request.client) else {
      throw Refusal(.invalid, "the client of a request id is a name: lower-case letters, digits, - _ . (63 at most)")
    }
    guard request.client.isEmpty || request.sequence > 0 else {
      throw Refusal(.invalid, "the sequence of a request id begins at 1")
    }
    guard Names.isPrintable(context.principal, bytes: Limits.pathBytes), !context.principal.isEmpty else {
      throw Refusal(.invalid, "a principal's name is 1 to \(Limits.pathBytes) printable bytes")
    }
    guard request.cause <= revision else {
      throw Refusal(.invalid, "the cause \(request.cause) is in the future: the cluster is at revision \(revision)")
    }
  }

  private func requirePlacement(asOf expected: Revision) throws(Refusal) {
    guard expected <= revision else {
      throw Refusal(.revisionMismatch, "the cluster is at revision \(revision), and not yet at \(expected)")
    }
    let newest = placementRevision
    guard newest <= expected else {
      throw Refusal(
        .revisionMismatch,
        "nodes, policies, shards or moves changed at revision \(newest), after revision \(expected) that this was "
          + "computed from; compute it again")
    }
  }

  private func encode(_ commit: Commit, into writer: inout ByteWriter) throws(Refusal) {
    writer.removeAll()
    commit.encode(into: &writer)
    guard writer.count <= Limits.commitBytes else {
      throw Refusal(
        .tooLarge, "the commit would take \(writer.count) bytes, more than \(Limits.commitBytes): split the command")
    }
  }
}

extension State {
  /// Decides a request for those who do not want the bytes.
  package mutating func execute(_ request: Request, _ context: RequestContext, _ planner: some Planner) -> Outcome {
    var encoded = ByteWriter(capacity: 1024)
    return execute(request, context, planner, encoded: &encoded)
  }
}

/// A commit that was decided and not yet taken over.
private struct Decision {
  var commit: Commit
  /// The state with the events applied, when deciding had to apply them.
  var stateAfterEvents: State?
}

extension Command {
  /// What rests on observations that only the controllers have.
  fileprivate var isReserved: Bool {
    switch self {
    // That a silent node is dead for sure a person may know.
    case .reportNodeHealth(let report): report.state != .down
    case .startElections, .concludeElection, .shrinkInSync, .rebuildReplica, .beginTimeline, .cutHistory: true
    case .batch(let batch): batch.commands.contains(where: \.isReserved)
    default: false
    }
  }

  /// True for commands whose later events depend on what their earlier ones did.
  fileprivate var seesItsOwnEvents: Bool {
    switch self {
    case .batch, .createCollection, .placeShards, .drainNode, .startMove: true
    default: false
    }
  }
}
