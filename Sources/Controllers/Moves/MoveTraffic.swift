internal import MusterCluster

/// The moves under way, and how many more may begin.
struct MoveTraffic {
  struct Entry {
    var id: MoveID
    var row: MoveRow
  }

  /// In the order of their numbers.
  private(set) var moves: [Entry] = []
  private var recovery: MoveLedger
  private var balance: MoveLedger
  private let state: State

  init(_ state: State, _ settings: ControllerSettings) {
    self.state = state
    let (nodes, domains) = (state.nodes.count, state.nodeLoads.domainCount)
    recovery = MoveLedger(settings.recovery, ControllerSettings.recoveryPrefix, nodes: nodes, domains: domains)
    balance = MoveLedger(settings.balance, ControllerSettings.balancePrefix, nodes: nodes, domains: domains)
    state.moves.forEach { id, row in
      guard !row.isVacant else { return }
      moves.append(Entry(id: id, row: row))
      if row.step != .waiting { count(cost(row.shard, row.source, row.target), row.purpose) }
    }
  }

  /// A lost source gives nothing and costs nothing.
  private func cost(_ shard: ShardID, _ source: NodeID, _ target: NodeID) -> MoveCost {
    let isRead = source != 0 && state.nodes[source].state.isAlive
    // What only goes copies nothing.
    let nodes = target == 0 ? [] : isRead ? [source, target] : [target]
    var zones: [UInt32] = []
    for node in nodes {
      let zone = state.load(node).domain(.zone)
      if zone != 0, !zones.contains(zone) { zones.append(zone) }
    }
    let bytes = target == 0 ? 0 : state.collections[state.shards[shard].collection].policy.replicaBytes
    return MoveCost(bytes: bytes, nodes: nodes, zones: zones)
  }

  private mutating func count(_ cost: MoveCost, _ purpose: MovePurpose) {
    switch purpose {
    case .balance: balance.add(cost)
    case .recovery, .drain: recovery.add(cost)
    case .order: break
    }
  }

  /// Takes a move's share of the budget; false when there is none left.
  mutating func admit(_ shard: ShardID, _ source: NodeID, _ target: NodeID, _ purpose: MovePurpose) -> Bool {
    let cost = cost(shard, source, target)
    switch purpose {
    case .balance: guard balance.admits(cost) else { return false }
    case .recovery, .drain: guard recovery.admits(cost) else { return false }
    case .order: break
    }
    count(cost, purpose)
    return true
  }

  /// The limit that a move waits for, as its key and where it is reached; nil when it may begin.
  func limit(on shard: ShardID, _ source: NodeID, _ target: NodeID, _ purpose: MovePurpose) -> String? {
    let cost = cost(shard, source, target)
    switch purpose {
    case .balance: return balance.limit(on: cost, state)
    case .recovery, .drain: return recovery.limit(on: cost, state)
    case .order: return nil
    }
  }

  var isRecovering: Bool { recovery.cluster.count > 0 }
  /// Moves of recovery and drains that may still begin.
  var recoveryLeft: Int { recovery.left }
  /// Moves of balance that may still begin.
  var balanceLeft: Int { balance.left }
}
