package import MusterBytes

/// What is wrong with stored pages.
package enum PageError: Error, Equatable, Sendable {
  /// A page is of a table that this version does not have.
  case unknownTable(UInt32)
  /// A page cannot be decoded, or does not come where it must.
  case malformed(table: TableID, page: UInt32, WireError)
  /// The rows have another digest than the snapshot says.
  case digest(expected: String, found: String)
}

extension State {
  /// Calls `body` with every page that differs from `older`, or with all of them, in ascending order.
  ///
  /// - Complexity: O(pages), and encoding only of those that are not shared with `older`.
  package func forEachPage(
    changedSince older: State?, _ body: (TableID, UInt32, UnsafeRawBufferPointer) throws -> Void
  ) throws {
    var writer = ByteWriter(capacity: 16 * 1024)
    func walk<Row: TableRow>(_ table: KeyPath<State, PagedTable<Row>>) throws {
      let base = older?[keyPath: table] ?? PagedTable<Row>()
      let rows = self[keyPath: table]
      try rows.forEachChangedPage(since: base) { number in
        writer.removeAll()
        rows.encodePage(number, into: &writer)
        try body(Row.table, UInt32(number), writer.bytes)
      }
    }
    try walk(\.cluster)
    try walk(\.nodes)
    try walk(\.collections)
    try walk(\.shards)
    try walk(\.moves)
    try walk(\.configs)
    try walk(\.schemas)
    try walk(\.principals)
    try walk(\.sessions)
    try walk(\.alarms)
    try walk(\.tenants)
    try walk(\.history)
  }

  /// A state without any row, to be filled by `addPage` and `finishPages`.
  package static func empty(following parts: StateParts = .all) -> State {
    var state = State()
    state.parts = parts
    state.cluster = PagedTable()
    state.deferDigest()
    return state
  }

  /// The state before the first commit.
  package static func beginning(following parts: StateParts) -> State {
    var state = State()
    state.parts = parts
    if parts != .all { state.deferDigest() }
    return state
  }

  /// Adds a stored page, if it is of a part that is followed. Pages come in ascending order of table and number.
  ///
  /// - Parameter isNewer: it may take the place of an older form of it, to make the state of a later snapshot.
  package mutating func addPage(
    table: UInt32, page: UInt32, _ bytes: UnsafeRawBufferPointer, isNewer: Bool = false
  ) throws(PageError) {
    if NamePage.isNames(table) { return }
    guard let table = TableID(rawValue: table) else { throw .unknownTable(table) }
    guard parts.include(table) else { return }
    do throws(WireError) {
      switch table {
      case .cluster: try cluster.addPage(Int(page), bytes, isNewer: isNewer)
      case .nodes: try nodes.addPage(Int(page), bytes, isNewer: isNewer)
      case .collections: try collections.addPage(Int(page), bytes, isNewer: isNewer)
      case .shards: try shards.addPage(Int(page), bytes, isNewer: isNewer)
      case .moves: try moves.addPage(Int(page), bytes, isNewer: isNewer)
      case .configs: try configs.addPage(Int(page), bytes, isNewer: isNewer)
      case .schemas: try schemas.addPage(Int(page), bytes, isNewer: isNewer)
      case .principals: try principals.addPage(Int(page), bytes, isNewer: isNewer)
      case .sessions: try sessions.addPage(Int(page), bytes, isNewer: isNewer)
      case .alarms: try alarms.addPage(Int(page), bytes, isNewer: isNewer)
      case .tenants: try tenants.addPage(Int(page), bytes, isNewer: isNewer)
      case .history: try history.addPage(Int(page), bytes, isNewer: isNewer)
      case .requests: throw WireError.outOfRange(field: 0)
      }
    } catch {
      throw .malformed(table: table, page: page, error)
    }
  }

  /// Makes the rows that were added a state at a revision. Digests stay deferred.
  package mutating func finishPages(revision: Revision, time: Microseconds) throws(PageError) {
    guard cluster.count == 1, revision < .max else { throw .malformed(table: .cluster, page: 0, .truncated) }
    self.revision = revision
    self.time = Mutant.isOn(.snapshotForgetsTime) ? 0 : time
    try checkReferences()
    rebuildDerived()
  }

  /// Rows must speak of rows that exist, or what is derived from them would trap.
  private func checkReferences() throws(PageError) {
    try shards.forEach { (id, row) throws(PageError) in
      guard isSound(row) else { throw .malformed(table: .shards, page: id, .outOfRange(field: 1)) }
    }
    try collections.forEach { (id, row) throws(PageError) in
      guard isSound(row) else { throw .malformed(table: .collections, page: id, .outOfRange(field: 6)) }
    }
    try moves.forEach { (id, row) throws(PageError) in
      if row.isVacant { return }
      let isSound =
        shards.contains(row.shard) && (row.source != 0 || row.target != 0 || shards.contains(row.partner))
        && (row.source == 0 || nodes.contains(row.source)) && (row.target == 0 || nodes.contains(row.target))
      guard isSound else { throw .malformed(table: .moves, page: id, .outOfRange(field: 1)) }
    }
  }

  private func isSound(_ row: ShardRow) -> Bool {
    collections.contains(row.collection) && (row.leader == 0 || row.replicas.index(of: row.leader) != nil)
      && (row.move == 0 || moves.holds(row.move)) && row.replicas.allSatisfy { nodes.contains($0.node) }
  }

  private func isSound(_ row: CollectionRow) -> Bool {
    (1...Limits.shardsPerCollection).contains(Int(row.shardCount)) && row.placedCount <= row.shardCount
      && row.policy.replicas <= Limits.replicas && (row.tenant == 0 || tenants.contains(row.tenant))
      && row.firstShard >= 1 && Int(row.firstShard) + Int(row.shardCount) <= shards.count + 1
      && row.children.allSatisfy {
        shards.contains($0.shard) && shards.contains($0.parent) && $0.range.residue < $0.range.modulus
      }
      && row.widened.allSatisfy {
        $0.index == $0.range.residue && $0.range.residue < $0.range.modulus && $0.range.modulus < row.shardCount
          && row.shardCount % $0.range.modulus == 0
      }
  }
}

extension State {
  /// How many pages `forEachPage` would hand out.
  ///
  /// - Complexity: O(pages); nothing is encoded.
  package func pageCount(changedSince older: State?) -> Int {
    var count = 0
    func add<Row: TableRow>(_ table: KeyPath<State, PagedTable<Row>>) {
      let base = older?[keyPath: table] ?? PagedTable<Row>()
      self[keyPath: table].forEachChangedPage(since: base) { _ in count += 1 }
    }
    add(\.cluster)
    add(\.nodes)
    add(\.collections)
    add(\.shards)
    add(\.moves)
    add(\.configs)
    add(\.schemas)
    add(\.principals)
    add(\.sessions)
    add(\.alarms)
    add(\.tenants)
    add(\.history)
    return count
  }
}
