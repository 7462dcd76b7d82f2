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

extension CommitReport {
  /// A commit in words.
  init(_ commit: Commit, _ names: some NameSource) {
    revision = commit.revision
    time = commit.time
    wallTime = commit.wallTime
    if let principal = names.principal(commit.principal) {
      self.principal = principal.name
      principalKind = principal.kind
    }
    assurance = commit.assurance
    if commit.session != 0 { requestID = "\(names.clientName(commit.session)):\(commit.sequence)" }
    cause = commit.cause
    reason = commit.reason ?? Reason()
    tenant = names.tenantName(commit.tenant) ?? ""
    traceParent = commit.traceParent
    events = commit.events.map { EventReport($0, names) }
  }
}

extension NameBook {
  /// A commit in words; the book has learned from every commit that gave a name in it.
  package func report(_ commit: Commit) -> CommitReport { CommitReport(commit, self) }
}
