package import MusterCluster

/// What differs between two states, by entity and field, in a stable order.
///
/// Sessions and principals are left out: they say who asked, not what the cluster is.
package struct Differ {
  private let a: State
  private let b: State
  /// The one of the two that knows every name, and which revision changed what last.
  private let later: State

  /// Calls `each` with every difference: cluster, nodes, collections, shards with their moves, configuration,
  /// schemas, tenants, alarms; each in the order of their numbers.
  ///
  /// - Complexity: O(pages) where the states share pages, and the rows of those that differ.
  package static func diff(_ a: State, _ b: State, _ each: (Difference) -> Void) {
    Differ(a, b).walk(each)
  }

  private init(_ a: State, _ b: State) {
    self.a = a
    self.b = b
    later = a.revision > b.revision ? a : b
  }

  private func walk(_ each: (Difference) -> Void) {
    let names = later
    rows(\.cluster, { _ in true }, { _ in "cluster" }, { $0.fieldReports }, each)
    rows(\.nodes, { $0.isKnown && !$0.isRemoved }, { "node/\($0.name)" }, { $0.fieldReports }, each)
    rows(\.collections, { $0.isKnown && !$0.isDeleted }, { "collection/\($0.name)" }, { $0.fieldReports }, each)
    rows(
      \.shards, { $0.replicas.count > 0 }, { "shard/\(names.collectionName($0.collection))/\($0.index)" },
      { state, row in state.fieldReports(row) }, each)
    rows(\.configs, { $0.value != nil }, { names.entity($0) }, { $0.fieldReports }, each)
    rows(\.schemas, { $0.isKnown }, { "schema/\($0.key)" }, { $0.schema.fieldReports }, each)
    rows(\.history, { _ in true }, { _ in "history" }, { $0.policy.fieldReports }, each)
    rows(\.tenants, { $0.isKnown }, { "tenant/\($0.name)" }, { _ in [] }, each)
    rows(
      \.alarms, { $0.isRaised }, { "alarm/\($0.name)" }, { [FieldReport("message", .text($0.message))] }, each)
  }

  private func rows<Row: TableRow>(
    _ table: KeyPath<State, PagedTable<Row>>, _ exists: (Row) -> Bool, _ entity: (Row) -> String,
    _ fields: (Row) -> [FieldReport], _ each: (Difference) -> Void
  ) {
    rows(table, exists, entity, { _, row in fields(row) }, each)
  }

  /// Compares two tables row by row where their pages are not shared.
  ///
  /// - Parameter fields: of a row in its own state.
  private func rows<Row: TableRow>(
    _ table: KeyPath<State, PagedTable<Row>>, _ exists: (Row) -> Bool, _ entity: (Row) -> String,
    _ fields: (State, Row) -> [FieldReport], _ each: (Difference) -> Void
  ) {
    let before = a[keyPath: table]
    let after = b[keyPath: table]
    let newest = later[keyPath: table]
    PagedTable.forEachDifferentRow(before, after) { id, old, new in
      let old = old.flatMap { exists($0) ? $0 : nil }
      let new = new.flatMap { exists($0) ? $0 : nil }
      guard let named = new ?? old else { return }
      var difference = Difference()
      difference.kind = old == nil ? .added : new == nil ? .removed : .changed
      difference.fields = Differ.fields(old.map { fields(a, $0) }, new.map { fields(b, $0) })
      if difference.kind == .changed && difference.fields.isEmpty { return }
      difference.entity = entity(named)
      difference.revision = newest.row(id)?.changed ?? named.changed
      each(difference)
    }
  }

  private static func fields(_ old: [FieldReport]?, _ new: [FieldReport]?) -> [FieldDifference] {
    (new ?? old ?? []).enumerated().compactMap { place, named in
      var field = FieldDifference()
      field.name = named.name
      // Reports of one kind name the same fields in the same order.
      field.before = old?[place].value ?? .nothing
      field.after = new?[place].value ?? .nothing
      return old != nil && new != nil && field.before == field.after ? nil : field
    }
  }
}

extension TableRow {
  /// Every row was changed last by some revision; where a state knows only some rows, the places between have none.
  fileprivate var isKnown: Bool { changed > 0 }
}

extension ClusterRow {
  fileprivate var fieldReports: [FieldReport] { [FieldReport("maintenance", .flag(isInMaintenance))] }
}

extension NodeRow {
  fileprivate var fieldReports: [FieldReport] {
    [
      FieldReport("state", .text(state.name)), FieldReport("cordoned", .flag(isCordoned)),
      FieldReport("incarnation", .number(incarnation)), FieldReport("domain", .text(domain)),
      FieldReport("labels", .texts(labels.map { "\($0.name)=\($0.value)" })),
      FieldReport("capacity", .texts(capacity.map { "\($0.dimension)=\($0.value)" })),
      FieldReport("address", .text(address)),
    ]
  }
}

extension CollectionRow {
  fileprivate var fieldReports: [FieldReport] {
    [
      FieldReport("state", .text(state.name)), FieldReport("shards", .number(UInt64(owningCount))),
      FieldReport("children", .texts(childWords)),
      FieldReport("wantedShards", wantedShards == 0 ? .nothing : .number(UInt64(wantedShards))),
      FieldReport("labels", .texts(labels.map { "\($0.name)=\($0.value)" })),
    ] + policy.fieldReports
  }
}

extension ConfigRow {
  fileprivate var fieldReports: [FieldReport] {
    [FieldReport("value", value?.fieldValue ?? .nothing), FieldReport("version", .number(version))]
  }
}

extension State {
  fileprivate func entity(_ config: ConfigRow) -> String {
    config.scope == .cluster ? "config/\(config.key)" : "config/\(config.key)@\(scopeName(config.scope))"
  }

  fileprivate func fieldReports(_ shard: ShardRow) -> [FieldReport] {
    [
      FieldReport("epoch", .number(UInt64(shard.epoch))),
      FieldReport("leader", shard.leader == 0 ? .nothing : .text(nodeName(shard.leader))),
      FieldReport("replicas", .texts(shard.replicas.map(words))),
      FieldReport("heir", shard.heir == 0 ? .nothing : .text(nodeName(shard.heir))),
      FieldReport("move", moves.row(shard.move).map { .text(words($0)) } ?? .nothing),
    ]
  }

  /// `n2:follower:behind`
  private func words(_ replica: Replica) -> String {
    "\(nodeName(replica.node)):\(replica.role.name)\(replica.isInSync ? "" : ":behind")\(replica.isEmptied ? ":data-gone" : "")"
      + (replica.isOpened ? "" : ":unopened")
  }

  /// `n1 to n5, catching-up`
  func words(_ move: MoveRow) -> String {
    if move.isSplit { return "split into \(shardName(move.shard)) and \(shardName(move.child)), \(move.step.name)" }
    if move.isMerge { return "\(shardName(move.absorbed)) goes into \(shardName(move.shard)), \(move.step.name)" }
    return
      "\(move.source == 0 ? "none" : nodeName(move.source)) to \(move.target == 0 ? "none" : nodeName(move.target)), "
      + move.step.name + (move.isPaused ? ", paused" : "")
  }
}
