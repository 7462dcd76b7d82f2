internal import MusterCluster

/// Takes moves through their steps: learner, caught up, promoted, leadership handed over, the old replica removed.
/// Each step is a commit, so whatever crashes, the next look goes on from there.
package struct MoveController: Sendable {
  package static let name = "mover"
  /// A learner gets this long, and as long again as its bytes take at this rate.
  private static let patience: UInt64 = 60_000
  private static let bytesPerMillisecond: UInt64 = 10 * 1024

  /// When a move was first seen in its step, by the revision that brought it there: it may come to the same one again.
  private var since: [MoveID: (step: Revision, at: UInt64)] = [:]
  /// Steps that were refused are not tried again until the state is another.
  private var refusedAt: [MoveID: Revision] = [:]
  private var copies = CopyProgress()

  package init() {}

  mutating func tick(_ state: State, _ traffic: inout MoveTraffic, _ now: UInt64) -> [Proposal] {
    forgetThoseThatAreOver(state)
    copies.prune(state)
    var proposals: [Proposal] = []
    for entry in traffic.moves {
      if since[entry.id]?.step != entry.row.changed { since[entry.id] = (entry.row.changed, now) }
      if refusedAt[entry.id] == state.revision { continue }
      let proposal =
        entry.row.step == .waiting
        ? begin(entry.id, entry.row, state, &traffic)
        : next(entry.id, entry.row, state, now - (since[entry.id]?.at ?? now))
      if let proposal { proposals.append(proposal) }
    }
    return proposals
  }

  /// A step of a plan begins when the budgets have room, balance only while nothing is recovered. What the plan did not
  /// foresee ends it: the shard may need another move more.
  private func begin(_ id: MoveID, _ move: MoveRow, _ state: State, _ traffic: inout MoveTraffic) -> Proposal? {
    let shard = state.shards[move.shard]
    if let lost = shard.replicas.first(where: { $0.node != move.source && state.nodes[$0.node].state == .down }) {
      return advance(id, move, .cancelled, .moveFailed, ["lost=\(state.nodeName(lost.node))"], state)
    }
    if move.purpose == .balance, let left = shard.replicas.first(where: { state.nodes[$0.node].state == .draining }) {
      return advance(id, move, .cancelled, .moveFailed, ["draining=\(state.nodeName(left.node))"], state)
    }
    guard state.nodes[move.target].takesReplicas else {
      return advance(id, move, .cancelled, .moveFailed, ["target=\(state.nodeName(move.target))"], state)
    }
    if move.isPaused { return nil }
    if move.purpose == .balance, state.cluster[1].balancing == .paused || traffic.isRecovering { return nil }
    guard traffic.admit(move.shard, move.source, move.target, move.purpose) else { return nil }
    return advance(id, move, .catchingUp, .moveStep, ["planned=\(move.started)"], state)
  }

  private mutating func forgetThoseThatAreOver(_ state: State) {
    for id in since.keys where !state.moves.holds(id) {
      since[id] = nil
      refusedAt[id] = nil
    }
  }

  mutating func refused(_ proposal: Proposal, at revision: Revision) {
    if case .advanceMove(let command) = proposal.command { refusedAt[command.move] = revision }
  }

  private func next(_ id: MoveID, _ move: MoveRow, _ state: State, _ waited: UInt64) -> Proposal? {
    if move.isSplit { return split(id, move, state, waited) }
    if move.isMerge { return merge(id, move, state, waited) }
    let shard = state.shards[move.shard]
    switch move.step {
    case .handedOver: return finish(id, move, shard, state)
    case .undoing:
      let isKept = shard.isNoneTooMuch(state.collections[shard.collection].policy)
      // It may have got the leadership that it was promised before the move was called off.
      if shard.leader == move.target, !isKept { return handBack(move, shard, state) }
      guard isKept || isSpared(move.target, shard, state) else { return nil }
      return advance(id, move, .cancelled, .moveStep, ["undone=\(state.nodeName(move.target))"], state)
    case .catchingUp, .promoted, .waiting, .finished, .cancelled, .pausing, .pruning, .copying, .absorbing: break
    }
    guard let learner = shard.replicas.replica(on: move.target) else { return nil }
    let target = state.nodes[move.target]
    if shard.leader != move.target, target.state == .down || target.isRemoved {
      return advance(id, move, .cancelled, .moveFailed, ["target=\(target.name)", "state=\(target.state.name)"], state)
    }
    switch move.step {
    case .catchingUp:
      if move.isPaused { return nil }
      // Balancing that is paused holds still where it costs most.
      if move.purpose == .balance, state.cluster[1].balancing == .paused { return nil }
      if learner.isCopy { return advance(id, move, .promoted, .moveStep, ["caught-up=\(target.name)"], state) }
      let limit = MoveController.timeLimit(shard, state)
      guard waited > limit, move.purpose != .order else { return nil }
      return advance(id, move, .cancelled, .moveFailed, ["waited=\(waited)ms", "limit=\(limit)ms"], state)
    case .promoted:
      if move.source != 0, shard.leader == move.source { return handOver(move, shard, state) }
      let leader = shard.leader == 0 ? "nobody" : state.nodeName(shard.leader)
      return advance(id, move, .handedOver, .moveStep, ["leader=\(leader)"], state)
    case .handedOver, .undoing, .waiting, .finished, .cancelled, .pausing, .pruning, .copying, .absorbing: return nil
    }
  }

  // MARK: Splits

  /// A node says how far a replica is that takes part in a split.
  mutating func heard(_ status: ReplicaStatus, of node: NodeID, in state: State) {
    guard let row = state.shards.row(status.shard), let move = state.moves.row(row.move), move.isSplit else { return }
    copies.heard(status, of: node)
  }

  private func split(_ id: MoveID, _ move: MoveRow, _ state: State, _ waited: UInt64) -> Proposal? {
    let (parent, child) = (state.shards[move.shard], state.shards[move.child])
    if move.step == .pruning { return finishSplit(id, move, state, waited) }
    if let problem = obstacle(to: child, state) {
      return advance(id, move, .cancelled, .moveFailed, [problem], state)
    }
    guard parent.leader != 0 else { return nil }
    switch move.step {
    case .catchingUp:
      guard child.replicas.allSatisfy(\.isOpened), copies.areNear(move, parent, child) else { return nil }
      return advance(id, move, .pausing, .moveStep, ["copies=\(child.replicas.count)"], state)
    case .pausing:
      if !state.nodes[parent.leader].isMonitored { return advance(id, move, .pruning, .moveStep, [], state) }
      let limit = MoveController.timeLimit(parent, state)
      guard waited > limit else { return nil }
      return advance(id, move, .catchingUp, .moveFailed, ["waited=\(waited)ms", "limit=\(limit)ms"], state)
    default: return nil
    }
  }

  /// What keeps a shard from being made: a node that is lost, or whose host cannot do it.
  private func obstacle(to child: ShardRow, _ state: State) -> String? {
    for replica in child.replicas {
      let node = state.nodes[replica.node]
      if node.state == .down { return "lost=\(node.name)" }
      if node.isMonitored, !node.abilities.contains(.splits) { return "host=\(node.name)" }
    }
    return nil
  }

  /// What the leaders have not forgotten yet they go on forgetting: other moves of the shards need not wait for ever.
  private func finishSplit(_ id: MoveID, _ move: MoveRow, _ state: State, _ waited: UInt64) -> Proposal? {
    let collection = state.collections[state.shards[move.shard].collection]
    let left = [move.shard, move.child].filter { collection.isPruningDue($0) }
    if left.isEmpty { return advance(id, move, .finished, .moveStep, [], state) }
    let rows = [state.shards[move.shard], state.shards[move.child]]
    let isAnyLost = rows.contains { row in
      row.replicas.contains { state.nodes[$0.node].state == .down || !state.nodes[$0.node].isMonitored }
    }
    guard isAnyLost || waited > MoveController.timeLimit(rows[0], state) else { return nil }
    let names = left.map { "unpruned=\(state.shardName($0))" }
    return advance(id, move, .finished, .moveStep, names, state)
  }

  /// The source is asked to let the target lead; it answers when the target has everything.
  private func handOver(_ move: MoveRow, _ shard: ShardRow, _ state: State) -> Proposal? {
    guard shard.heir != move.target, state.nodes[move.source].state.isAlive else { return nil }
    return .handOver(MoveController.name, move.shard, to: move.target, .moveStep, cause: move.changed, state)
  }

  /// A target that leads and shall go gives the leadership to somebody who stays, to the source if that can have it.
  private func handBack(_ move: MoveRow, _ shard: ShardRow, _ state: State) -> Proposal? {
    let others = shard.replicas.filter {
      $0.node != move.target && $0.isVotingCopy && state.nodes[$0.node].state.isAlive
    }
    guard shard.heir == 0, let next = others.first(where: { $0.node == move.source }) ?? others.first else {
      return nil
    }
    return .handOver(MoveController.name, move.shard, to: next.node, .moveStep, cause: move.changed, state)
  }

  /// The source goes when its leader counts on it no more. What leads again cannot go: such a removal is called off.
  private func finish(_ id: MoveID, _ move: MoveRow, _ shard: ShardRow, _ state: State) -> Proposal? {
    if move.source != 0, shard.leader == move.source {
      return move.target == 0
        ? advance(id, move, .cancelled, .moveFailed, ["leader=\(state.nodeName(move.source))"], state)
        : handOver(move, shard, state)
    }
    let isKept = shard.isNoneTooMuch(state.collections[shard.collection].policy)
    guard move.source == 0 || isKept || isSpared(move.source, shard, state) else { return nil }
    return advance(id, move, .finished, .moveStep, ["in-sync=\(shard.replicas.count(where: \.isCopy))"], state)
  }

  private func isSpared(_ node: NodeID, _ shard: ShardRow, _ state: State) -> Bool {
    guard shard.leader != 0, shard.leader != node else { return false }
    return shard.replicas.replica(on: node)?.isInSync != true || !state.nodes[shard.leader].isMonitored
  }

  /// How long a copy may take, from the size that the policy gives a replica.
  static func timeLimit(_ shard: ShardRow, _ state: State) -> UInt64 {
    patience + state.collections[shard.collection].policy.replicaBytes / bytesPerMillisecond
  }

  func advance(
    _ id: MoveID, _ move: MoveRow, _ step: MoveStep, _ kind: ReasonKind, _ arguments: [String], _ state: State
  ) -> Proposal {
    Proposal(
      controller: MoveController.name, command: .advanceMove(AdvanceMove(move: id, step: step)),
      reason: Reason(
        kind, arguments: ["shard=\(state.shardName(move.shard))", "purpose=\(move.purpose.name)"] + arguments),
      cause: move.changed)
  }
}
