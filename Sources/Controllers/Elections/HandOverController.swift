internal import MusterCluster

/// Takes back what leaders were asked and do not do: a leader whose heir is lost, or that takes too long, goes on leading.
package struct HandOverController: Sendable {
  package static let name = "hand-over"
  /// How long a leader has to bring its heir up to date, in milliseconds.
  package static let patience: UInt64 = 10_000

  /// When each request was first seen.
  private var since: [ShardID: (request: Revision, at: UInt64)] = [:]

  package init() {}

  mutating func tick(_ state: State, _ shards: [ShardID], _ now: UInt64) -> [Proposal] {
    for shard in since.keys where state.shards[shard].heirSince != since[shard]?.request { since[shard] = nil }
    return shards.compactMap { shard in
      let row = state.shards[shard]
      guard row.leader != 0, row.heir != 0 else { return nil }
      if since[shard] == nil { since[shard] = (row.heirSince, now) }
      let waited = now - (since[shard]?.at ?? now)
      let heir = state.nodes[row.heir]
      let isElectable = heir.state.isAlive && row.replicas.replica(on: row.heir)?.isCopy == true
      guard !isElectable || waited >= HandOverController.patience else { return nil }
      let arguments = ["heir=\(heir.name)", "state=\(heir.state.name)", "waited=\(waited)ms"]
      return Proposal(
        controller: HandOverController.name, command: .elect(row.leader, of: shard, state),
        reason: Reason(.handOverFailed, arguments: arguments), cause: row.heirSince)
    }
  }
}
