internal import MusterCluster

/// The moves under way, and how many more may begin.
struct MoveTraffic {
  struct Entry {
    var id: MoveID
    var row: MoveRow
  }

  /// In the order of their numbers.
  private(set) var moves: [Entry] = []
  /// Per node, by its number: moves that read from it or write to it.
  private var recovering: [Int]
  private var balancing: [Int]
  private var counts = (recovery: 0, balance: 0)
  private let settings: ControllerSettings

  init(_ state: State, _ settings: ControllerSettings) {
    self.settings = settings
    recovering = Array(repeating: 0, count: state.nodes.count + 1)
    balancing = recovering
    state.moves.forEach { id, row in
      guard !row.isVacant else { return }
      moves.append(Entry(id: id, row: row))
      count(row.source, row.target, row.purpose)
    }
  }

  private mutating func count(_ source: NodeID, _ target: NodeID, _ purpose: MovePurpose) {
    switch purpose {
    case .balance:
      counts.balance += 1
      balancing[Int(source)] += 1
      balancing[Int(target)] += 1
    case .recovery, .drain:
      counts.recovery += 1
      recovering[Int(source)] += 1
      recovering[Int(target)] += 1
    case .order: break
    }
  }

  /// Takes a move's share of the budget; false when there is none left. A lost source gives nothing and costs nothing.
  mutating func admit(_ source: NodeID, _ target: NodeID, _ purpose: MovePurpose, isSourceAlive: Bool = true) -> Bool {
    let reader = isSourceAlive ? source : 0
    switch purpose {
    case .balance:
      guard counts.balance < settings.balance.perCluster,
        max(at(balancing, reader), at(balancing, target)) < settings.balance.perNode
      else { return false }
    case .recovery, .drain:
      guard counts.recovery < settings.recovery.perCluster,
        max(at(recovering, reader), at(recovering, target)) < settings.recovery.perNode
      else { return false }
    case .order: break
    }
    count(reader, target, purpose)
    return true
  }

  private func at(_ counts: [Int], _ node: NodeID) -> Int { node == 0 ? 0 : counts[Int(node)] }

  var isRecovering: Bool { counts.recovery > 0 }
  var isBalancing: Bool { counts.balance > 0 }
  /// Moves of recovery and drains that may still begin.
  var recoveryLeft: Int { max(0, settings.recovery.perCluster - counts.recovery) }
  /// Moves of balance that may still begin.
  var balanceLeft: Int { max(0, settings.balance.perCluster - counts.balance) }
}
