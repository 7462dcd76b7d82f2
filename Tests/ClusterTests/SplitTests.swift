import MusterBytes
import MusterCluster
import MusterControllers
import MusterWorkload
import Testing

/// Key ranges, and the steps of a split as commands and events.
@Suite struct SplitTests {
  private func cluster(beat: UInt64 = 500, abilities: Abilities = .splits, shards: UInt32 = 3, disk: UInt64 = 1)
    -> State
  {
    var state = State()
    for (name, zone) in [("n1", "a"), ("n2", "b"), ("n3", "c")] {
      var node = JoinNode(
        name: name, domain: "eu/\(zone)/r1", labels: [], capacity: [Amount("disk", 10)], address: "",
        heartbeatMilliseconds: beat)
      node.abilities = abilities
      _ = ask(&state, .joinNode(node))
    }
    _ = ask(&state, create("c", shards: shards, replicas: 3, disk: disk))
    return state
  }

  private func split(_ state: inout State, _ index: UInt32) -> Outcome {
    ask(&state, .splitShard(SplitShard(collection: "c", index: index)))
  }

  private func report(_ state: inout State, _ node: NodeID, _ change: (inout ReportReplicas) -> Void) -> Outcome {
    var report = ReportReplicas()
    (report.node, report.incarnation) = (node, state.nodes[node].incarnation)
    change(&report)
    return ask(&state, .reportReplicas(report))
  }

  private func openAll(_ state: inout State, _ shard: ShardID) {
    for replica in state.shards[shard].replicas {
      _ = report(&state, replica.node) { $0.opened = [shard] }
    }
  }

  private func advance(_ state: inout State, _ move: MoveID, _ step: MoveStep) -> Outcome {
    ask(&state, .advanceMove(AdvanceMove(move: move, step: step)))
  }

  /// The leader of the shard that is split says that these copies have everything.
  private func say(_ state: inout State, _ move: MoveID, _ nodes: [NodeID], since: Revision? = nil) -> Outcome {
    let row = state.moves[move]
    let parent = state.shards[row.shard]
    return report(&state, parent.leader) {
      $0.splits = [SplitWord(shard: row.shard, epoch: parent.epoch, since: since ?? row.changed, nodes: nodes)]
    }
  }

  @Test func aSplitTakesItsStepsAndBothLeadInANewEpoch() throws {
    var state = cluster()
    #expect(commit(split(&state, 1)) != nil)
    let (parent, child): (ShardID, ShardID) = (2, 4)
    #expect(state.shardName(child) == "c/3")
    #expect(state.shards[child].isMaking && state.shards[child].replicas.count == 3)
    #expect(state.statusReport().shards == 3 && state.statusReport().leaderlessShards == 0)
    #expect(!state.isBeyondElection(state.shards[child]))
    #expect(refusal(advance(&state, 1, .pausing)) == .conflict, "its replicas are not open")
    openAll(&state, child)
    #expect(say(&state, 1, [1, 2, 3]) == .unchanged, "nobody asked the leader")
    #expect(commit(advance(&state, 1, .pausing)) != nil)
    #expect(refusal(advance(&state, 1, .pruning)) == .conflict, "only the leader can say that they have everything")
    #expect(say(&state, 1, [1]) == .unchanged, "two acknowledge a write")
    #expect(say(&state, 1, [1, 2, 3], since: state.revision - 1) == .unchanged, "it was asked at another revision")
    let epoch = state.shards[parent].epoch
    #expect(commit(say(&state, 1, [1, 2])) != nil)
    #expect(state.shards[parent].epoch == epoch + 1 && state.shards[child].epoch == epoch + 1)
    #expect(state.shards[child].replicas.filter(\.isInSync).map(\.node).sorted() == [1, 2])
    #expect([1, 2].contains(state.shards[child].leader))
    #expect(state.collections[1].range(of: 1) == KeyRange(residue: 1, modulus: 6))
    #expect(state.collections[1].range(of: 3) == KeyRange(residue: 4, modulus: 6))
    #expect(refusal(advance(&state, 1, .cancelled)) == .conflict, "the cut is made")
    #expect(state.statusReport().shards == 4)
    for shard in [parent, child] {
      let row = state.shards[shard]
      let wrong = PruneWord(shard: shard, epoch: row.epoch, range: KeyRange(residue: 0, modulus: 1))
      #expect(report(&state, row.leader) { $0.pruned = [wrong] } == .unchanged)
      var word = wrong
      word.range = state.collections[1].range(of: row.index)
      #expect(commit(report(&state, row.leader) { $0.pruned = [word] }) != nil)
      #expect(report(&state, row.leader) { $0.pruned = [word] } == .unchanged)
    }
    #expect(commit(advance(&state, 1, .finished)) != nil)
    #expect(state.shards[parent].move == 0 && state.shards[child].move == 0 && !state.moves.holds(1))
    #expect(state.digest == state.computedDigest())
  }

  @Test func aSplitThatIsCalledOffLeavesNothingButItsNumber() throws {
    for step in [MoveStep.catchingUp, .pausing] {
      var state = cluster()
      let before = (state.load(1).replicas, state.load(1).leaders)
      _ = split(&state, 0)
      openAll(&state, 4)
      if step == .pausing { _ = advance(&state, 1, .pausing) }
      #expect(commit(advance(&state, 1, .cancelled)) != nil)
      #expect((state.load(1).replicas, state.load(1).leaders) == before)
      #expect(state.shardID(1, 3) == nil && state.shards[4].replicas.count == 0)
      #expect(state.collections[1].range(of: 0) == KeyRange(residue: 0, modulus: 3))
      #expect(commit(split(&state, 0)) != nil)
      #expect(state.shardName(5) == "c/4", "numbers are not given again")
      #expect(state.digest == state.computedDigest())
    }
  }

  @Test func aLeaderThatMayGoOnIsNotTakenAtItsOldWord() {
    var state = cluster()
    _ = split(&state, 0)
    openAll(&state, 4)
    _ = advance(&state, 1, .pausing)
    let asked = state.moves[1].changed
    _ = advance(&state, 1, .catchingUp)
    #expect(say(&state, 1, [1, 2, 3], since: asked) == .unchanged)
    _ = advance(&state, 1, .pausing)
    #expect(say(&state, 1, [1, 2, 3], since: asked) == .unchanged)
    #expect(commit(say(&state, 1, [1, 2, 3])) != nil)
  }

  @Test func whatCannotBeSplitIsRefusedWithTheReason() {
    var old = cluster(abilities: [])
    #expect(refusal(split(&old, 0)) == .unsatisfiable)
    #expect(refusal(ask(&old, .setShardCount(SetShardCount(name: "c", shards: 6)))) == .unsatisfiable)
    var full = cluster(disk: 3)
    #expect(refusal(split(&full, 0)) == .unsatisfiable, "9 of 10 are taken")
    var state = cluster()
    #expect(refusal(split(&state, 3)) == .notFound)
    _ = split(&state, 0)
    #expect(refusal(split(&state, 0)) == .conflict)
    #expect(refusal(split(&state, 3)) == .conflict, "it owns no keys yet")
    #expect(
      refusal(ask(&state, .startMove(StartMove(collection: "c", index: 3, source: "", target: "n1")))) == .conflict)
    #expect(refusal(ask(&state, .electLeader(ElectLeader(collection: "c", index: 3, node: "n1")))) == .conflict)
    _ = ask(&state, .cordonNode(CordonNode(name: "n2", isOn: true)))
    #expect(refusal(split(&state, 1)) == .conflict)
    #expect(refusal(ask(&state, .setShardCount(SetShardCount(name: "c", shards: 5000)))) == .limitReached)
  }

  @Test func aCollectionThatIsDeletedTakesItsSplitsAlong() throws {
    var state = cluster()
    _ = split(&state, 0)
    _ = split(&state, 1)
    #expect(commit(ask(&state, .deleteCollection(DeleteCollection(name: "c")))) != nil)
    for node in 1...3 as ClosedRange<NodeID> {
      #expect(state.load(node).replicas == 0 && state.load(node).leaders == 0)
    }
    #expect(!state.moves.holds(1) && !state.moves.holds(2))
    #expect(state.digest == state.computedDigest())
  }

  @Test func nodesThatNobodyWatchesOverAreNotAsked() {
    var state = cluster(beat: 0, abilities: [])
    #expect(commit(split(&state, 0)) != nil)
    #expect(commit(advance(&state, 1, .pausing)) != nil)
    #expect(commit(advance(&state, 1, .pruning)) != nil)
    #expect(commit(advance(&state, 1, .finished)) != nil)
    #expect(state.collections[1].owningCount == 4)
  }

  /// Whatever is split in whatever order: each key has one owner, and a split moves only the keys of what it splits.
  @Test func rangesOwnEachKeyOnce() throws {
    var random = SeededGenerator(seed: 77)
    for count in [1, 3, 12] as [UInt32] {
      var state = cluster(beat: 0, shards: count, disk: 0)
      for _ in 0..<40 {
        let before = state.collections[1]
        let owners = before.owners
        let parent = state.shards[owners[random.below(owners.count)]].index
        guard commit(split(&state, parent)) != nil else { continue }
        let move = state.moves.nextID - 1
        _ = advance(&state, move, .pausing)
        if random.oneIn(4) {
          _ = advance(&state, move, .cancelled)
          continue
        }
        _ = advance(&state, move, .pruning)
        _ = advance(&state, move, .finished)
        let after = state.collections[1]
        for _ in 0..<200 {
          let hash = random.next()
          let (old, new) = (before.owner(ofHash: hash), after.owner(ofHash: hash))
          #expect(old == new || (old == parent && new == after.indexCount - 1))
          for shard in after.owners {
            let index = state.shards[shard].index
            #expect(after.range(of: index).holds(hash: hash) == (index == new), "\(hash) at \(index)")
          }
        }
      }
      #expect(state.collections[1].owningCount > count + 20)
    }
  }

  /// Other languages compute the same. MurmurHash3 x64 128, seed 0, low half.
  @Test func routesAreFrozen() {
    let split = [
      SplitRange(index: 12, range: KeyRange(residue: 17, modulus: 24)),
      SplitRange(index: 13, range: KeyRange(residue: 41, modulus: 48)),
    ]
    let hash = KeyHash.hash(of: Array("hello".utf8))
    #expect(hash == 0xcbd8_a7b3_41bd_9b02)
    #expect(KeyHash.shard(of: Array("hello".utf8), count: 12) == UInt32(hash % 12))
    #expect(KeyHash.owner(ofHash: 17, count: 12, split: split) == 12)
    #expect(KeyHash.owner(ofHash: 41, count: 12, split: split) == 13)
    #expect(KeyHash.owner(ofHash: 5, count: 12, split: split) == 5)
    #expect(KeyHash.owner(ofHash: 29, count: 12, split: split) == 5)
    #expect(KeyHash.owner(ofHash: 17 + 48, count: 12, split: split) == 12)
  }
}
