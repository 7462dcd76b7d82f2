/// A commit in the making: the events so far, and the state after them.
///
/// Where a command's later events depend on its earlier ones (a batch, a placement), each is applied when it is
/// decided; elsewhere that would only copy pages twice. A draft that is thrown away changed nothing, because a state is
/// a value.
struct Draft {
  var state: State
  private(set) var events: [Event] = []
  let revision: Revision
  let time: Microseconds
  let appliesAtOnce: Bool
  /// Events that only note who asked are not a change of their own.
  private var envelopeEvents = 0

  init(_ state: State, at revision: Revision, time: Microseconds, appliesAtOnce: Bool) {
    self.state = state
    self.revision = revision
    self.time = time
    self.appliesAtOnce = appliesAtOnce
  }

  var hasDecidedSomething: Bool { events.count > envelopeEvents }

  mutating func emit(_ event: Event) {
    events.append(event)
    guard appliesAtOnce else { return }
    do throws(ApplyError) {
      try state.apply(event, at: revision, time: time)
    } catch {
      preconditionFailure("what is decided on a state applies to it: \(error)")
    }
  }

  /// Notes who asks, and gives the commit without its events.
  mutating func open(_ request: Request, _ context: RequestContext) throws(Refusal) -> Commit {
    var commit = Commit()
    commit.revision = revision
    commit.time = time
    commit.wallOffset = Int64(clamping: context.wallTime) - Int64(clamping: time)
    commit.assurance = context.assurance
    commit.principal = principal(context)
    if !request.client.isEmpty {
      commit.session = session(request.client)
      commit.sequence = request.sequence
    }
    commit.cause = request.cause
    commit.traceParent = request.traceParent
    commit.reason = context.reason
    if !request.reason.isEmpty {
      guard Names.isPrintable(request.reason, bytes: Limits.reasonBytes) else {
        throw Refusal(.invalid, "a reason is at most \(Limits.reasonBytes) bytes without control characters")
      }
      commit.reason = Reason(.request, text: request.reason)
    }
    envelopeEvents = events.count
    return commit
  }

  private mutating func principal(_ context: RequestContext) -> PrincipalID {
    if let known = state.principalID(context.principal, context.kind) { return known }
    let id = state.principals.nextID
    emit(.principalSeen(PrincipalSeen(principal: id, name: context.principal, kind: context.kind)))
    return id
  }

  private mutating func session(_ client: String) -> SessionID {
    if let known = state.sessionID(of: client) { return known }
    if state.sessions.count - state.forgottenSessions >= Limits.sessions { forgetOldSession() }
    let id = state.sessions.nextID
    emit(.sessionOpened(SessionOpened(session: id, client: client)))
    return id
  }

  /// Of the sixteen oldest sessions, forgets the one that was used longest ago.
  private mutating func forgetOldSession() {
    var candidates: [(id: SessionID, changed: Revision)] = []
    var id = state.oldestSession
    while candidates.count < 16, state.sessions.contains(id) {
      if let row = state.sessions.row(id), !row.isVacant { candidates.append((id, row.changed)) }
      id += 1
    }
    if let oldest = candidates.min(by: { ($0.changed, $0.id) < ($1.changed, $1.id) }) {
      emit(.sessionForgotten(SessionForgotten(session: oldest.id)))
    }
  }
}
