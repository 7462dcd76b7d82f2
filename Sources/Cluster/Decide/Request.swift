package import MusterBytes

/// A command with who asks, how it may be retried and what it expects.
package struct Request: FieldMessage, Hashable {
  package var command = Command.setMaintenance(SetMaintenance())
  /// The client's part of the request id; empty when the request must not be remembered.
  package var client = ""
  package var sequence: UInt64 = 0
  /// Refused unless the cluster is at exactly this revision.
  package var expectedRevision: UInt64?
  /// Refused when what plans are computed from changed after this revision; see `State.placementRevision`.
  package var expectedPlacement: Revision?
  package var reason = ""
  package var traceParent = ""
  /// Decide, and say what would happen, and do nothing.
  package var isDryRun = false
  /// The revision that made this request happen, or 0.
  package var cause: Revision = 0

  package init() {}
  package init(_ command: Command, client: String = "", sequence: UInt64 = 0, reason: String = "") {
    self.command = command
    self.client = client
    self.sequence = sequence
    self.reason = reason
  }

  package mutating func visit<V: FieldVisitor & ~Copyable>(_ fields: inout V) throws(WireError) {
    try fields.message(1, &command)
    try fields.string(2, &client, max: Limits.nameBytes)
    try fields.uint64(3, &sequence)
    try fields.optional(4, &expectedRevision)
    try fields.string(5, &reason, max: Limits.reasonBytes)
    try fields.string(6, &traceParent, max: Limits.traceParentBytes)
    try fields.bool(7, &isDryRun)
    try fields.uint64(8, &cause)
    try fields.optional(20, &expectedPlacement)
  }
}

/// What the shell knows of a request that the request does not say of itself.
package struct RequestContext: Sendable {
  package var principal: String
  package var kind: PrincipalKind
  package var assurance: Assurance
  /// The server's clock.
  package var wallTime: Microseconds
  /// Set for what Muster's own controllers ask.
  package var reason: Reason?

  package init(
    principal: String, kind: PrincipalKind, assurance: Assurance, wallTime: Microseconds, reason: Reason? = nil
  ) {
    self.principal = principal
    self.kind = kind
    self.assurance = assurance
    self.wallTime = wallTime
    self.reason = reason
  }
}

/// What became of a request.
package enum Outcome: Sendable, Equatable {
  /// It became this commit, which the state now includes.
  case committed(Commit)
  /// It was executed before, as the commit of this revision.
  case repeated(Revision)
  /// The state already is as asked.
  case unchanged
  /// A dry run would have made these events.
  case wouldCommit([Event])
  case refused(Refusal)
}

/// Chooses nodes for shards that have none. Controllers implement it; `decide` calls it and checks what it says.
package protocol Planner: Sendable {
  /// Nodes for `count` new shards from the shard `first` on, the leader first in each; or what stands in the way.
  ///
  /// - Parameter total: how many shards of the collection will want places in the end, at least `count`: a planner
  ///   refuses at once what cannot be satisfied as a whole.
  func place(
    _ count: Int, of total: Int, under policy: Policy, in state: State
  ) -> Result<[[NodeID]], Refusal>
}
