package import MusterCluster

/// What differs between two states, by entity and field, in a stable order.
package enum Differ {
  /// Calls `each` with every difference: cluster, nodes, collections, shards, configuration, schemas, tenants, alarms.
  ///
  /// - Complexity: O(pages) where the states share pages, and the rows of those that differ.
  package static func diff(_ a: State, _ b: State, _ each: (Difference) -> Void) {
    if a.isInMaintenance != b.isInMaintenance {
      var difference = Difference()
      difference.entity = "cluster"
      difference.revision = b.cluster[1].changed
      difference.fields = [field("maintenance", .flag(a.isInMaintenance), .flag(b.isInMaintenance))]
      each(difference)
    }
    rows(a.nodes, b.nodes, { !$0.isRemoved }, { "node/\($0.name)" }, { $0.fieldReports }, each)
    rows(a.collections, b.collections, { !$0.isDeleted }, { "collection/\($0.name)" }, { $0.fieldReports }, each)
    shards(a, b, each)
    configs(a, b, each)
    rows(a.schemas, b.schemas, { _ in true }, { "schema/\($0.key)" }, { $0.schema.fieldReports }, each)
    rows(a.tenants, b.tenants, { _ in true }, { "tenant/\($0.name)" }, { _ in [] }, each)
    rows(
      a.alarms, b.alarms, { $0.isRaised }, { "alarm/\($0.name)" }, { [FieldReport("message", .text($0.message))] }, each
    )
  }

  /// Compares two tables row by row where their pages are not shared.
  private static func rows<Row: TableRow>(
    _ a: PagedTable<Row>, _ b: PagedTable<Row>, _ exists: (Row) -> Bool, _ entity: (Row) -> String,
    _ fields: (Row) -> [FieldReport], _ each: (Difference) -> Void
  ) {
    let (older, newer) = a.count <= b.count ? (a, b) : (b, a)
    newer.forEachChangedPage(since: older) { number in
      let first = UInt32(number << Row.rowsPerPageShift) + 1
      for offset in 0..<UInt32(newer.page(number).rows.count) {
        row(a.row(first + offset), b.row(first + offset), exists, entity, fields, each)
      }
    }
  }

  private static func row<Row: TableRow>(
    _ before: Row?, _ after: Row?, _ exists: (Row) -> Bool, _ entity: (Row) -> String,
    _ fields: (Row) -> [FieldReport], _ each: (Difference) -> Void
  ) {
    let old = before.flatMap { exists($0) ? $0 : nil }
    let new = after.flatMap { exists($0) ? $0 : nil }
    var difference = Difference()
    difference.revision = after?.changed ?? before?.changed ?? 0
    switch (old, new) {
    case (nil, nil): return
    case (nil, let new?):
      difference.kind = .added
      difference.entity = entity(new)
      difference.fields = fields(new).map { field($0.name, .nothing, $0.value) }
    case (let old?, nil):
      difference.kind = .removed
      difference.entity = entity(old)
      difference.fields = fields(old).map { field($0.name, $0.value, .nothing) }
    case (let old?, let new?):
      guard old != new else { return }
      difference.entity = entity(new)
      difference.fields = changed(fields(old), fields(new))
      if difference.fields.isEmpty { return }
    }
    each(difference)
  }

  private static func shards(_ a: State, _ b: State, _ each: (Difference) -> Void) {
    let names = a.shards.count > b.shards.count ? a : b
    rows(
      a.shards, b.shards, { $0.replicas.count > 0 }, { "shard/\(names.collectionName($0.collection))/\($0.index)" },
      { names.fieldReports($0) }, each)
  }

  private static func configs(_ a: State, _ b: State, _ each: (Difference) -> Void) {
    let names = a.configs.count > b.configs.count ? a : b
    rows(
      a.configs, b.configs, { $0.value != nil },
      { $0.scope == .cluster ? "config/\($0.key)" : "config/\($0.key)@\(names.scopeName($0.scope))" },
      { row in
        [FieldReport("value", row.value?.fieldValue ?? .nothing), FieldReport("version", .number(row.version))]
      }, each)
  }

  private static func changed(_ old: [FieldReport], _ new: [FieldReport]) -> [FieldDifference] {
    new.compactMap { after in
      let before = old.first { $0.name == after.name }?.value ?? .nothing
      return before == after.value ? nil : field(after.name, before, after.value)
    }
  }

  private static func field(_ name: String, _ before: FieldValue, _ after: FieldValue) -> FieldDifference {
    var field = FieldDifference()
    field.name = name
    field.before = before
    field.after = after
    return field
  }
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
      FieldReport("state", .text(state.name)), FieldReport("shards", .number(UInt64(shardCount))),
      FieldReport("labels", .texts(labels.map { "\($0.name)=\($0.value)" })),
    ] + policy.fieldReports
  }
}

extension State {
  fileprivate func fieldReports(_ shard: ShardRow) -> [FieldReport] {
    [
      FieldReport("epoch", .number(UInt64(shard.epoch))),
      FieldReport("leader", shard.leader == 0 ? .nothing : .text(nodeName(shard.leader))),
      FieldReport(
        "replicas",
        .texts(
          shard.replicas.map { replica in
            "\(nodeName(replica.node)):\(replica.role.name)\(replica.isInSync ? "" : ":behind")\(replica.isOpened ? "" : ":unopened")"
          })),
      FieldReport("move", shard.move == 0 ? .nothing : .number(UInt64(shard.move))),
    ]
  }
}
