internal import MusterCluster

/// Raises an alarm for a node whose host has had problems for a while, and clears it when they are over.
struct ReplicaHealth: Sendable {
  static let name = "hosting"
  /// How long a problem must last, in milliseconds: processes start, links break and come back.
  private static let patience: UInt64 = 10_000

  private struct Problem: Sendable {
    var incarnation: UInt64
    var words: String
    var since: UInt64
  }

  private var problems: [NodeID: [ShardID: Problem]] = [:]

  mutating func heard(_ status: ReplicaStatus, of node: NodeID, incarnation: UInt64, _ now: UInt64) {
    guard !status.problem.isEmpty else {
      problems[node]?[status.shard] = nil
      return
    }
    let known = problems[node]?[status.shard]
    let since = known?.incarnation == incarnation ? known?.since ?? now : now
    problems[node, default: [:]][status.shard] = Problem(incarnation: incarnation, words: status.problem, since: since)
  }

  mutating func tick(_ state: State, _ now: UInt64) -> [Proposal] {
    problems.keys.sorted().compactMap { node in
      guard let row = state.nodes.row(node) else { return nil }
      problems[node] = problems[node]?.filter { shard, problem in
        problem.incarnation == row.incarnation && state.shards.row(shard)?.replicas.index(of: node) != nil
      }
      let lasting = (problems[node] ?? [:]).filter { now - $0.value.since >= ReplicaHealth.patience }
      let name = "host/\(row.name)"
      let isRaised = state.alarmID(named: name).map { state.alarms[$0].isRaised } ?? false
      guard let first = lasting.keys.min(), let problem = lasting[first] else {
        if problems[node]?.isEmpty != false { problems[node] = nil }
        return isRaised ? proposal(.clearAlarm(ClearAlarm(name: name)), row, lasting.count) : nil
      }
      guard !isRaised else { return nil }
      let more = lasting.count > 1 ? " (and \(lasting.count - 1) more)" : ""
      let message = "\(state.shardName(first)) on \(row.name): \(problem.words)\(more)".clipped(to: Limits.reasonBytes)
      return proposal(.raiseAlarm(RaiseAlarm(name: name, message: message)), row, lasting.count)
    }
  }

  private func proposal(_ command: Command, _ row: NodeRow, _ count: Int) -> Proposal {
    Proposal(
      controller: ReplicaHealth.name, command: command,
      reason: Reason(.hostProblem, arguments: ["node=\(row.name)", "replicas=\(count)"]), cause: 0)
  }
}
