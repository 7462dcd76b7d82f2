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
  /// Nodes of which an alarm is raised and no problem is known that lasts, since when.
  private var quietSince: [NodeID: UInt64] = [:]

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
    let (raised, orphans) = raisedAlarms(state)
    quietSince = quietSince.filter { raised[$0.key] != nil }
    // Whose node is no member any more.
    let over = orphans.map { proposal(.clearAlarm(ClearAlarm(name: $0)), ReplicaHealth.node(ofAlarm: $0), 0) }
    return over
      + Set(problems.keys).union(raised.keys).sorted().compactMap { node in
        guard let row = state.nodes.row(node) else { return nil }
        problems[node] = problems[node]?.filter { shard, problem in
          problem.incarnation == row.incarnation && state.shards.row(shard)?.replicas.index(of: node) != nil
        }
        let known = problems[node] ?? [:]
        if known.isEmpty { problems[node] = nil }
        let lasting = known.filter { now - $0.value.since >= ReplicaHealth.patience }
        guard let first = lasting.keys.min(), let problem = lasting[first] else {
          return raised[node].flatMap { clear($0, row, node, isKnown: !known.isEmpty, now) }
        }
        quietSince[node] = nil
        guard raised[node] == nil else { return nil }
        let more = lasting.count > 1 ? " (and \(lasting.count - 1) more)" : ""
        let message = "\(state.shardName(first)) on \(row.name): \(problem.words)\(more)".clipped(
          to: Limits.reasonBytes)
        return proposal(.raiseAlarm(RaiseAlarm(name: alarm(row), message: message)), row.name, lasting.count)
      }
  }

  /// Also those that an earlier run of the server raised. What it knew this one hears anew, and waits for.
  private mutating func clear(
    _ name: String, _ row: NodeRow, _ node: NodeID, isKnown: Bool, _ now: UInt64
  ) -> Proposal? {
    let since = quietSince[node] ?? now
    quietSince[node] = since
    guard !isKnown, now - since >= ReplicaHealth.patience else { return nil }
    return proposal(.clearAlarm(ClearAlarm(name: name)), row.name, 0)
  }

  private static let prefix = "host/"
  private func alarm(_ row: NodeRow) -> String { ReplicaHealth.prefix + row.name }
  private static func node(ofAlarm name: String) -> String { String(name.dropFirst(prefix.count)) }

  private func raisedAlarms(_ state: State) -> (ofMembers: [NodeID: String], orphans: [String]) {
    var (raised, orphans): ([NodeID: String], [String]) = ([:], [])
    state.alarms.forEach { _, row in
      guard row.isRaised, row.name.hasPrefix(ReplicaHealth.prefix) else { return }
      if let node = state.nodeID(named: ReplicaHealth.node(ofAlarm: row.name)) {
        raised[node] = row.name
      } else {
        orphans.append(row.name)
      }
    }
    return (raised, orphans)
  }

  private func proposal(_ command: Command, _ node: String, _ count: Int) -> Proposal {
    Proposal(
      controller: ReplicaHealth.name, command: command,
      reason: Reason(.hostProblem, arguments: ["node=\(node)", "replicas=\(count)"]), cause: 0)
  }
}
