import MusterBytes
import MusterCluster
import MusterControllers
import MusterWorkload
import Testing

/// The steps of a merge as commands and events, and the routes that it leaves.
@Suite struct MergeTests {
  private func cluster(beat: UInt64 = 500, abilities: Abilities = [.splits, .merges], shards: UInt32 = 4) -> State {
    var state = State()
    for (name, zone) in [("n1", "a"), ("n2", "b"), ("n3", "c")] {
      var node = JoinNode(
        name: name, domain: "eu/\(zone)/r1", labels: [], capacity: [Amount("disk", 10_000)], address: "",
        heartbeatMilliseconds: beat)
      node.abilities = abilities
      _ = ask(&state, .joinNode(node))
    }
    _ = ask(&state, create("c", shards: shards, replicas: 3, disk: 1))
    return state
  }

  private func merge(_ state: inout State, _ index: UInt32) -> Outcome {
    ask(&state, .mergeShards(MergeShards(collection: "c", index: index)))
  }

  private func advance(_ state: inout State, _ move: MoveID, _ step: MoveStep) -> Outcome {
    ask(&state, .advanceMove(AdvanceMove(move: move, step: step)))
  }

  private func report(
    _ state: inout State, _ node: NodeID, incarnation: UInt64? = nil, _ change: (inout ReportReplicas) -> Void
  ) -> Outcome {
    var report = ReportReplicas()
    (report.node, report.incarnation) = (node, incarnation ?? state.nodes[node].incarnation)
    change(&report)
    return ask(&state, .reportReplicas(report))
  }

  /// What the survivor's leader says of the step that the move is in.
  private func word(_ state: State, _ move: MoveID, everything: Bool) -> AbsorbWord {
    let row = state.moves[move]
    return AbsorbWord(
      shard: row.shard, epoch: state.shards[row.shard].epoch, since: row.changed,
      absorbedEpoch: everything ? row.absorbedEpoch : 0, hasEverything: everything)
  }

  private func say(_ state: inout State, _ word: AbsorbWord) -> Outcome {
    report(&state, state.shards[word.shard].leader) { $0.absorbs = [word] }
  }

  private func pauseWord(_ state: State, _ move: MoveID) -> PauseWord {
    let row = state.moves[move]
    return PauseWord(shard: row.absorbed, epoch: state.shards[row.absorbed].epoch, since: row.changed)
  }

  private func say(_ state: inout State, _ word: PauseWord) -> Outcome {
    report(&state, state.shards[word.shard].leader) { $0.pauses = [word] }
  }

  /// Begun, near, and paused.
  private func absorbing(_ state: inout State, _ index: UInt32) {
    let move = state.moves.nextID
    #expect(commit(merge(&state, index)) != nil)
    #expect(commit(say(&state, word(state, move, everything: false))) != nil)
    #expect(commit(say(&state, pauseWord(state, move))) != nil)
    #expect(state.moves[move].step == .absorbing)
  }

  @Test func aMergeTakesItsStepsAndTheSurvivorBeginsAnEpoch() throws {
    var state = cluster()
    let replicas = (1...3).map { state.load(NodeID($0)).replicas }
    #expect(commit(merge(&state, 3)) != nil)
    let (survivor, absorbed): (ShardID, ShardID) = (2, 4)
    #expect(state.moves[1].shard == survivor && state.moves[1].absorbed == absorbed)
    #expect(state.moves[1].step == .copying)
    for step in [MoveStep.pausing, .absorbing, .finished, .pruning] {
      #expect(refusal(advance(&state, 1, step)) == .conflict, "only leaders can say it: \(step)")
    }
    #expect(say(&state, pauseWord(state, 1)) == .unchanged, "nobody asked for a pause")
    #expect(say(&state, word(state, 1, everything: true)) == .unchanged, "nobody is paused")
    #expect(commit(say(&state, word(state, 1, everything: false))) != nil)
    #expect(state.moves[1].step == .pausing)
    #expect(say(&state, word(state, 1, everything: true)) == .unchanged, "nobody said that it is paused")
    #expect(commit(say(&state, pauseWord(state, 1))) != nil)
    #expect(state.moves[1].step == .absorbing && state.moves[1].absorbedEpoch == state.shards[absorbed].epoch)
    let (epoch, leader) = (state.shards[survivor].epoch, state.shards[survivor].leader)
    let events = try #require(commit(say(&state, word(state, 1, everything: true)))).events
    #expect(events.map(\.name) == ["ShardsMerged", "LeaderElected"])
    #expect(state.shards[survivor].epoch == epoch + 1 && state.shards[survivor].leader == leader)
    #expect(state.shards[absorbed].replicas.count == 0 && state.shards[absorbed].leader == 0)
    #expect(state.shards[survivor].move == 0 && state.shards[absorbed].move == 0 && !state.moves.holds(1))
    let row = state.collections[1]
    #expect(row.range(of: 1) == KeyRange(residue: 1, modulus: 2) && row.owningCount == 3)
    #expect(row.owners == [1, 2, 3] && row.isGone(3) && state.shardID(1, 3) == nil)
    #expect(!row.isPruningDue(survivor))
    #expect(refusal(merge(&state, 3)) == .notFound, "its number is not given again")
    #expect((1...3).map { state.load(NodeID($0)).replicas } == replicas.map { $0 - 1 })
    #expect(state.statusReport().shards == 3 && state.statusReport().unplacedShards == 0)
    #expect(state.digest == state.computedDigest())
  }

  @Test func whatSplitsGaveComesBackToWhomItWasTakenFrom() {
    var state = cluster(beat: 0, shards: 3)
    for index in [1, 3] as [UInt32] {
      let move = state.moves.nextID
      _ = ask(&state, .splitShard(SplitShard(collection: "c", index: index)))
      for step in [MoveStep.pausing, .pruning, .finished] { _ = advance(&state, move, step) }
    }
    #expect(state.collections[1].owningCount == 5)
    #expect(refusal(merge(&state, 1)) == .conflict, "the other half belongs to two shards")
    #expect(refusal(merge(&state, 0)) == .limitReached, "3 is odd")
    for index in [4, 3] as [UInt32] {
      let move = state.moves.nextID
      #expect(commit(merge(&state, index)) != nil)
      for step in [MoveStep.pausing, .absorbing, .finished] { #expect(commit(advance(&state, move, step)) != nil) }
    }
    #expect(state.collections[1].splitRanges.isEmpty && state.collections[1].owningCount == 3)
    #expect(state.collections[1].children.map(\.state) == [.merged, .merged])
    #expect(commit(ask(&state, .splitShard(SplitShard(collection: "c", index: 1)))) != nil)
    #expect(state.shardName(state.shards.nextID - 1) == "c/5")
    #expect(state.digest == state.computedDigest())
  }

  // MARK: Words that are void

  @Test func aNewLeaderOfTheAbsorbedShardVoidsThePause() {
    var state = cluster()
    absorbing(&state, 1)
    let old = word(state, 1, everything: true)
    let other = state.shards[4].replicas.first { $0.node != state.shards[4].leader }!.node
    _ = ask(&state, .electLeader(ElectLeader(collection: "c", index: 3, node: state.nodeName(other))))
    let row = state.shards[4]
    _ = report(&state, row.leader) {
      $0.yields = [Yield(shard: 4, epoch: row.epoch, heir: row.heir, since: row.heirSince)]
    }
    #expect(state.shards[4].leader == other)
    #expect(say(&state, old) == .unchanged, "the new leader takes writes")
    var renamed = old
    renamed.absorbedEpoch = state.shards[4].epoch
    #expect(say(&state, renamed) == .unchanged, "nobody paused in that epoch")
    #expect(commit(advance(&state, 1, .copying)) != nil)
    #expect(state.moves[1].absorbedEpoch == 0)
  }

  @Test func aNewLeaderOfTheSurvivorHasNotWhatTheOldOneSaid() {
    var state = cluster()
    absorbing(&state, 1)
    let old = word(state, 1, everything: true)
    let other = state.shards[2].replicas.first { $0.node != state.shards[2].leader }!.node
    let leader = state.shards[2].leader
    _ = ask(&state, .electLeader(ElectLeader(collection: "c", index: 1, node: state.nodeName(other))))
    let row = state.shards[2]
    _ = report(&state, row.leader) {
      $0.yields = [Yield(shard: 2, epoch: row.epoch, heir: row.heir, since: row.heirSince)]
    }
    #expect(state.shards[2].leader == other)
    #expect(say(&state, old) == .unchanged, "the epoch is another")
    #expect(report(&state, leader) { $0.absorbs = [old] } == .unchanged, "it does not lead")
    var late = old
    late.epoch = state.shards[2].epoch
    #expect(report(&state, leader) { $0.absorbs = [late] } == .unchanged, "it does not lead")
  }

  @Test func aPauseThatWasGivenUpIsNotTakenAtItsWord() {
    var state = cluster()
    absorbing(&state, 1)
    let (old, paused) = (word(state, 1, everything: true), pauseWord(state, 1))
    #expect(commit(advance(&state, 1, .copying)) != nil)
    #expect(say(&state, old) == .unchanged)
    #expect(commit(say(&state, word(state, 1, everything: false))) != nil)
    #expect(say(&state, paused) == .unchanged, "it was asked at another revision")
    #expect(commit(say(&state, pauseWord(state, 1))) != nil)
    #expect(say(&state, old) == .unchanged)
    #expect(commit(say(&state, word(state, 1, everything: true))) != nil)
  }

  @Test func whoWasReplacedSaysNothing() {
    var state = cluster()
    absorbing(&state, 1)
    let word = word(state, 1, everything: true)
    let leader = state.shards[2].leader
    let incarnation = state.nodes[leader].incarnation
    var again = JoinNode(
      name: state.nodeName(leader), domain: state.nodes[leader].domain, labels: [], capacity: [], address: "",
      heartbeatMilliseconds: 500)
    again.abilities = [.splits, .merges]
    _ = ask(&state, .joinNode(again))
    #expect(refusal(report(&state, leader, incarnation: incarnation) { $0.absorbs = [word] }) == .fenced)
  }

  /// One node may lead both, and say in one report what excludes each other.
  @Test func whoLostItsDataOrHandsOverIsNotAbsorbedInTheSameCommit() throws {
    for isYield in [true, false] {
      var state = cluster()
      let leader = state.shards[2].leader
      if state.shards[4].leader != leader {
        _ = ask(&state, .electLeader(ElectLeader(collection: "c", index: 3, node: state.nodeName(leader))))
        let row = state.shards[4]
        _ = report(&state, row.leader) {
          $0.yields = [Yield(shard: 4, epoch: row.epoch, heir: row.heir, since: row.heirSince)]
        }
      }
      absorbing(&state, 1)
      let other = state.shards[4].replicas.first { $0.node != leader }!.node
      _ = ask(&state, .electLeader(ElectLeader(collection: "c", index: 3, node: state.nodeName(other))))
      let row = state.shards[4]
      let word = word(state, 1, everything: true)
      let done = report(&state, leader) {
        $0.absorbs = [word]
        if isYield {
          $0.yields = [Yield(shard: 4, epoch: row.epoch, heir: row.heir, since: row.heirSince)]
        } else {
          $0.fellBehind = [4]
        }
      }
      #expect(commit(done) != nil && state.moves.holds(1), "the cut is not made")
      #expect(state.shards[4].epoch > row.epoch)
    }
  }

  // MARK: Calling off, refusals

  @Test func aMergeThatIsCalledOffLeavesKeysToForget() {
    for steps in 0...2 {
      var state = cluster()
      _ = merge(&state, 1)
      if steps > 0 { _ = say(&state, word(state, 1, everything: false)) }
      if steps > 1 { _ = say(&state, pauseWord(state, 1)) }
      #expect(commit(advance(&state, 1, .cancelled)) != nil)
      #expect(state.shards[2].move == 0 && state.shards[4].move == 0 && !state.moves.holds(1))
      #expect(state.collections[1].owningCount == 4 && state.collections[1].range(of: 1).modulus == 4)
      #expect(state.collections[1].isPruningDue(2) && !state.collections[1].isPruningDue(4))
      let row = state.shards[2]
      let word = PruneWord(shard: 2, epoch: row.epoch, range: KeyRange(residue: 1, modulus: 4))
      #expect(commit(report(&state, row.leader) { $0.pruned = [word] }) != nil)
      #expect(!state.collections[1].isPruningDue(2) && !state.collections[1].hasOwnRanges)
      #expect(state.digest == state.computedDigest())
      #expect(commit(merge(&state, 3)) != nil)
    }
  }

  @Test func whatCannotBeMergedIsRefusedWithTheReason() throws {
    var old = cluster(abilities: .splits)
    #expect(refusal(merge(&old, 0)) == .unsatisfiable)
    #expect(refusal(ask(&old, .setShardCount(SetShardCount(name: "c", shards: 2)))) == .unsatisfiable)
    var state = cluster(shards: 12)
    #expect(refusal(merge(&state, 12)) == .notFound)
    #expect(commit(merge(&state, 0)) != nil)
    #expect(refusal(merge(&state, 6)) == .conflict, "it is under way")
    #expect(refusal(ask(&state, .splitShard(SplitShard(collection: "c", index: 6)))) == .conflict)
    let target = ask(&state, .startMove(StartMove(collection: "c", index: 0, source: "n1", target: "n2")))
    #expect(refusal(target) == .conflict)
    #expect(commit(ask(&state, .splitShard(SplitShard(collection: "c", index: 1)))) != nil)
    #expect(refusal(merge(&state, 7)) == .conflict, "its other half is being split")
    guard case .refused(let why) = ask(&state, .setShardCount(SetShardCount(name: "c", shards: 2))) else {
      Issue.record("12 is three times a power of two")
      return
    }
    #expect(why.message.contains("down to 3"), "\(why.message)")
    _ = ask(&state, .drainNode(DrainNode(name: "n2", isOn: true)))
    #expect(refusal(merge(&state, 2)) == .conflict, "a replica is about to move")
  }

  @Test func aCollectionThatIsDeletedTakesItsMergesAlong() {
    var state = cluster()
    absorbing(&state, 0)
    absorbing(&state, 1)
    #expect(commit(ask(&state, .deleteCollection(DeleteCollection(name: "c")))) != nil)
    for node in 1...3 as ClosedRange<NodeID> {
      #expect(state.load(node).replicas == 0 && state.load(node).leaders == 0)
    }
    #expect(!state.moves.holds(1) && !state.moves.holds(2))
    #expect(state.digest == state.computedDigest())
  }

  @Test func oneReportMayBringTwoCuts() throws {
    var state = cluster()
    let leader = state.shards[1].leader
    for index in [1] as [UInt32] where state.shards[index + 1].leader != leader {
      _ = ask(&state, .electLeader(ElectLeader(collection: "c", index: index, node: state.nodeName(leader))))
      let row = state.shards[index + 1]
      _ = report(&state, row.leader) {
        $0.yields = [Yield(shard: index + 1, epoch: row.epoch, heir: row.heir, since: row.heirSince)]
      }
    }
    absorbing(&state, 0)
    absorbing(&state, 1)
    let words = [word(state, 1, everything: true), word(state, 2, everything: true)]
    let done = try #require(commit(report(&state, leader) { $0.absorbs = words }))
    let counts = done.events.compactMap { if case .shardsMerged(let event) = $0 { event.shards } else { nil } }
    #expect(counts == [3, 2] && state.collections[1].owningCount == 2)
  }

  // MARK: Routes

  /// Whatever is split and put together in whatever order: each key has one owner, which the short rule finds, and a merge
  /// moves only the keys of the shard that goes.
  @Test func rangesOwnEachKeyOnce() throws {
    var random = SeededGenerator(seed: 78)
    for count in [1, 4, 12] as [UInt32] {
      var (state, merges) = (cluster(beat: 0, shards: count), 0)
      for _ in 0..<80 {
        let before = state.collections[1]
        let owners = before.owners
        let index = state.shards[owners[random.below(owners.count)]].index
        let isMerge = random.oneIn(2)
        let move = state.moves.nextID
        let begun = isMerge ? merge(&state, index) : ask(&state, .splitShard(SplitShard(collection: "c", index: index)))
        guard commit(begun) != nil else { continue }
        let steps: [MoveStep] = isMerge ? [.pausing, .absorbing, .finished] : [.pausing, .pruning, .finished]
        for step in steps { #expect(commit(advance(&state, move, step)) != nil) }
        merges += isMerge ? 1 : 0
        try check(before, state, isMerge ? before.halves(with: index) : nil, &random)
      }
      #expect(merges > 15, "\(merges)")
      var again = State()
      #expect(state.digest == state.computedDigest() && again.digest != state.digest)
      again = state
      #expect(again.collections[1].owningCount == UInt32(again.collections[1].owners.count))
    }
  }

  private func check(
    _ before: CollectionRow, _ state: State, _ merged: CollectionRow.Halves?, _ random: inout SeededGenerator
  ) throws {
    let after = state.collections[1]
    for _ in 0..<100 {
      let hash = random.next()
      let (old, new) = (before.owner(ofHash: hash), after.owner(ofHash: hash))
      if let merged { #expect(new == (old == merged.absorbed ? merged.survivor : old)) }
      #expect(new == rule(hash, state.report(collection: 1)))
      #expect(after.isOwner(new))
      for shard in after.owners {
        let index = state.shards[shard].index
        #expect(after.range(of: index).holds(hash: hash) == (index == new), "\(hash) at \(index)")
      }
    }
  }

  /// What `Ranges.md` says, in the words of a client that knows only `collection show`.
  private func rule(_ hash: UInt64, _ report: CollectionReport) -> UInt32 {
    var best: (index: UInt32, modulus: UInt32)?
    for split in report.splits where hash % UInt64(split.range.modulus) == UInt64(split.range.residue) {
      if split.range.modulus > best?.modulus ?? 0 { best = (split.index, split.range.modulus) }
    }
    return best?.index ?? UInt32(hash % UInt64(report.founded))
  }

  @Test func theFewestThatMergesLeadTo() {
    for (made, fewest) in [(12, 3), (1, 1), (7, 7), (16, 1), (4_000_000, 15_625)] as [(UInt32, UInt32)] {
      var row = CollectionRow()
      row.shardCount = made
      #expect(row.fewestShards == fewest)
    }
  }
}
