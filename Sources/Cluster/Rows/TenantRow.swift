package import MusterBytes

/// The owner of collections and configuration. Tenant 0, the system, has no row.
package struct TenantRow: TableRow {
  package static let table = TableID.tenants

  package var name = ""
  package var changed: Revision = 0
  /// Keys of sealed values up to this number are destroyed.
  package var erasedKeys: UInt32 = 0

  package init() {}
  package init(name: String, changed: Revision) {
    self.name = name
    self.changed = changed
  }

  package mutating func visit<V: FieldVisitor & ~Copyable>(_ fields: inout V) throws(WireError) {
    try fields.string(1, &name, max: Limits.nameBytes)
    try fields.uint64(2, &changed)
    try fields.uint32(3, &erasedKeys)
  }
}

/// Whether loads are made even by moves.
package enum BalancingMode: UInt32, Sendable, CaseIterable {
  /// Nothing moves for balance.
  case off = 0
  /// Moves are made until nothing gets better by one.
  case running = 1
  /// What is under way waits, nothing new begins.
  case paused = 2

  package var name: String {
    switch self {
    case .off: "off"
    case .running: "running"
    case .paused: "paused"
    }
  }
}

/// What is said of the cluster as a whole: one row.
package struct ClusterRow: TableRow {
  package static let table = TableID.cluster

  /// In maintenance nothing happens but what operators order.
  package var isInMaintenance = false
  package var changed: Revision = 0
  package var balancing = BalancingMode.off
  /// Of tenant 0, which has no row of its own: keys of sealed values up to this number are destroyed.
  package var erasedKeys: UInt32 = 0

  package init() {}

  package mutating func visit<V: FieldVisitor & ~Copyable>(_ fields: inout V) throws(WireError) {
    try fields.bool(1, &isInMaintenance)
    try fields.uint64(2, &changed)
    try fields.enumeration(3, &balancing)
    try fields.uint32(4, &erasedKeys)
  }
}
