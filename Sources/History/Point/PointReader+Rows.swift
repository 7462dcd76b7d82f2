package import MusterCluster
internal import MusterLog

// Rows by number.

extension PointReader {
  package func node(_ id: NodeID, through end: Revision? = nil) throws(HistoryError) -> NodeRow? {
    var row: NodeRow? = try stored(id)
    var selection = LogSelection.anyOf([Entity(.node, id)])
    selection.require(anyOf: Event.nodeLife.map { Entity(.eventType, $0) })
    for recorded in try events(selection, through: end, where: { $0.livingNode == id }) {
      NodeRow.follow(&row, recorded)
    }
    return row
  }

  /// The name of a node; it never changes.
  func nodeName(_ id: NodeID) throws(HistoryError) -> String? {
    if let row: NodeRow = try stored(id) { return row.name }
    return try node(id)?.name
  }

  package func collection(_ id: CollectionID) throws(HistoryError) -> CollectionRow? {
    let before: CollectionRow? = try stored(id)
    var found = try events(.anyOf([Entity(.collection, id)])) { $0.changedCollection == id }
    if before?.state ?? .creating == .creating {
      var begun = before
      for recorded in found where begun == nil { CollectionRow.follow(&begun, recorded) }
      if let begun { found = found.merged(with: try placements(of: begun)) }
    }
    var row = before
    for recorded in found { CollectionRow.follow(&row, recorded) }
    return row
  }

  /// The placements that a collection waited for, as far as they came: they speak of shards alone, and once each has
  /// its own there are no more.
  private func placements(of begun: CollectionRow) throws(HistoryError) -> [RecordedEvent] {
    let shards = begun.shardRange
    var selection = History.everything
    selection.require(
      anyOf: [LogKey(Entity(.shard, shards.lowerBound))...LogKey(Entity(.shard, shards.upperBound))])
    selection.require(anyOf: Event.numbers(named: ["ShardPlaced"]).map { Entity(.eventType, $0) })
    return try events(selection, atMost: Int(begun.shardCount - min(begun.placedCount, begun.shardCount))) { event in
      if case .shardPlaced(let event) = event { shards.contains(event.shard) } else { false }
    }
  }

  /// A shard and its move.
  ///
  /// - Parameter collection: whose it is; nil when it is older than the snapshot.
  package func shard(_ id: ShardID, of collection: CollectionID? = nil) throws(HistoryError) -> ShardStory {
    let row: ShardRow? = try stored(id)
    let move: MoveRow? = try row.flatMap { (row) throws(HistoryError) in row.move == 0 ? nil : try stored(row.move) }
    var story = ShardStory(id, row, move)
    let owner = row?.collection ?? collection ?? 0
    for recorded in try events(.anyOf([Entity(.shard, id), Entity(.collection, owner)]), where: { story.follows($0) }) {
      var monitored: Set<NodeID> = []
      if let placed = recorded.event.placedNodes {
        for node in placed where try self.node(node, through: recorded.revision)?.isMonitored == true {
          monitored.insert(node)
        }
      }
      do throws(ApplyError) { try story.follow(recorded) { monitored.contains($0) } } catch {
        throw .divergence(recorded.revision, "the commit does not apply: \(error)")
      }
    }
    return story
  }

  /// Whose a shard is; 0 when there is none.
  func owner(of shard: ShardID) throws(HistoryError) -> CollectionID {
    if let row: ShardRow = try stored(shard) { return row.collection }
    for recorded in try events(named: ["CollectionCreated", "SplitStarted"]) {
      switch recorded.event {
      case .collectionCreated(let event):
        if shard >= event.firstShard, shard - event.firstShard < event.shardCount { return event.collection }
      case .splitStarted(let event): if event.child == shard { return event.collection }
      default: continue
      }
    }
    return 0
  }

  package func config(_ id: ConfigID) throws(HistoryError) -> ConfigRow? {
    var row: ConfigRow? = try stored(id)
    let found = try events(.anyOf([Entity(.config, id)])) { event in
      switch event {
      case .configKeyAdded(let event): event.config == id
      case .configSet(let event): event.config == id
      case .configDeleted(let event): event.config == id
      default: false
      }
    }
    for recorded in found { ConfigRow.follow(&row, recorded) }
    return row
  }

  package func tenant(_ id: TenantID) throws(HistoryError) -> TenantRow? {
    var row: TenantRow? = try stored(id)
    for recorded in try events(named: ["TenantCreated", "TenantKeyErased"]) {
      TenantRow.follow(&row, id: id, recorded)
    }
    return row
  }

  package func principal(_ id: PrincipalID) throws(HistoryError) -> PrincipalRow? {
    if let row: PrincipalRow = try stored(id) { return row }
    for recorded in try events(named: ["PrincipalSeen"]) {
      guard case .principalSeen(let event) = recorded.event, event.principal == id else { continue }
      return PrincipalRow(name: event.name, kind: event.kind, changed: recorded.revision)
    }
    return nil
  }

  /// A session's client; nil when it was forgotten. What it asked lately is not looked for.
  package func session(_ id: SessionID) throws(HistoryError) -> SessionRow? {
    var row: SessionRow? = try stored(id)
    for recorded in try events(named: ["SessionOpened", "SessionForgotten"]) {
      switch recorded.event {
      case .sessionOpened(let event) where event.session == id:
        row = SessionRow()
        row?.client = event.client
      case .sessionForgotten(let event) where event.session == id: row = nil
      default: break
      }
    }
    return row
  }

  package func cluster() throws(HistoryError) -> ClusterRow {
    var row = try stored(1, ClusterRow.self) ?? ClusterRow()
    for recorded in try events(named: ["MaintenanceChanged", "BalancingChanged", "TenantKeyErased"]) {
      row.follow(recorded)
    }
    return row
  }

  private func events(named names: [String]) throws(HistoryError) -> [RecordedEvent] {
    try events(.anyOf(Event.numbers(named: names).map { Entity(.eventType, $0) })) { names.contains($0.name) }
  }

  // MARK: Rows that events call by their names

  /// The schema of a key with its number.
  package func schema(_ key: String) throws(HistoryError) -> (id: UInt32, row: SchemaRow)? {
    var found: (id: UInt32, row: SchemaRow)?
    for id in try stored(named: key, in: .schemas) {
      if let row: SchemaRow = try stored(id), row.key == key { found = (id, row) }
    }
    var row = found?.row
    var made: [String] = []
    for recorded in try events(named: ["SchemaSet"]) {
      guard case .schemaSet(let event) = recorded.event else { continue }
      if event.key == key { SchemaRow.follow(&row, recorded) }
      if !made.contains(event.key) { made.append(event.key) }
    }
    guard let row else { return nil }
    if let found { return (found.id, row) }
    return (try number(of: key, made, SchemaRow.self) { $0.key }, row)
  }

  package func alarm(_ name: String) throws(HistoryError) -> (id: UInt32, row: AlarmRow)? {
    var found: (id: UInt32, row: AlarmRow)?
    for id in try stored(named: name, in: .alarms) {
      if let row: AlarmRow = try stored(id), row.name == name { found = (id, row) }
    }
    var row = found?.row
    var made: [String] = []
    for recorded in try events(named: ["AlarmRaised", "AlarmCleared"]) {
      let spoken: String
      switch recorded.event {
      case .alarmRaised(let event): spoken = event.name
      case .alarmCleared(let event): spoken = event.name
      default: continue
      }
      if spoken == name { AlarmRow.follow(&row, recorded) }
      if !made.contains(spoken) { made.append(spoken) }
    }
    guard let row else { return nil }
    if let found { return (found.id, row) }
    return (try number(of: name, made, AlarmRow.self) { $0.name }, row)
  }

  /// The number of a row that was made since the snapshot: those of names that were new come one after the other.
  ///
  /// - Parameter spoken: the names that events spoke of, in their order.
  private func number<Row: TableRow>(
    of name: String, _ spoken: [String], _: Row.Type, _ nameOf: (Row) -> String
  ) throws(HistoryError) -> UInt32 {
    var next = storedCount(of: Row.table)
    for other in spoken {
      var isNew = true
      for id in try stored(named: other, in: Row.table) {
        if let row: Row = try stored(id), nameOf(row) == other { isNew = false }
      }
      if isNew { next += 1 }
      if other == name { break }
    }
    return next
  }
}

extension [RecordedEvent] {
  /// Both in the order of revisions, these first where they are the same.
  fileprivate func merged(with others: [RecordedEvent]) -> [RecordedEvent] {
    var merged: [RecordedEvent] = []
    var next = others[...]
    for recorded in self {
      while let other = next.first, other.revision < recorded.revision { merged.append(next.removeFirst()) }
      merged.append(recorded)
    }
    return merged + next
  }
}

extension Event {
  fileprivate static func numbers(named names: [String]) -> [UInt32] { names.compactMap { number(named: $0) } }

  /// The collection whose row changes by this event; nil for others, and for placements.
  fileprivate var changedCollection: CollectionID? {
    switch self {
    case .collectionCreated(let event): event.collection
    case .collectionChanged(let event): event.collection
    case .collectionDeleted(let event): event.collection
    case .splitStarted(let event): event.collection
    case .splitAdvanced(let event): event.collection
    case .shardSplit(let event): event.collection
    case .shardPruned(let event): event.collection
    case .shardCountWanted(let event): event.collection
    case .mergeStarted(let event): event.collection
    case .mergeAdvanced(let event): event.collection
    case .shardsMerged(let event): event.collection
    default: nil
    }
  }

  /// Where replicas were made that count as opened when nobody watches over their node; nil for other events.
  fileprivate var placedNodes: [NodeID]? {
    switch self {
    case .shardPlaced(let event): event.nodes
    case .splitStarted(let event): event.nodes
    default: nil
    }
  }
}
