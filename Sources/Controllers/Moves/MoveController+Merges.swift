internal import MusterBytes
internal import MusterCluster

// Merges, as far as the leaders' own words do not take them on.

extension MoveController {
  /// A pause that takes longer is given up, in milliseconds: the absorbed shard takes no writes meanwhile.
  private static let pauseMax: UInt64 = 3_000

  func merge(_ id: MoveID, _ move: MoveRow, _ state: State, _ waited: UInt64) -> Proposal? {
    let (survivor, absorbed) = (state.shards[move.shard], state.shards[move.absorbed])
    // It takes no copies either, and gets no replica while it merges.
    let isMute = survivor.hasTooFewVoters(state.collections[survivor.collection].policy)
    if let problem = isMute ? "replicas=\(survivor.voterCount)" : obstacle([survivor, absorbed], state) {
      return advance(id, move, .cancelled, .moveFailed, [problem], state)
    }
    if move.step != .copying, let problem = spoilt(move, survivor, absorbed, waited, state) {
      return advance(id, move, .copying, .moveFailed, problem, state)
    }
    // Where nobody beats there is nobody to ask, and nothing that could be written meanwhile.
    let isUnwatched = [survivor, absorbed].map { $0.leader != 0 && !state.nodes[$0.leader].isMonitored }
    switch move.step {
    case .copying: return isUnwatched[0] ? advance(id, move, .pausing, .moveStep, [], state) : nil
    case .pausing: return isUnwatched[1] ? advance(id, move, .absorbing, .moveStep, [], state) : nil
    case .absorbing:
      return isUnwatched.allSatisfy { $0 } ? advance(id, move, .finished, .moveStep, [], state) : nil
    default: return nil
    }
  }

  /// Why a pause comes to nothing; nil while it may.
  private func spoilt(
    _ move: MoveRow, _ survivor: ShardRow, _ absorbed: ShardRow, _ waited: UInt64, _ state: State
  ) -> [String]? {
    let isAnother = move.step == .absorbing && absorbed.epoch != move.absorbedEpoch
    if absorbed.leader == 0 || isAnother && !Mutant.isOn(.pauseOutlivesLeader) {
      return ["lost-leader=\(state.shardName(move.absorbed))"]
    }
    if survivor.leader == 0 { return ["lost-leader=\(state.shardName(move.shard))"] }
    guard waited > MoveController.pauseMax else { return nil }
    return ["waited=\(waited)ms", "limit=\(MoveController.pauseMax)ms"]
  }

  /// What keeps shards from being put together: a node that is lost, or whose host cannot do it.
  private func obstacle(_ rows: [ShardRow], _ state: State) -> String? {
    for row in rows {
      for replica in row.replicas {
        let node = state.nodes[replica.node]
        if node.state == .down { return "lost=\(node.name)" }
        if node.isMonitored, !node.abilities.contains(.merges) { return "host=\(node.name)" }
      }
    }
    return nil
  }
}
