package import MusterCluster

/// What operators may change of the controllers: configuration keys of the cluster, each with its default.
package struct ControllerSettings: Sendable, Equatable {
  /// How long a node must be down before its replicas are made anew elsewhere, in milliseconds.
  package var repairDelay: UInt64 = 60_000
  package var recovery = MoveBudget(node: MoveLimit(count: 4), cluster: MoveLimit(count: 64))
  package var balance = MoveBudget(node: MoveLimit(count: 2), cluster: MoveLimit(count: 16))

  static let delayKey = "system/repair-delay-seconds"

  static let recoveryPrefix = "system/moves/recovery"
  static let balancePrefix = "system/moves/balance"

  /// The keys, all of integers in the scope of the cluster.
  package static let keys =
    [delayKey] + MoveBudget.keys(recoveryPrefix) + MoveBudget.keys(balancePrefix)

  package init(_ state: State) {
    if let seconds = state.systemNumber(Self.delayKey) { repairDelay = min(seconds, 86_400) * 1000 }
    recovery.read(Self.recoveryPrefix) { state.systemNumber($0) }
    balance.read(Self.balancePrefix) { state.systemNumber($0) }
  }
}
