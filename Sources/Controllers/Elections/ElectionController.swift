internal import MusterBytes
package import MusterCluster

/// Replaces leaders that are lost: fence, then read positions, then elect.
///
/// First a commit takes the leadership away and begins an epoch. Assignments carry it to the replicas: each promises the
/// epoch, cuts itself off from the old leader, and says how far it is. Only from those the next leader is chosen, so no
/// write that the old leader could still get acknowledged is missed. Whatever the old leader may take without an
/// acknowledgement is over when the new one begins: its host sees to that, which alone knows how long a lease lasts.
package struct ElectionController: Sendable {
  package static let name = "election"
  /// How long an in-sync replica that does not answer is waited for, in milliseconds.
  package static let patience: UInt64 = 2000
  private static let shardsPerStart = 2048
  /// Decisions in one commit: each has an argument of its own in the reason.
  private static let choicesPerCommit = 16

  /// Elections under way, in the order of shards.
  private var open: [ShardID] = []
  private var since: [ShardID: UInt64] = [:]
  private var promises: [ShardID: [Promise]] = [:]

  package init() {}

  /// A replica promised the epoch of an election and says how far it is.
  package mutating func heard(_ position: ReplicaPosition, of node: NodeID, incarnation: UInt64, in state: State) {
    guard let row = state.shards.row(position.shard), row.leader == 0,
      row.epoch == position.epoch || Mutant.isOn(.stalePromise), row.replicas.index(of: node) != nil
    else { return }
    promises[position.shard, default: []].removeAll { $0.node == node || $0.position.epoch != position.epoch }
    promises[position.shard]?.append(Promise(node: node, incarnation: incarnation, position: position))
  }

  /// Nodes that promised the epoch of an election that is under way, in the order of their numbers.
  func answered(_ shard: ShardID, in state: State) -> [NodeID] {
    guard let row = state.shards.row(shard), row.leader == 0 else { return [] }
    let valid = (promises[shard] ?? []).filter {
      $0.position.epoch == row.epoch && state.nodes[$0.node].incarnation == $0.incarnation
    }
    return valid.map(\.node).sorted()
  }

  mutating func tick(_ state: State, _ findings: ShardFindings, _ now: UInt64) -> [Proposal] {
    follow(findings.electing, state, now)
    let conclusions = conclusions(state, now)
    let fenced = findings.leaderLost.filter { hasCandidate(state.shards[$0], state) }
    // The next tick forgets those that were not begun after all.
    note(fenced, now)
    return starts(fenced, state) + conclusions + shrinks(findings.behind, state)
  }

  // MARK: Fencing

  private func starts(_ lost: [ShardID], _ state: State) -> [Proposal] {
    var byNode: [NodeID: [ShardID]] = [:]
    for shard in lost { byNode[state.shards[shard].leader, default: []].append(shard) }
    return byNode.keys.sorted().flatMap { node -> [Proposal] in
      let shards = byNode[node] ?? []
      let row = state.nodes[node]
      let reason = Reason(.leaderLost, arguments: ["node=\(row.name)", "state=\(row.state.name)"])
      return stride(from: 0, to: shards.count, by: ElectionController.shardsPerStart).map { start in
        let part = Array(shards[start..<min(start + ElectionController.shardsPerStart, shards.count)])
        return Proposal(
          controller: ElectionController.name, command: .startElections(StartElections(shards: part)), reason: reason,
          cause: row.sinceRevision)
      }
    }
  }

  /// To take a leadership away that nobody can take over helps nobody.
  private func hasCandidate(_ row: ShardRow, _ state: State) -> Bool {
    let allowsUnclean = state.collections[row.collection].policy.allowsUncleanElection
    return row.replicas.contains {
      $0.node != row.leader && $0.role != .learner && ($0.isCopy || (allowsUnclean && !$0.isEmptied))
        && state.nodes[$0.node].state.isAlive
    }
  }

  // MARK: Electing

  private mutating func follow(_ found: [ShardID], _ state: State, _ now: UInt64) {
    note(found, now)
    let over = open.filter { state.shards[$0].leader != 0 || state.shards[$0].replicas.count == 0 }
    guard !over.isEmpty else { return }
    for shard in over {
      since[shard] = nil
      promises[shard] = nil
    }
    open.removeAll { since[$0] == nil }
  }

  private mutating func note(_ shards: [ShardID], _ now: UInt64) {
    for shard in shards where since[shard] == nil {
      since[shard] = now
      open.append(shard)
    }
  }

  private func conclusions(_ state: State, _ now: UInt64) -> [Proposal] {
    var groups: [(cause: Revision, shards: [ShardID], choices: [ElectionChoice])] = []
    for shard in open.sorted() {
      let row = state.shards[shard]
      let isPatienceOver = now - (since[shard] ?? now) >= ElectionController.patience
      let told = (promises[shard] ?? []).filter { $0.position.epoch == row.epoch || Mutant.isOn(.stalePromise) }
      guard let choice = ElectionChoice.make(row, state, told, isPatienceOver: isPatienceOver) else { continue }
      if let last = groups.indices.last, groups[last].cause == row.changed,
        groups[last].choices[0].isUnclean == choice.isUnclean,
        groups[last].shards.count < ElectionController.choicesPerCommit
      {
        groups[last].shards.append(shard)
        groups[last].choices.append(choice)
      } else {
        groups.append((row.changed, [shard], [choice]))
      }
    }
    return groups.map { conclude($0.shards, $0.choices, state, cause: $0.cause) }
  }

  private func conclude(
    _ shards: [ShardID], _ choices: [ElectionChoice], _ state: State, cause: Revision
  ) -> Proposal {
    let commands = zip(shards, choices).map { shard, choice in
      Command.concludeElection(
        ConcludeElection(
          shard: shard, node: choice.node, epoch: state.shards[shard].epoch, isUnclean: choice.isUnclean))
    }
    let isUnclean = choices.contains(where: \.isUnclean)
    return Proposal(
      controller: ElectionController.name, command: commands.count == 1 ? commands[0] : .batch(Batch(commands)),
      reason: Reason(
        isUnclean ? .uncleanElection : .election,
        text: isUnclean ? "too few surely have everything: what the new leader lacks is lost" : "",
        arguments: zip(shards, choices).map { $1.words($0, state) }), cause: cause)
  }

  // MARK: In-sync sets

  /// Where every replica in sync acknowledges each write, those that stay have them all. Where a minimum is enough only
  /// the leader knows what they have: it is its to say who is behind.
  private func mayShrink(_ row: ShardRow, _ state: State) -> Bool {
    row.replicas.count(where: \.isInSync) > 1 && state.collections[row.collection].policy.minInSync == 0
  }

  private func shrinks(_ behind: [(node: NodeID, shard: ShardID)], _ state: State) -> [Proposal] {
    var byNode: [NodeID: [ShardID]] = [:]
    for (node, shard) in behind where mayShrink(state.shards[shard], state) {
      if byNode[node, default: []].count < ElectionController.shardsPerStart { byNode[node, default: []].append(shard) }
    }
    return byNode.keys.sorted().compactMap { node in
      guard let shards = byNode[node], !shards.isEmpty else { return nil }
      return Proposal(
        controller: ElectionController.name, command: .shrinkInSync(ShrinkInSync(node: node, shards: shards)),
        reason: Reason(.replicaLost, arguments: ["node=\(state.nodeName(node))"]),
        cause: state.nodes[node].sinceRevision)
    }
  }
}
