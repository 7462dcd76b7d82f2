package import MusterBytes

/// What a snapshot says of its tables as a whole, so that single rows are found without the others. It stands in the
/// snapshot's metadata, behind what the log itself knows.
package struct StateOutline: FieldMessage, Hashable {
  /// How many rows each table has, by the table's number less one.
  package var rows: [UInt32] = []
  /// The snapshot has pages of names.
  package var hasNames = false

  package init() {}

  package init(_ state: State) {
    rows = [
      state.cluster.count, state.nodes.count, state.collections.count, state.shards.count, state.moves.count,
      state.configs.count, state.schemas.count, state.principals.count, state.sessions.count, state.alarms.count,
      state.tenants.count,
    ].map { UInt32($0) }
    hasNames = true
  }

  package func count(of table: TableID) -> UInt32 {
    let place = Int(table.rawValue) - 1
    return place < rows.count ? rows[place] : 0
  }

  package mutating func visit<V: FieldVisitor & ~Copyable>(_ fields: inout V) throws(WireError) {
    try fields.packed(1, &rows, count: 64)
    try fields.bool(2, &hasNames)
  }
}
