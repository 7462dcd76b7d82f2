internal import MusterLog
internal import MusterControllers
internal import MusterBytes
internal import MusterCluster
internal import MusterProtocol

extension Kernel {
  /// Takes a call: its answer comes as an effect, now or when what it saw is durable.
  ///
  /// - Parameter payload: borrowed; not used after this returns.
  package func receive(
    _ call: CallID, from caller: Caller, method: UInt16, credit: UInt32, payload: UnsafeRawBufferPointer, now: Now
  ) {
    guard let method = Method(rawValue: method) else {
      fail(call, RPCError(.unknownMethod, "this server has no method \(method); the client may be newer than it"))
      return
    }
    do throws(WireError) {
      switch method {
      case .execute: execute(call, try decode(payload), caller, now)
      case .read: read(call, try decode(payload))
      case .heartbeat: heartbeat(call, try decode(payload), now)
      case .positions: positions(call, try decode(payload), now)
      case .log: recall(call, .log(try decode(payload), credit: credit))
      case .diff: recall(call, .diff(try decode(payload), credit: credit))
      case .blame: recall(call, .blame(try decode(payload)))
      case .why: recall(call, .why(try decode(payload)))
      case .bisect: recall(call, .bisect(try decode(payload)))
      case .watch: watch(call, try decode(payload), credit: credit)
      case .assignments: assign(call, try decode(payload), credit: credit)
      case .checkpoint:
        let _: CheckpointRequest = try decode(payload)
        recall(call, .checkpoint)
      case .prove: prove(call, try decode(payload))
      case .proveExport: proveExport(call, try decode(payload), credit)
      case .journalFiles:
        let _: BackupRequest = try decode(payload)
        recall(call, .journalFiles(credit: credit))
      case .journalRead: readJournal(call, try decode(payload), credit)
      case .serverInfo:
        let _: ServerInfoRequest = try decode(payload)
        effects.append(.reply(call, encode(serverInfo(now))))
      }
    } catch {
      fail(call, RPCError(.invalidArgument, "the request of \(method) cannot be read: \(error)"))
    }
  }

  /// Unknown fields of a request are refused: to ignore one could do something else than was asked.
  private func decode<M: Message>(_ payload: UnsafeRawBufferPointer) throws(WireError) -> M {
    try M(bytes: payload, refusingUnknownFields: true)
  }

  private func execute(_ call: CallID, _ request: Request, _ caller: Caller, _ now: Now) {
    guard readOnlyBecause.isEmpty || request.isDryRun else {
      fail(call, RPCError(.readOnly, "nothing is written now: \(readOnlyBecause)", retryAfterMilliseconds: 1000))
      return
    }
    guard !sequencer.isFull else {
      fail(call, RPCError(.unavailable, "too much waits for the disk; try again", retryAfterMilliseconds: 20))
      return
    }
    var request = request
    if let problem = seal(&request) {
      fail(call, problem)
      return
    }
    let context = RequestContext(
      principal: caller.principal, kind: caller.kind, assurance: caller.assurance, wallTime: now.wall)
    let outcome = sequencer.execute(request, context, planner)
    let answer = answer(to: request, outcome, now)
    waiting.append(WaitingReply(call: call, observed: sequencer.head.revision, answer: answer))
    sendSayable()
  }

  private func answer(to request: Request, _ outcome: Outcome, _ now: Now) -> WaitingAnswer {
    var reply = ExecuteReply()
    reply.timeline = identity.timeline
    reply.revision = sequencer.head.revision
    reply.time = sequencer.head.time
    switch outcome {
    case .committed(let commit):
      reply.commit = commit.revision
      noteJoin(request.command, &reply, now)
    case .repeated(let revision):
      count { $0.repeated += 1 }
      reply.outcome = .repeated
      reply.commit = revision
      noteJoin(request.command, &reply, now)
    case .unchanged:
      count { $0.unchanged += 1 }
      reply.outcome = .unchanged
    case .wouldCommit(let events):
      reply.outcome = .wouldCommit
      reply.events = events.map { sequencer.head.report($0) }
    case .refused(let refusal):
      count { $0.refusals[Int(refusal.code.rawValue)] += 1 }
      return .failed(RPCError(.refused, refusal.message, details: refusal.encoded()))
    }
    return .executed(reply)
  }

  /// A node that joins learns its number and incarnation, and has just been heard.
  private func noteJoin(_ command: Command, _ reply: inout ExecuteReply, _ now: Now) {
    guard case .joinNode(let join) = command, let id = sequencer.head.nodeID(named: join.name) else { return }
    reply.node = id
    reply.incarnation = sequencer.head.nodes[id].incarnation
    controllers.heard(node: id, incarnation: reply.incarnation, now: now.monotonic)
  }

  /// Sends every answer whose revision is durable.
  func sendSayable() {
    let durable = Mutant.isOn(.answerBeforeDurable) ? sequencer.head.revision : view.revision
    while let reply = waiting.next(durable: durable) {
      switch reply.answer {
      case .executed(let answer): effects.append(.reply(reply.call, encode(answer)))
      case .failed(let error): fail(reply.call, error)
      }
    }
  }

  private func read(_ call: CallID, _ request: ReadRequest) {
    let isPresent = request.at == .now || request.at == .revision(sequencer.published.revision)
    guard isPresent, !request.question.isLong else {
      recall(call, .read(request))
      return
    }
    count { $0.reads += 1 }
    do throws(Refusal) {
      var reply = ReadReply()
      reply.timeline = identity.timeline
      try sequencer.answer(request.question, &reply)
      addStatuses(to: &reply.answer)
      reply.answer.reveal(request.question, with: vault)
      effects.append(.reply(call, encode(reply)))
    } catch {
      fail(call, RPCError(.refused, error.message, details: error.encoded()))
    }
  }

  private func readJournal(_ call: CallID, _ request: BackupRead, _ credit: UInt32) {
    guard request.file.isSound, request.file.lastRevision <= view.revision else {
      return fail(call, RPCError(.invalidArgument, "there is no such file of the journal"))
    }
    recall(call, .journalRead(request, credit: credit))
  }

  private var beyondTheLog: RPCError {
    RPCError(.noSuchMoment, "the log has \(view.revision) commits: there is nothing to prove beyond")
  }

  private func prove(_ call: CallID, _ request: ProveRequest) {
    guard request.size <= view.revision, request.revision <= request.size, request.from <= request.size else {
      return fail(
        call, RPCError(.noSuchMoment, "the log has \(view.revision) commits: there is nothing to prove beyond"))
    }
    recall(call, .prove(request))
  }

  private func proveExport(_ call: CallID, _ request: ProveExportRequest, _ credit: UInt32) {
    guard request.size <= view.revision else {
      return fail(
        call, RPCError(.noSuchMoment, "the log has \(view.revision) commits: there is nothing to prove beyond"))
    }
    recall(call, .proveExport(request, credit: credit))
  }

  private func recall(_ call: CallID, _ recall: Recall) {
    count { $0.recalls += 1 }
    effects.append(.recall(call, recall))
  }

  private func serverInfo(_ now: Now) -> ServerInfo {
    var info = ServerInfo()
    info.timeline = identity.timeline
    info.revision = view.revision
    info.clusterID = identity.clusterID
    info.term = identity.origin.term
    info.run = identity.origin.run
    info.version = identity.version
    info.readOnlyBecause = readOnlyBecause
    info.wallTime = now.wall
    return info
  }

  /// A stream was granted more elements.
  package func grant(_ call: CallID, _ credit: UInt32) {
    if watches.grant(call, credit) { feed(call) }
    if assignments.grant(call, credit) { sendAssignments(call) }
  }

  /// A stream was called off by its client.
  ///
  /// - Returns: false when there is no such stream.
  package func cancel(_ call: CallID) -> Bool {
    let wasWatch = watches.remove(call)
    return assignments.remove(call) || wasWatch
  }

  package func connectionClosed(_ connection: UInt64) {
    watches.remove(connection: connection)
    assignments.remove(connection: connection)
  }
}

extension Sequencer {
  /// Answers from the published state, where it lies: a copy of it would cost more than most answers.
  fileprivate func answer(_ question: Question, _ reply: inout ReadReply) throws(Refusal) {
    reply.revision = published.revision
    reply.time = published.time
    reply.answer = try (Mutant.isOn(.readBeforeDurable) ? head : published).answer(question, PlacementAdvisor())
  }
}
