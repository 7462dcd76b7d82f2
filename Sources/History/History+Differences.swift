package import MusterCluster
internal import MusterLog

extension History {
  /// Commits between two moments up to which the things that they speak of are read one by one.
  private static let commitsMax: Revision = 1000
  /// So many things are read one by one; of more, the states are made.
  private static let thingsMax = 100

  /// What differs between the states at two revisions, and nothing of what they share.
  ///
  /// Near each other, only the things that the commits between speak of are looked at; else the later state is made of the
  /// earlier one where it can be.
  package func differences(from a: Revision, to b: Revision) throws(HistoryError) -> [Difference] {
    let (earlier, later) = (min(a, b), max(a, b))
    guard later <= last else { throw .future(asked: "revision \(later)", newest: last) }
    if a == b { return [] }
    let states = try lookingAgain { () throws(HistoryError) in
      if let near = try focuses(earlier, later) { return near }
      return try pair(earlier, later)
    }
    var found: [Difference] = []
    Differ.diff(a <= b ? states.0 : states.1, a <= b ? states.1 : states.0) { found.append($0) }
    return found
  }

  // MARK: Whole states

  /// Two states that share the pages that did not change between them, as far as the files show it.
  func pair(_ earlier: Revision, _ later: Revision) throws(HistoryError) -> (State, State) {
    let base = try stored(atOrBefore: earlier)
    let first = try completed(base, at: earlier)
    guard earlier < later else { return (first, first) }
    let newest: Revision
    do throws(LogError) { newest = try snapshots.newest(atOrBefore: later) } catch { throw .log(error) }
    // Without a snapshot between them the way from the one to the other is the shortest.
    if newest <= earlier { return (first, try completed(first, at: later)) }
    if let changed = try changed(base, to: newest) { return (first, try completed(changed, at: later)) }
    return (first, try state(at: later))
  }

  /// The state of a later snapshot, when it is a delta of the one that `base` was read from.
  private func changed(_ base: State, to newer: Revision) throws(HistoryError) -> State? {
    do {
      var state = base
      let manifest = try snapshots.loadChanges(from: base.revision, to: newer) { address, bytes in
        try state.addPage(table: address.table, page: address.page, bytes, isNewer: true)
      }
      guard let manifest else { return nil }
      try state.finishPages(revision: manifest.revision, time: manifest.time)
      return state
    } catch let error as LogError {
      if case .vanished = error { return nil }
      throw .log(error)
    } catch {
      throw .divergence(newer, "the snapshot cannot be used: \(error)")
    }
  }

  // MARK: Only what is spoken of

  /// Two states that know the things that the commits between speak of; nil when these are many, or cannot be read alone.
  private func focuses(_ earlier: Revision, _ later: Revision) throws(HistoryError) -> (State, State)? {
    guard earlier > 0, earlier < later, later - earlier <= History.commitsMax else { return nil }
    var things = ChangedThings()
    try forEachCommit(from: earlier + 1, through: later) { commit in
      for event in commit.events { things.note(event) }
      return things.count <= History.thingsMax
    }
    guard things.count <= History.thingsMax else { return nil }
    guard let before = try PointReader(self, at: earlier), let after = try PointReader(self, at: later) else {
      return nil
    }
    var first = try things.focus(before, names: after, time(of: earlier))
    var second = try things.focus(after, names: after, time(of: later))
    things.share(first, &second)
    things.share(second, &first)
    return (first, second)
  }
}

/// What some events changed, by kind and number or name.
private struct ChangedThings {
  private var nodes: Set<NodeID> = []
  private var collections: Set<CollectionID> = []
  private var shards: Set<ShardID> = []
  private var configs: Set<ConfigID> = []
  private var tenants: Set<TenantID> = []
  private var schemas: Set<String> = []
  private var alarms: Set<String> = []
  private var isClusterChanged = false
  /// Collections that came or went: every shard of them did.
  private var wholeShards = 0

  var count: Int {
    nodes.count + collections.count + shards.count + configs.count + schemas.count + alarms.count + wholeShards
  }

  mutating func note(_ event: Event) {
    if let node = event.livingNode { nodes.insert(node) }
    switch event {
    case .maintenanceChanged, .balancingChanged: isClusterChanged = true
    case .collectionCreated(let event):
      collections.insert(event.collection)
      note(event.firstShard, event.shardCount)
    // What is not followed row by row: the whole states are compared.
    case .collectionDeleted, .retentionChanged, .historyCut: wholeShards = .max / 2
    case .tenantCreated(let event): tenants.insert(event.tenant)
    case .tenantKeyErased(let event):
      if event.tenant == 0 { isClusterChanged = true } else { tenants.insert(event.tenant) }
    case .alarmRaised(let event): alarms.insert(event.name)
    case .alarmCleared(let event): alarms.insert(event.name)
    default: break
    }
    var touched = Touched()
    event.touch(&touched)
    shards.formUnion(touched.shards)
    collections.formUnion(touched.collections)
    configs.formUnion(touched.configs)
    schemas.formUnion(touched.schemaKeys)
  }

  private mutating func note(_ first: ShardID, _ count: UInt32) {
    guard count <= 1000 else { return wholeShards = .max / 2 }
    for offset in 0..<count { shards.insert(first &+ offset) }
  }

  /// A state that knows these things as they were.
  ///
  /// - Parameter names: says what other things are called.
  func focus(_ reader: PointReader, names: PointReader, _ time: Microseconds) throws(HistoryError) -> State {
    var state = State.focused(at: reader.revision, time)
    if isClusterChanged { state.adopt(try reader.cluster()) }
    for id in nodes.sorted() { if let row = try reader.node(id) { state.adopt(row, at: id) } }
    // A placement changes its collection too, without speaking of it.
    var owners: Set<CollectionID> = []
    for id in shards.sorted() {
      let owner = try names.owner(of: id)
      owners.insert(owner)
      try reader.adopt(shard: id, of: owner, into: &state)
    }
    for id in collections.union(owners).sorted() {
      if let row = try reader.collection(id) { state.adopt(row, at: id) }
    }
    for id in configs.sorted() { if let row = try reader.config(id) { try adopt(row, id, reader, &state) } }
    for id in tenants.sorted() { if let row = try reader.tenant(id) { state.adopt(row, at: id) } }
    for key in schemas.sorted() { if let found = try reader.schema(key) { state.adopt(found.row, at: found.id) } }
    for name in alarms.sorted() { if let found = try reader.alarm(name) { state.adopt(found.row, at: found.id) } }
    return state
  }

  /// What was only adopted to be named did not change: both states get it, so that it makes no difference.
  func share(_ from: State, _ to: inout State) {
    from.nodes.forEach { id, row in
      guard !row.name.isEmpty, !nodes.contains(id), to.nodes.row(id)?.name.isEmpty ?? true else { return }
      to.adopt(row, at: id)
    }
    from.collections.forEach { id, row in
      guard !row.name.isEmpty, !collections.contains(id), to.collections.row(id)?.name.isEmpty ?? true else { return }
      to.adopt(row, at: id)
    }
    from.tenants.forEach { id, row in
      guard !row.name.isEmpty, !tenants.contains(id), to.tenants.row(id)?.name.isEmpty ?? true else { return }
      to.adopt(row, at: id)
    }
  }

  /// A value, and what its scope is called.
  private func adopt(
    _ row: ConfigRow, _ id: ConfigID, _ reader: PointReader, _ state: inout State
  ) throws(HistoryError) {
    state.adopt(row, at: id)
    switch row.scope.kind {
    case .cluster: return
    case .tenant: if let tenant = try reader.tenant(row.scope.id) { state.adopt(tenant, at: row.scope.id) }
    case .collection:
      if let collection = try reader.collection(row.scope.id) { state.adopt(collection, at: row.scope.id) }
    case .node: try reader.adopt(nameOf: row.scope.id, into: &state)
    }
  }
}
