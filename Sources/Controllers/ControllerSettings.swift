package import MusterCluster

/// What operators may change of the controllers: configuration keys of the cluster, each with its default.
package struct ControllerSettings: Sendable, Equatable {
  /// How long a node must be down before its replicas are made anew elsewhere, in milliseconds.
  package var repairDelay: UInt64 = 60_000
  package var recovery = MoveBudget(perNode: 4, perCluster: 64)
  package var balance = MoveBudget(perNode: 2, perCluster: 16)

  /// The keys, all of integers in the scope of the cluster.
  package static let keys = [
    "system/repair-delay-seconds", "system/moves/recovery-per-node", "system/moves/recovery",
    "system/moves/balance-per-node", "system/moves/balance",
  ]

  package init(_ state: State) {
    if let seconds = Self.number(0, state) { repairDelay = UInt64(min(seconds, 86_400)) * 1000 }
    if let number = Self.number(1, state) { recovery.perNode = number }
    if let number = Self.number(2, state) { recovery.perCluster = number }
    if let number = Self.number(3, state) { balance.perNode = number }
    if let number = Self.number(4, state) { balance.perCluster = number }
  }

  private static func number(_ key: Int, _ state: State) -> Int? {
    guard let id = state.configID(keys[key], in: .cluster) else { return nil }
    // A key without a schema holds what was written as text.
    switch state.configs[id].value {
    case .integer(let value): return Int(max(0, min(value, 1_000_000)))
    case .text(let text): return Int(text).map { max(0, min($0, 1_000_000)) }
    default: return nil
    }
  }
}

/// How many moves may be under way at once.
package struct MoveBudget: Sendable, Equatable {
  package var perNode: Int
  package var perCluster: Int
}
