package import MusterCluster
package import MusterProtocol

/// What a node was told to host and what it has not reported yet. Pure: the agent's shell feeds it and sends what it
/// says.
package struct AssignmentBook: Sendable {
  /// By shard number.
  package private(set) var assigned: [ShardID: Assignment] = [:]
  private var unreported: Set<ShardID> = []
  /// What this node, as a leader, has to say of followers.
  private var words: [Link: FollowerWord] = [:]
  private var yields: [ShardID: Yield] = [:]
  private var minima: [ShardID: MinimumWord] = [:]
  private var splits: [ShardID: SplitWord] = [:]
  private var pruned: [ShardID: PruneWord] = [:]
  private var pauses: [ShardID: PauseWord] = [:]
  private var absorbs: [ShardID: AbsorbWord] = [:]
  /// Replicas of this node that cannot be counted on, and whether their data is gone.
  private var lost: [ShardID: Bool] = [:]
  /// Elections that wait for this node's word, with their epochs.
  private var elections: [ShardID: UInt32] = [:]

  private struct Link: Hashable, Comparable {
    var shard: ShardID
    var node: NodeID

    static func < (a: Link, b: Link) -> Bool { (a.shard, a.node) < (b.shard, b.node) }
  }

  package init() {}

  /// Takes over what the control plane says.
  ///
  /// - Returns: what must be opened and what must be closed, in the order of shards.
  package mutating func apply(_ item: AssignmentsItem) -> (open: [Assignment], close: [ShardID]) {
    for shard in item.withdrawn {
      forgetWords(shard)
      assigned[shard] = nil
      unreported.remove(shard)
      elections[shard] = nil
      forgetLeading(shard)
      lost[shard] = nil
    }
    var open: [Assignment] = []
    for assignment in item.assigned {
      forgetWords(assignment.shard)
      assigned[assignment.shard] = assignment
      forgetLeading(assignment.shard)
      lost[assignment.shard] = nil
      elections[assignment.shard] = assignment.isElecting ? assignment.epoch : nil
      if !assignment.isOpened { open.append(assignment) }
    }
    return (open, item.withdrawn)
  }

  private mutating func forgetLeading(_ shard: ShardID) {
    yields[shard] = nil
    minima[shard] = nil
    splits[shard] = nil
    pruned[shard] = nil
    pauses[shard] = nil
    absorbs[shard] = nil
  }

  private mutating func forgetWords(_ shard: ShardID) {
    for follower in assigned[shard]?.followers ?? [] { words[Link(shard: shard, node: follower.node)] = nil }
  }

  /// A replica was opened by the host.
  package mutating func opened(_ shard: ShardID) {
    if assigned[shard] != nil { unreported.insert(shard) }
  }

  /// Whether a leader may stop counting on a follower: enough others stay. Its host must see to it that what was
  /// acknowledged is found among those.
  package func canSpare(_ follower: Follower, of assignment: Assignment) -> Bool {
    let others = assignment.followers.count {
      $0.node != follower.node && $0.isInSync && !$0.isEmptied && !$0.isLearner
    }
    return others + 1 >= max(1, Int(assignment.minInSync))
  }

  /// The host of the leader says whether a follower has all that was acknowledged.
  package mutating func note(_ assignment: Assignment, follower: Follower, isInSync: Bool) {
    guard assigned[assignment.shard] == assignment else { return }
    let link = Link(shard: assignment.shard, node: follower.node)
    words[link] = nil
    guard follower.isInSync != isInSync || (isInSync && follower.isEmptied),
      isInSync || canSpare(follower, of: assignment)
    else { return }
    words[link] = FollowerWord(
      shard: assignment.shard, node: follower.node, epoch: assignment.epoch, isInSync: isInSync)
  }

  /// The host of the leader took its last write in this epoch, and the heir has them all.
  package mutating func yielded(_ assignment: Assignment) {
    guard assigned[assignment.shard] == assignment, assignment.heir != 0 else { return }
    yields[assignment.shard] = Yield(
      shard: assignment.shard, epoch: assignment.epoch, heir: assignment.heir, since: assignment.heirSince)
  }

  /// The host of the leader took its last write before the split, and these copies have them all.
  package mutating func splitReady(_ assignment: Assignment, nodes: [NodeID]) {
    guard assigned[assignment.shard] == assignment, let order = assignment.split, order.since != 0 else { return }
    splits[assignment.shard] = SplitWord(
      shard: assignment.shard, epoch: assignment.epoch, since: order.since, nodes: nodes)
  }

  /// The host of the leader has no keys any more but those of its range.
  package mutating func pruned(_ assignment: Assignment) {
    guard assigned[assignment.shard] == assignment, assignment.mustPrune, let range = assignment.range else { return }
    pruned[assignment.shard] = PruneWord(shard: assignment.shard, epoch: assignment.epoch, range: range)
  }

  /// The host of the leader took its last write before another shard absorbs this one.
  package mutating func paused(_ assignment: Assignment) {
    guard assigned[assignment.shard] == assignment, let order = assignment.merge, order.isAbsorbed,
      order.step == .pausing
    else { return }
    pauses[assignment.shard] = PauseWord(shard: assignment.shard, epoch: assignment.epoch, since: order.since)
  }

  /// The host of the leader has little left to copy of the shard that is absorbed, or has everything.
  package mutating func absorbed(_ assignment: Assignment, hasEverything: Bool) {
    guard assigned[assignment.shard] == assignment, let order = assignment.merge, !order.isAbsorbed,
      order.step == (hasEverything ? .absorbing : .copying)
    else { return }
    absorbs[assignment.shard] = AbsorbWord(
      shard: assignment.shard, epoch: assignment.epoch, since: order.since,
      absorbedEpoch: hasEverything ? order.epoch : 0, hasEverything: hasEverything)
  }

  /// The host of the leader goes by the raised minimum, and as many have everything.
  package mutating func heldMinimum(_ assignment: Assignment) {
    guard assigned[assignment.shard] == assignment, assignment.mustHoldMinimum else { return }
    minima[assignment.shard] = MinimumWord(
      shard: assignment.shard, epoch: assignment.epoch, raise: assignment.minimumRaise)
  }

  /// The host cannot bring the replica into its role: its data is gone, or it does not answer.
  ///
  /// - Parameter isGone: its data is gone, and does not come back.
  package mutating func lost(_ assignment: Assignment, isGone: Bool) {
    if assigned[assignment.shard]?.epoch == assignment.epoch { lost[assignment.shard] = isGone }
  }

  /// What a node without data says of what it leads: whoever is open and alive has all that there is.
  package mutating func judgeWithoutData(_ assignments: [Assignment]) {
    for assignment in assignments where assignment.role == .leader && !assignment.isElecting {
      for follower in assignment.followers {
        note(assignment, follower: follower, isInSync: follower.isOpened && follower.isAlive && !follower.isLeaving)
      }
      heldMinimum(assignment)
      if assignment.heir != 0 { yielded(assignment) }
      if let order = assignment.split {
        splitReady(assignment, nodes: order.copies.filter { $0.isOpened && $0.isAlive }.map(\.node))
      }
      pruned(assignment)
      paused(assignment)
      absorbed(assignment, hasEverything: assignment.merge?.step == .absorbing)
    }
  }

  /// The elections that wait for this node's word: the host must promise their epochs before it says how far it is.
  package var waitingElections: [(shard: ShardID, epoch: UInt32)] {
    elections.keys.sorted().map { ($0, elections[$0] ?? 0) }
  }

  /// The control plane knows how far the replica is.
  package mutating func told(_ position: ReplicaPosition) {
    if elections[position.shard] == position.epoch { elections[position.shard] = nil }
  }

  /// A cut is some 20 events: a report with so many of them is one commit still.
  private static let splitsMax = 64

  /// The next report, at most so many shards; nil when there is nothing to say.
  package mutating func nextReport(node: NodeID, incarnation: UInt64) -> ReportReplicas? {
    guard
      !unreported.isEmpty || !words.isEmpty || !yields.isEmpty || !minima.isEmpty || !lost.isEmpty || !splits.isEmpty
        || !pruned.isEmpty || !pauses.isEmpty || !absorbs.isEmpty
    else { return nil }
    let most = Limits.shardsPerReport / 4
    var report = ReportReplicas(
      node: node, incarnation: incarnation, opened: Array(unreported.sorted().prefix(most)),
      followers: words.keys.sorted().prefix(most).compactMap { words[$0] },
      fellBehind: Array(lost.keys.sorted().prefix(most)),
      yields: Array(yields.keys.sorted().prefix(most)).compactMap { yields[$0] },
      minima: Array(minima.keys.sorted().prefix(most)).compactMap { minima[$0] })
    report.gone = report.fellBehind.filter { lost[$0] == true }
    report.splits = splits.keys.sorted().prefix(AssignmentBook.splitsMax).compactMap { splits[$0] }
    report.pruned = pruned.keys.sorted().prefix(most).compactMap { pruned[$0] }
    report.pauses = pauses.keys.sorted().prefix(most).compactMap { pauses[$0] }
    report.absorbs = absorbs.keys.sorted().prefix(AssignmentBook.splitsMax).compactMap { absorbs[$0] }
    return report
  }

  /// A report was accepted.
  package mutating func reported(_ report: ReportReplicas) {
    unreported.subtract(report.opened)
    for shard in report.fellBehind where lost[shard] == report.gone.contains(shard) { lost[shard] = nil }
    for word in report.followers {
      let link = Link(shard: word.shard, node: word.node)
      if words[link] == word { words[link] = nil }
    }
    for yield in report.yields where yields[yield.shard] == yield { yields[yield.shard] = nil }
    for word in report.minima where minima[word.shard] == word { minima[word.shard] = nil }
    for word in report.splits where splits[word.shard] == word { splits[word.shard] = nil }
    for word in report.pruned where pruned[word.shard] == word { pruned[word.shard] = nil }
    for word in report.pauses where pauses[word.shard] == word { pauses[word.shard] = nil }
    for word in report.absorbs where absorbs[word.shard] == word { absorbs[word.shard] = nil }
  }

  /// A new stream tells everything again.
  package mutating func restart() {
    assigned = [:]
    unreported = []
    words = [:]
    yields = [:]
    minima = [:]
    splits = [:]
    pruned = [:]
    pauses = [:]
    absorbs = [:]
    lost = [:]
    elections = [:]
  }
}
