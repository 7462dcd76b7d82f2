internal import MusterCluster

/// How much may be under way at once: moves, and the bytes that policies say their replicas weigh.
package struct MoveLimit: Sendable, Equatable {
  package var count: UInt64
  package var bytes: UInt64

  package init(count: UInt64 = .max, bytes: UInt64 = .max) {
    self.count = count
    self.bytes = bytes
  }
}

/// The limits of one purpose: for each node and each zone that a move reads from or writes to, and for the cluster.
package struct MoveBudget: Sendable, Equatable {
  package var node = MoveLimit()
  package var zone = MoveLimit()
  package var cluster = MoveLimit()

  /// The configuration keys under a prefix, in the order in which they are read.
  static func keys(_ prefix: String) -> [String] {
    ["", "-bytes"].flatMap { unit in
      ["\(prefix)\(unit)", "\(prefix)\(unit)-per-zone", "\(prefix)\(unit)-per-node"]
    }
  }

  mutating func read(_ prefix: String, _ number: (String) -> UInt64?) {
    let limits = MoveBudget.keys(prefix).map(number)
    cluster.count = limits[0] ?? cluster.count
    zone.count = limits[1] ?? zone.count
    node.count = limits[2] ?? node.count
    cluster.bytes = limits[3] ?? cluster.bytes
    zone.bytes = limits[4] ?? zone.bytes
    node.bytes = limits[5] ?? node.bytes
  }
}

/// What is under way at one place.
struct MoveLoad {
  private(set) var count: UInt64 = 0
  private(set) var bytes: UInt64 = 0

  mutating func add(_ more: UInt64) {
    count += 1
    bytes = bytes.addingReportingOverflow(more).overflow ? .max : bytes + more
  }

  /// The end of the name of the key that one move more would exceed; nil when it has room. A replica that is larger than
  /// a limit moves alone: else it would never move.
  func exceeded(by more: UInt64, _ limit: MoveLimit) -> String? {
    guard count < limit.count else { return "" }
    let (sum, isPastLast) = bytes.addingReportingOverflow(more)
    return bytes == 0 || (!isPastLast && sum <= limit.bytes) ? nil : "-bytes"
  }
}

/// What is under way on one budget, everywhere.
struct MoveLedger {
  private let budget: MoveBudget
  /// What the keys of its limits begin with.
  private let prefix: String
  private(set) var cluster = MoveLoad()
  /// By node number, and by the number of the zone's domain; what has no number is not limited.
  private var nodes: [MoveLoad]
  private var zones: [MoveLoad]

  init(_ budget: MoveBudget, _ prefix: String, nodes: Int, domains: Int) {
    self.budget = budget
    self.prefix = prefix
    self.nodes = Array(repeating: MoveLoad(), count: nodes + 1)
    zones = Array(repeating: MoveLoad(), count: domains + 1)
  }

  /// The limit that a move waits for, as its key and where it is reached; nil when there is room.
  func limit(on move: MoveCost, _ state: State) -> String? {
    guard let (place, unit) = exceeded(by: move) else { return nil }
    switch place {
    case .cluster: return prefix + unit
    case .node(let node): return "\(prefix)\(unit)-per-node at \(state.nodeName(node))"
    case .zone(let zone):
      let node = move.nodes.first { state.load($0).domain(.zone) == zone }
      return "\(prefix)\(unit)-per-zone" + (node.map { " in the zone of \(state.nodeName($0))" } ?? "")
    }
  }

  func admits(_ move: MoveCost) -> Bool { exceeded(by: move) == nil }

  private enum Place {
    case cluster
    case node(NodeID)
    case zone(UInt32)
  }

  /// Where there is no room first, and for what: `""` for moves, `"-bytes"` for their bytes.
  private func exceeded(by move: MoveCost) -> (place: Place, unit: String)? {
    if let unit = cluster.exceeded(by: move.bytes, budget.cluster) { return (.cluster, unit) }
    for node in move.nodes {
      if let unit = nodes[Int(node)].exceeded(by: move.bytes, budget.node) { return (.node(node), unit) }
    }
    for zone in move.zones {
      if let unit = zones[Int(zone)].exceeded(by: move.bytes, budget.zone) { return (.zone(zone), unit) }
    }
    return nil
  }

  mutating func add(_ move: MoveCost) {
    cluster.add(move.bytes)
    for node in move.nodes { nodes[Int(node)].add(move.bytes) }
    for zone in move.zones { zones[Int(zone)].add(move.bytes) }
  }

  /// Moves that may still begin, as far as the cluster's own limit goes.
  var left: Int { Int(clamping: budget.cluster.count - min(cluster.count, budget.cluster.count)) }
}

/// Which nodes and zones a move burdens, and with what.
struct MoveCost {
  let bytes: UInt64
  let nodes: [UInt32]
  let zones: [UInt32]
}
