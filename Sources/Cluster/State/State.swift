internal import HashTreeCollections
package import MusterBytes

/// The cluster at one revision: a value folded from events.
///
/// A copy costs O(1) and shares every page with its original, so a view can be published after every block and held
/// without a lock. Only `execute` and `apply` change one.
///
/// Invariants:
/// - Rows are numbered densely from 1. What has a name is never removed but marked, because names and history outlive
///   it; what has none (moves, sessions) becomes vacant when it is over.
/// - `digest` is the sum over the canonical rows, also of rows that a snapshot gave, unless `isDigestDeferred`.
/// - Indexes and loads are derived: they can be rebuilt from the rows and are not part of the digest.
package struct State: Sendable {
  /// The last commit that was applied; 0 before the first.
  package internal(set) var revision: Revision = 0
  /// The log time of that commit.
  package internal(set) var time: Microseconds = 0

  package internal(set) var cluster = PagedTable<ClusterRow>()
  package internal(set) var nodes = PagedTable<NodeRow>()
  package internal(set) var collections = PagedTable<CollectionRow>()
  package internal(set) var shards = PagedTable<ShardRow>()
  package internal(set) var moves = PagedTable<MoveRow>()
  package internal(set) var configs = PagedTable<ConfigRow>()
  package internal(set) var schemas = PagedTable<SchemaRow>()
  package internal(set) var principals = PagedTable<PrincipalRow>()
  package internal(set) var sessions = PagedTable<SessionRow>()
  package internal(set) var alarms = PagedTable<AlarmRow>()
  package internal(set) var tenants = PagedTable<TenantRow>()
  package internal(set) var history = PagedTable<HistoryRow>()

  var index = NameIndex()
  /// What nodes carry, by node number.
  var loads = LoadTable()

  /// The lowest number of a session that is still remembered, and how many were forgotten.
  var oldestSession: SessionID = 1
  var forgottenSessions = 0

  var rowsDigest = SetDigest()
  /// While true, writes leave the digest alone; `resumeDigest` computes it anew.
  package private(set) var isDigestDeferred = false
  /// What of the history it follows. One that does not follow all has no digest, and decides nothing.
  package internal(set) var parts = StateParts.all

  package init() {
    write(append: ClusterRow(), to: \.cluster)
  }

  /// The digest of the canonical rows.
  ///
  /// - Precondition: digests are not deferred.
  package var digest: SetDigest {
    precondition(!isDigestDeferred, "a deferred digest must be resumed before it is read")
    return rowsDigest
  }

  package var isInMaintenance: Bool { cluster[1].isInMaintenance }
}

// MARK: - The only ways to write a row

extension State {
  @inline(__always)
  mutating func write<Row: TableRow>(append row: Row, to table: WritableKeyPath<State, PagedTable<Row>>) {
    self[keyPath: table].append(row)
    if !isDigestDeferred { rowsDigest += row.digest }
  }

  /// Changes a row in place and keeps the digest in step.
  @inline(__always)
  mutating func modify<Row: TableRow>(
    _ table: WritableKeyPath<State, PagedTable<Row>>, _ id: UInt32, _ change: (inout Row) -> Void
  ) {
    if isDigestDeferred {
      change(&self[keyPath: table][id])
      return
    }
    var scratch = ByteWriter(capacity: 256)
    let before = self[keyPath: table][id].digest(using: &scratch)
    change(&self[keyPath: table][id])
    let after = self[keyPath: table][id].digest(using: &scratch)
    rowsDigest -= before
    rowsDigest += after
  }

  /// Makes a row vacant.
  mutating func vacate<Row: TableRow>(_ table: WritableKeyPath<State, PagedTable<Row>>, _ id: UInt32) {
    modify(table, id) { $0 = Row() }
    assert(self[keyPath: table][id].isVacant, "a new row of a table that is vacated is vacant")
    self[keyPath: table].releasePage(of: id)
  }
}

// MARK: - Digest

extension State {
  /// Stops following the digest row by row: for replaying much at once.
  package mutating func deferDigest() { isDigestDeferred = true }

  /// Computes the digest from every row and follows it again.
  package mutating func resumeDigest() {
    precondition(parts == .all, "a state that leaves parts out has no digest")
    isDigestDeferred = false
    rowsDigest = computedDigest()
  }

  /// The digest from every row, not from what was followed: the two must agree.
  package func computedDigest() -> SetDigest {
    var sum = SetDigest()
    var scratch = ByteWriter(capacity: 1024)
    func add<Row: TableRow>(_ table: PagedTable<Row>) {
      table.forEach { _, row in sum += row.digest(using: &scratch) }
    }
    add(cluster)
    add(nodes)
    add(collections)
    add(shards)
    add(moves)
    add(configs)
    add(schemas)
    add(principals)
    add(sessions)
    add(alarms)
    add(tenants)
    add(history)
    sessions.forEach { id, session in
      for request in session.window { sum += request.digest(session: id) }
    }
    return sum
  }
}

extension State: CustomStringConvertible {
  /// The moment and its digest: a state printed whole is of no use to anybody.
  package var description: String {
    "State(revision: \(revision), digest: \(isDigestDeferred ? "deferred" : digest.hex))"
  }
}
