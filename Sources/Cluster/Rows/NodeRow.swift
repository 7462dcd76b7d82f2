package import MusterBytes

/// Where a node stands in its life.
package enum NodeState: UInt32, Sendable, CaseIterable {
  /// Known, and not yet heard from.
  case joining = 0
  case up = 1
  /// Its heartbeats stopped a short while ago: it keeps what it leads, and gets nothing new.
  case suspect = 2
  case down = 3
  /// Up, and asked to give away all its replicas.
  case draining = 4
  /// Up, without replicas, and ready to be removed.
  case drained = 5
  case removed = 6

  package var name: String {
    switch self {
    case .joining: "joining"
    case .up: "up"
    case .suspect: "suspect"
    case .down: "down"
    case .draining: "draining"
    case .drained: "drained"
    case .removed: "removed"
    }
  }

  /// True while the process is believed to run.
  package var isAlive: Bool { self == .up || self == .draining || self == .drained }
}

/// A member.
package struct NodeRow: TableRow {
  package static let table = TableID.nodes
  @inlinable package static var rowsPerPageShift: Int { 4 }

  package var name = ""
  package var state = NodeState.joining
  package var isCordoned = false
  /// New at each start of the node's process; what an older one says is refused.
  package var incarnation: UInt64 = 0
  /// The path of fault domains: region, zone, rack, host; joined by `/`.
  package var domain = ""
  package var labels: [Label] = []
  package var capacity: [Amount] = []
  package var address = ""
  /// How often the node promises to be heard, in milliseconds; 0 for a node that nobody watches over.
  package var heartbeatMilliseconds: UInt64 = 0
  /// What its host can do besides what every host can.
  package var abilities = Abilities()
  /// Who its process said that it is; empty when it did not say. While it is not down nobody else takes its name.
  package var identity = ""
  /// The state it returns to when it is heard again (draining survives a crash).
  package var isDrainRequested = false
  /// When the state last changed.
  package var since: Microseconds = 0
  package var sinceRevision: Revision = 0
  package var changed: Revision = 0

  package init() {}

  package var isMonitored: Bool { heartbeatMilliseconds > 0 }
  package var isRemoved: Bool { state == .removed }

  package var timeless: NodeRow {
    var copy = self
    copy.since = 0
    return copy
  }

  package mutating func visit<V: FieldVisitor & ~Copyable>(_ fields: inout V) throws(WireError) {
    try fields.string(1, &name, max: Limits.nameBytes)
    try fields.enumeration(2, &state)
    try fields.bool(3, &isCordoned)
    try fields.uint64(4, &incarnation)
    try fields.string(5, &domain, max: Limits.pathBytes)
    try fields.messages(6, &labels, count: Limits.labels)
    try fields.messages(7, &capacity, count: Limits.dimensions)
    try fields.string(8, &address, max: Limits.addressBytes)
    try fields.uint64(9, &heartbeatMilliseconds)
    try fields.bool(10, &isDrainRequested)
    try fields.uint64(11, &since)
    try fields.uint64(12, &sinceRevision)
    try fields.uint64(13, &changed)
    try fields.abilities(20, &abilities)
    try fields.string(21, &identity, max: Limits.nameBytes)
  }
}
