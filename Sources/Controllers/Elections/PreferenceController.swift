internal import MusterCluster

/// Brings leaders back to where their policy prefers them, when a replica there can lead. Only some time after they left,
/// so that a person who ordered otherwise has the time to do what that was for.
struct PreferenceController {
  static let name = "preference"
  /// How long a leader is left where it is, in milliseconds; after each hand-over that came to nothing twice as long.
  static let patience: UInt64 = 60_000
  private static let doublingsMax = 5
  /// Hand-overs that are begun in one tick.
  private static let begunMax = 16

  private struct Wait {
    var epoch: UInt32
    var until: UInt64
    var asked = 0
  }

  private var waits: [ShardID: Wait] = [:]

  /// - Parameter away: shards that are led where their policy does not prefer it, and who could lead them where it does.
  mutating func tick(_ state: State, _ away: [(shard: ShardID, next: NodeID)], _ now: UInt64) -> [Proposal] {
    forget(state)
    var proposals: [Proposal] = []
    for (shard, next) in away where proposals.count < PreferenceController.begunMax {
      let row = state.shards[shard]
      guard var wait = waits[shard] else {
        waits[shard] = Wait(epoch: row.epoch, until: now + PreferenceController.patience)
        continue
      }
      guard now >= wait.until else { continue }
      wait.asked += 1
      wait.until = now + PreferenceController.patience << min(wait.asked, PreferenceController.doublingsMax)
      waits[shard] = wait
      let cause = state.collections[row.collection].changed
      proposals.append(
        .handOver(PreferenceController.name, shard, to: next, .leaderPreferred, cause: cause, state))
    }
    return proposals
  }

  /// Another leader is waited for anew.
  private mutating func forget(_ state: State) {
    for (shard, wait) in waits where state.shards.row(shard)?.epoch != wait.epoch { waits[shard] = nil }
  }
}

/// Where leaders are preferred; asked of many shards of few collections.
struct LeaderPreferences {
  private let state: State
  /// By node number whether the collection prefers leaders there; nil where it prefers none.
  private var known: [CollectionID: [Bool]?] = [:]

  init(_ state: State) { self.state = state }

  /// Who should lead instead of who does: the preferred node that leads least; nil when all is as it should be, or can be.
  mutating func next(_ row: ShardRow) -> NodeID? {
    guard row.leader != 0, row.heir == 0, row.move == 0, let preferred = preferred(row.collection),
      !preferred[Int(row.leader)], state.nodes[row.leader].state.isAlive
    else { return nil }
    let heirs = row.replicas.filter {
      $0.role == .follower && $0.isCopy && $0.isOpened && preferred[Int($0.node)]
        && state.nodes[$0.node].takesReplicas
    }
    return heirs.min { (state.load($0.node).leaders, $0.node) < (state.load($1.node).leaders, $1.node) }?.node
  }

  private mutating func preferred(_ collection: CollectionID) -> [Bool]? {
    if let known = known[collection] { return known }
    let row = state.collections[collection]
    var nodes: [Bool]?
    if row.state == .active, !row.policy.leaderPreference.isEmpty {
      var found = [Bool](repeating: false, count: state.nodes.count + 1)
      state.nodes.forEach { id, node in found[Int(id)] = row.policy.prefersLeader(on: node.labels) }
      nodes = found
    }
    known[collection] = .some(nodes)
    return nodes
  }
}
