package import MusterBytes

/// A request that was executed, and the commit it became.
package struct ExecutedRequest: FieldMessage, Hashable {
  package var sequence: UInt64 = 0
  package var revision: Revision = 0

  package init() {}
  package init(sequence: UInt64, revision: Revision) {
    self.sequence = sequence
    self.revision = revision
  }

  package mutating func visit<V: FieldVisitor & ~Copyable>(_ fields: inout V) throws(WireError) {
    try fields.uint64(1, &sequence)
    try fields.uint64(2, &revision)
  }

  /// What one remembered request adds to the digest, so that a request costs the digest one entry, not the window.
  func digest(session: SessionID) -> SetDigest {
    let words = (UInt64(session).littleEndian, sequence.littleEndian, revision.littleEndian)
    return withUnsafeBytes(of: words) { SetDigest(row: $0, seed: TableID.requests.rawValue) }
  }
}

/// What is remembered of one client's requests, so that a retry has one effect.
package struct SessionRow: TableRow {
  package static let table = TableID.sessions
  @inlinable package static var rowsPerPageShift: Int { 1 }

  /// Empty once the session is forgotten.
  package var client = ""
  /// Every sequence up to this one that is not in `window` is too old to be judged.
  package var floor: UInt64 = 0
  /// The last executed requests, in the order of execution, at most `Limits.requestWindow`.
  package var window: [ExecutedRequest] = []
  package var changed: Revision = 0

  package init() {}

  package var isVacant: Bool { client.isEmpty }

  package var highest: UInt64 { window.reduce(floor) { max($0, $1.sequence) } }

  /// The commit that this request became, if it is still known.
  package func revision(of sequence: UInt64) -> Revision? {
    // The newest stand last, and retries are of the newest as a rule.
    if Mutant.isOn(.dedupeKnowsNewestOnly), window.last?.sequence != sequence { return nil }
    return window.last { $0.sequence == sequence }?.revision
  }

  /// Window and `changed` are left out of the row's own digest: each request has an entry of its own.
  package var timeless: SessionRow {
    var copy = SessionRow()
    copy.client = client
    return copy
  }

  package mutating func visit<V: FieldVisitor & ~Copyable>(_ fields: inout V) throws(WireError) {
    try fields.string(1, &client, max: Limits.nameBytes)
    try fields.uint64(2, &floor)
    try fields.messages(3, &window, count: Limits.requestWindow)
    try fields.uint64(4, &changed)
  }
}
