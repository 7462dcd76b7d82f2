internal import MusterBytes
internal import HashTreeCollections

// What events around the cluster do to the state: principals, sessions, alarms, tenants.

extension State {
  mutating func apply(_ event: PrincipalSeen, _ revision: Revision) throws(ApplyError) {
    try requireNext(event.principal, in: principals)
    let name = PrincipalName(name: event.name, kind: event.kind)
    guard index.principals[name] == nil else { throw .conflict(.principals, id: event.principal) }
    write(append: PrincipalRow(name: event.name, kind: event.kind, changed: revision), to: \.principals)
    index.principals[name] = event.principal
  }

  mutating func apply(_ event: SessionOpened, _ revision: Revision) throws(ApplyError) {
    try requireNext(event.session, in: sessions)
    guard !event.client.isEmpty, index.sessions[event.client] == nil else {
      throw .conflict(.sessions, id: event.session)
    }
    var row = SessionRow()
    row.client = event.client
    row.changed = revision
    write(append: row, to: \.sessions)
    index.sessions[event.client] = event.session
  }

  mutating func apply(_ event: SessionForgotten) throws(ApplyError) {
    try requireSession(event.session)
    let client = sessions[event.session].client
    if !isDigestDeferred {
      for request in sessions[event.session].window { rowsDigest -= request.digest(session: event.session) }
    }
    vacate(\.sessions, event.session)
    index.sessions[client] = nil
    forgottenSessions += 1
    passForgottenSessions()
  }

  private func requireSession(_ id: SessionID) throws(ApplyError) {
    guard sessions.holds(id) else { throw .unknownSession(id) }
  }

  /// Remembers that a request became this commit; the oldest one remembered gives way.
  mutating func remember(_ commit: CommitEnvelope) throws(ApplyError) {
    try requireSession(commit.session)
    let request = ExecutedRequest(sequence: commit.sequence, revision: commit.revision)
    if !isDigestDeferred { rowsDigest += request.digest(session: commit.session) }
    let dropped = sessions[commit.session].remember(request)
    if let dropped, !isDigestDeferred { rowsDigest -= dropped.digest(session: commit.session) }
  }

  mutating func apply(_ event: AlarmRaised, _ revision: Revision, _ time: Microseconds) {
    if let id = index.alarms[event.name] {
      modify(\.alarms, id) { $0.raise(event, revision, time) }
      return
    }
    var row = AlarmRow()
    row.name = event.name
    row.raise(event, revision, time)
    index.alarms[event.name] = alarms.nextID
    write(append: row, to: \.alarms)
  }

  mutating func apply(_ event: AlarmCleared, _ revision: Revision, _ time: Microseconds) throws(ApplyError) {
    guard let id = index.alarms[event.name] else { throw .unknownAlarm(event.name) }
    modify(\.alarms, id) { $0.clear(revision, time) }
  }

  mutating func apply(_ event: TenantCreated, _ revision: Revision) throws(ApplyError) {
    try requireNext(event.tenant, in: tenants)
    guard !event.name.isEmpty, index.tenants[event.name] == nil else { throw .conflict(.tenants, id: event.tenant) }
    write(append: TenantRow(name: event.name, changed: revision), to: \.tenants)
    index.tenants[event.name] = event.tenant
  }
}

extension ClusterRow {
  mutating func follow(_ event: Event, _ revision: Revision) {
    switch event {
    case .maintenanceChanged(let event): isInMaintenance = event.isOn
    case .balancingChanged(let event): balancing = event.mode
    default: return
    }
    changed = revision
  }
}

extension AlarmRow {
  mutating func clear(_ revision: Revision, _ time: Microseconds) {
    isRaised = false
    since = time
    changed = revision
  }

  mutating func raise(_ event: AlarmRaised, _ revision: Revision, _ time: Microseconds) {
    message = event.message
    isRaised = true
    since = time
    changed = revision
  }
}

extension SessionRow {
  /// Adds an executed request and returns the one that had to give way.
  fileprivate mutating func remember(_ request: ExecutedRequest) -> ExecutedRequest? {
    changed = request.revision
    var dropped: ExecutedRequest?
    if window.count == Limits.requestWindow {
      dropped = window.removeFirst()
      floor = max(floor, dropped?.sequence ?? 0)
    }
    window.append(request)
    return dropped
  }
}
