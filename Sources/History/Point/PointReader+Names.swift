package import MusterCluster
internal import MusterLog

// From names to rows, as they were at the moment.

extension PointReader {
  /// The rows of a table that were ever given a name up to the moment, the oldest first.
  private func given(_ name: String, in table: TableID, _ made: (Event) -> UInt32?) throws(HistoryError) -> [UInt32] {
    var ids = try stored(named: name, in: table)
    for recorded in try events(.anyOf([.name(name, in: table)]), where: { made($0) != nil }) {
      if let id = made(recorded.event) { ids.append(id) }
    }
    return ids
  }

  /// The member of this name.
  package func node(named name: String) throws(HistoryError) -> (id: NodeID, row: NodeRow)? {
    let ids = try given(name, in: .nodes) {
      if case .nodeJoined(let event) = $0, event.name == name { event.node } else { nil }
    }
    // A name goes on to another only when its owner was removed: the last one has it, or nobody.
    for id in ids.reversed() {
      guard let row = try node(id), row.name == name else { continue }
      return row.isRemoved ? nil : (id, row)
    }
    return nil
  }

  package func collection(named name: String) throws(HistoryError) -> (id: CollectionID, row: CollectionRow)? {
    let ids = try given(name, in: .collections) {
      if case .collectionCreated(let event) = $0, event.name == name { event.collection } else { nil }
    }
    for id in ids.reversed() {
      guard let row = try collection(id), row.name == name else { continue }
      return row.isDeleted ? nil : (id, row)
    }
    return nil
  }

  package func config(_ key: String, in scope: Scope) throws(HistoryError) -> (id: ConfigID, row: ConfigRow)? {
    let ids = try given(key, in: .configs) {
      if case .configKeyAdded(let event) = $0, event.key == key, event.scope == scope { event.config } else { nil }
    }
    for id in ids.reversed() {
      // The scope stands in the stored row; values are folded only for the one that is meant.
      if let row: ConfigRow = try stored(id), row.key != key || row.scope != scope { continue }
      if let row = try config(id), row.key == key, row.scope == scope { return (id, row) }
    }
    return nil
  }

  package func tenant(named name: String) throws(HistoryError) -> (id: TenantID, row: TenantRow)? {
    let ids = try given(name, in: .tenants) {
      if case .tenantCreated(let event) = $0, event.name == name { event.tenant } else { nil }
    }
    for id in ids {
      if let row = try tenant(id), row.name == name { return (id, row) }
    }
    return nil
  }
}
