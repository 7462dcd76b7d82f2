internal import MusterCluster

/// Runs the plan that the planner finds while balancing is on, and turns it off when there is none left.
///
/// A plan of moves is begun whole, as steps that wait for their share of the budgets: what is done is what was planned, and
/// a shard moves once. Recovery and drains come first.
package enum BalanceController {
  package static let name = "balance"
  /// A plan is one commit.
  private static let stepsMax = 256

  static func tick(_ state: State, _ findings: ShardFindings, _ traffic: inout MoveTraffic) -> [Proposal] {
    let cluster = state.cluster[1]
    guard cluster.balancing == .running, findings.needsNothing, !traffic.isRecovering else { return [] }
    // One plan after the other.
    guard !traffic.moves.contains(where: { $0.row.purpose == .balance }) else { return [] }
    let steps = BalancePlanner.plan(state, limit: stepsMax)
    guard !steps.isEmpty else {
      let reason = Reason(.balanceReached, arguments: ["no move makes loads more even"])
      return [
        Proposal(
          controller: name, command: .setBalancing(SetBalancing(mode: .off)), reason: reason, cause: cluster.changed)
      ]
    }
    let moves = steps.compactMap { move($0, state) }
    guard moves.isEmpty else {
      return [
        Proposal(
          controller: name, command: moves.count == 1 ? moves[0] : .batch(Batch(moves)),
          reason: Reason(.balance, arguments: loads(steps, state)), cause: cluster.changed)
      ]
    }
    return steps.prefix(traffic.balanceLeft).compactMap { lead($0, state, cause: cluster.changed) }
  }

  private static func move(_ step: BalanceStep, _ state: State) -> Command? {
    guard case .move(let shard, let source, let target) = step else { return nil }
    return .move(shard, from: source, to: target, .balance, isWaiting: true, state)
  }

  private static func lead(_ step: BalanceStep, _ state: State, cause: Revision) -> Proposal? {
    guard case .lead(let shard, let from, let to) = step else { return nil }
    let arguments = [from, to].map { "\(state.nodeName($0)) leads \(state.load($0).leaders)" }
    return Proposal(
      controller: name, command: .elect(to, of: shard, state), reason: Reason(.balance, arguments: arguments),
      cause: cause)
  }

  /// The nodes of the first step, which relieves the fullest, and how many steps there are.
  private static func loads(_ steps: [BalanceStep], _ state: State) -> [String] {
    guard case .move(_, let source, let target)? = steps.first else { return [] }
    return [source, target].map { "\(state.nodeName($0)) has \(state.load($0).replicas) replicas" }
      + (steps.count > 1 ? ["\(steps.count) moves"] : [])
  }
}
