internal import MusterCluster

/// Runs the steps that the planner finds while balancing is on, a few at a time, and turns it off when none is left.
/// Recovery and drains come first.
package enum BalanceController {
  package static let name = "balance"

  static func tick(_ state: State, _ findings: ShardFindings, _ traffic: inout MoveTraffic) -> [Proposal] {
    let cluster = state.cluster[1]
    guard cluster.balancing == .running, findings.needsNothing, !traffic.isRecovering else { return [] }
    guard traffic.balanceLeft > 0 else { return [] }
    let steps = BalancePlanner.plan(state, limit: traffic.balanceLeft)
    guard !steps.isEmpty else {
      guard !traffic.isBalancing else { return [] }
      let reason = Reason(.balanceReached, arguments: ["no move makes loads more even"])
      return [
        Proposal(
          controller: name, command: .setBalancing(SetBalancing(mode: .off)), reason: reason, cause: cluster.changed)
      ]
    }
    return steps.compactMap { proposal($0, state, &traffic, cause: cluster.changed) }
  }

  private static func proposal(
    _ step: BalanceStep, _ state: State, _ traffic: inout MoveTraffic, cause: Revision
  ) -> Proposal? {
    switch step {
    case .move(let shard, let source, let target):
      guard traffic.admit(shard, source, target, .balance) else { return nil }
      let row = state.shards[shard]
      let command = StartMove(
        collection: state.collectionName(row.collection), index: row.index, source: state.nodeName(source),
        target: state.nodeName(target), purpose: .balance)
      return Proposal(
        controller: name, command: .startMove(command),
        reason: Reason(.balance, arguments: loads(source, target, state)),
        cause: cause)
    case .lead(let shard, let from, let to):
      let row = state.shards[shard]
      let command = ElectLeader(
        collection: state.collectionName(row.collection), index: row.index, node: state.nodeName(to))
      let arguments = [from, to].map { "\(state.nodeName($0)) leads \(state.load($0).leaders)" }
      return Proposal(
        controller: name, command: .electLeader(command), reason: Reason(.balance, arguments: arguments), cause: cause)
    }
  }

  private static func loads(_ source: NodeID, _ target: NodeID, _ state: State) -> [String] {
    [source, target].map { "\(state.nodeName($0)) has \(state.load($0).replicas) replicas" }
  }
}
