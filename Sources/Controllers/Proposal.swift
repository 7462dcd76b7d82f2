package import MusterCluster

/// A command that a controller wants, with why and what it saw.
package struct Proposal: Sendable, Equatable {
  /// Which controller: it becomes the principal of the commit.
  package var controller: String
  package var command: Command
  package var reason: Reason
  /// The revision that made this necessary, or 0.
  package var cause: Revision

  package init(controller: String, command: Command, reason: Reason, cause: Revision) {
    self.controller = controller
    self.command = command
    self.reason = reason
    self.cause = cause
  }

  /// The leader is asked to let another lead.
  static func handOver(
    _ controller: String, _ shard: ShardID, to next: NodeID, _ kind: ReasonKind, cause: Revision, _ state: State
  ) -> Proposal {
    let arguments = [
      "shard=\(state.shardName(shard))", "leader=\(state.nodeName(state.shards[shard].leader))",
      "next=\(state.nodeName(next))",
    ]
    return Proposal(
      controller: controller, command: .elect(next, of: shard, state), reason: Reason(kind, arguments: arguments),
      cause: cause)
  }
}

extension Command {
  static func elect(_ node: NodeID, of shard: ShardID, _ state: State) -> Command {
    let row = state.shards[shard]
    return .electLeader(
      ElectLeader(collection: state.collectionName(row.collection), index: row.index, node: state.nodeName(node)))
  }

  /// - Parameters:
  ///   - source: 0 when a replica shall only come.
  ///   - target: 0 when one shall only go.
  static func move(
    _ shard: ShardID, from source: NodeID, to target: NodeID, _ purpose: MovePurpose, isWaiting: Bool = false,
    _ state: State
  ) -> Command {
    let row = state.shards[shard]
    return .startMove(
      StartMove(
        collection: state.collectionName(row.collection), index: row.index,
        source: source == 0 ? "" : state.nodeName(source), target: target == 0 ? "" : state.nodeName(target),
        purpose: purpose, isWaiting: isWaiting))
  }
}
