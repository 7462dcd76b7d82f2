package import MusterBytes

/// An event as people see it: its name and its fields in words.
package struct EventReport: FieldMessage, Hashable {
  package var type = ""
  package var fields: [FieldReport] = []

  package init() {}
  package init(_ type: String, _ fields: [FieldReport]) {
    self.type = type
    self.fields = fields
  }

  package mutating func visit<V: FieldVisitor & ~Copyable>(_ visitor: inout V) throws(WireError) {
    try visitor.string(1, &type, max: Limits.nameBytes)
    try visitor.messages(2, &fields, count: 64)
  }
}

/// A commit as people see it.
package struct CommitReport: FieldMessage, Hashable {
  package var revision: Revision = 0
  package var time: Microseconds = 0
  package var wallTime: Microseconds = 0
  package var principal = ""
  package var principalKind = PrincipalKind.person
  package var assurance = Assurance.asserted
  /// `CLIENT:SEQUENCE`, or empty.
  package var requestID = ""
  package var cause: Revision = 0
  package var reason = Reason()
  package var tenant = ""
  package var traceParent = ""
  package var events: [EventReport] = []

  package init() {}

  package mutating func visit<V: FieldVisitor & ~Copyable>(_ fields: inout V) throws(WireError) {
    try fields.uint64(1, &revision)
    try fields.uint64(2, &time)
    try fields.uint64(3, &wallTime)
    try fields.string(4, &principal, max: Limits.pathBytes)
    try fields.enumeration(5, &principalKind)
    try fields.enumeration(6, &assurance)
    try fields.string(7, &requestID, max: Limits.pathBytes)
    try fields.uint64(8, &cause)
    try fields.message(9, &reason)
    try fields.string(10, &tenant, max: Limits.nameBytes)
    try fields.string(11, &traceParent, max: Limits.traceParentBytes)
    try fields.messages(12, &events, count: Limits.commitBytes)
  }
}

extension State {
  /// A commit in words. `self` is any state at or after it: names are never taken from what they named.
  package func report(_ commit: Commit) -> CommitReport {
    var report = CommitReport()
    report.revision = commit.revision
    report.time = commit.time
    report.wallTime = commit.wallTime
    if let principal = principals.row(commit.principal) {
      report.principal = principal.name
      report.principalKind = principal.kind
    }
    report.assurance = commit.assurance
    if commit.session != 0 { report.requestID = "\(clientName(commit.session)):\(commit.sequence)" }
    report.cause = commit.cause
    report.reason = commit.reason ?? Reason()
    report.tenant = tenants.row(commit.tenant)?.name ?? ""
    report.traceParent = commit.traceParent
    report.events = commit.events.map { self.report($0) }
    return report
  }

  private func clientName(_ id: SessionID) -> String {
    guard let client = sessions.row(id)?.client, !client.isEmpty else { return "#\(id)" }
    return client
  }
}
