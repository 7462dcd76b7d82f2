import MusterCluster
import MusterHosting
import MusterPeers
import MusterProtocol
import Testing

/// What a pilot makes of a split: when it pauses, what it says, and what it forgets.
@Suite struct SplitPilotTests {
  private func leader(since: Revision = 0, epoch: UInt32 = 1) -> Assignment {
    var assignment = Assignment()
    (assignment.shard, assignment.role, assignment.epoch) = (1, .leader, epoch)
    (assignment.isOpened, assignment.isInSync, assignment.minInSync) = (true, true, 2)
    var order = SplitOrder()
    (order.child, order.since, order.needed) = (9, since, 2)
    for node in [NodeID(1), 2, 3] {
      var copy = Follower()
      (copy.node, copy.name, copy.isOpened, copy.isAlive) = (node, "n\(node)", true, true)
      order.copies.append(copy)
      var link = ReplicaLink()
      (link.node, link.name, link.address) = (node, "n\(node)", "h:9\(node)")
      assignment.links.copies.append(link)
      guard node != 1 else { continue }
      copy.isInSync = true
      assignment.followers.append(copy)
      (link.address, link.isReader) = ("h:\(node)", true)
      assignment.links.others.append(link)
    }
    assignment.split = order
    return assignment
  }

  /// - Parameter lags: of the copies on the nodes 1, 2, 3; nil for one that does not answer.
  private func condition(_ lags: [UInt64?], epoch: UInt32 = 1) -> ReplicaCondition {
    ReplicaCondition(
      role: .leading(epoch: epoch),
      followers: [2, 3].map { FollowerProgress(node: "n\($0)", hasEverything: true, lag: 0) },
      copies: lags.enumerated().map { FollowerProgress(node: "n\($0 + 1)", hasEverything: $1 == 0, lag: $1) })
  }

  private func pilot(_ assignment: Assignment) -> ReplicaPilot {
    var pilot = ReplicaPilot(assignment)
    _ = pilot.opened()
    pilot.took(pilot.next)
    return pilot
  }

  private func isPaused(_ pilot: ReplicaPilot) -> Bool? {
    if case .lead(let leadership) = pilot.next { leadership.isPaused } else { nil }
  }

  @Test func aLeaderPausesOnlyWhenItWasAskedAndCopiesAreNear() {
    var early = pilot(leader())
    #expect(early.saw(condition([0, 0, 0]), now: 1).isEmpty)
    #expect(early.next == .look, "nobody asked")
    var asked = pilot(leader(since: 7))
    _ = asked.saw(condition([1 << 30, nil, 0]), now: 1)
    #expect(asked.next == .look, "one copy of the two that must have everything is near")
    _ = asked.saw(condition([100, nil, 0]), now: 2)
    #expect(isPaused(asked) == true)
  }

  @Test func itSaysOnlyWhatIsSoAfterThePause() {
    var pilot = pilot(leader(since: 7))
    #expect(pilot.saw(condition([0, 0, 0]), now: 1).isEmpty, "writes came until now")
    pilot.took(pilot.next)
    #expect(pilot.saw(condition([0, 5, 0]), now: 100).isEmpty, "the third may come in a moment")
    #expect(pilot.saw(condition([0, 0, 0]), now: 200) == [.splitReady([1, 2, 3])])
  }

  @Test func copiesThatStayBehindAreNotWaitedForLong() {
    var pilot = pilot(leader(since: 7))
    _ = pilot.saw(condition([0, 0, 0]), now: 1)
    pilot.took(pilot.next)
    #expect(pilot.saw(condition([0, nil, 0]), now: 900).isEmpty)
    #expect(pilot.saw(condition([0, nil, 0]), now: 1200) == [.splitReady([1, 3])])
  }

  @Test func whatWasSaidKeepsItPausedUntilItHearsMore() {
    var pilot = pilot(leader(since: 7))
    _ = pilot.saw(condition([0, 0, 0]), now: 1)
    pilot.took(pilot.next)
    #expect(!pilot.saw(condition([0, 0, 0]), now: 2).isEmpty)
    _ = pilot.saw(condition([nil, nil, nil]), now: 60_000)
    #expect(pilot.next == .look, "it stays as it is: paused")
    pilot.assign(leader())
    #expect(isPaused(pilot) == false, "it was told to go on")
    pilot.took(pilot.next)
    pilot.assign(leader(since: 9))
    #expect(pilot.saw(condition([0, 0, 0]), now: 60_001).isEmpty, "it is asked anew, and must pause anew")
  }

  @Test func aPauseThatComesToNothingIsGivenUpForAWhile() {
    var pilot = pilot(leader(since: 7))
    _ = pilot.saw(condition([9, 9, 9]), now: 1)
    pilot.took(pilot.next)
    _ = pilot.saw(condition([9, 9, 9]), now: 1 + ReplicaPilot.splitPauseMax)
    #expect(isPaused(pilot) == false)
    pilot.took(pilot.next)
    _ = pilot.saw(condition([9, 9, 9]), now: 2 + ReplicaPilot.splitPauseMax)
    #expect(pilot.next == .look, "not at once again")
    _ = pilot.saw(condition([9, 9, 9]), now: 1 + 3 * ReplicaPilot.splitPauseMax)
    #expect(isPaused(pilot) == true)
  }

  @Test func aCopyFollowsItsParentAndALeaderForgetsWhatIsNotItsOwn() {
    var copy = Assignment()
    (copy.shard, copy.parent, copy.role, copy.epoch) = (9, 1, .learner, 4)
    copy.links.source = ReplicaLink()
    copy.links.source?.address = "h:1"
    var child = ReplicaPilot(copy)
    _ = child.opened()
    guard case .follow(let following) = child.next else {
      Issue.record("it copies: \(child.next)")
      return
    }
    #expect(following.parent == 1 && following.epoch == 4)
    var owner = leader(epoch: 5)
    (owner.split, owner.links.copies, owner.shard) = (nil, [], 9)
    (owner.range, owner.mustPrune) = (KeyRange(residue: 3, modulus: 4), true)
    child.assign(owner)
    guard case .lead(let leadership) = child.next else {
      Issue.record("it leads: \(child.next)")
      return
    }
    let keys = HostedKeys(residue: 3, modulus: 4)
    #expect(leadership.keys == keys)
    child.took(child.next)
    #expect(child.next == .look)
    #expect(child.saw(condition([], epoch: 5), now: 1).isEmpty, "nothing was forgotten yet")
    #expect(child.next == .prune(keys))
    _ = child.pruned(false)
    #expect(child.next == .look, "between two parts of it the replica is looked at")
    _ = child.saw(condition([], epoch: 5), now: 2)
    #expect(child.failed(.prune(keys), HostProblem.notNow("locked"), now: 9_000).isEmpty, "that costs no leadership")
    _ = child.saw(condition([], epoch: 5), now: 9_001)
    _ = child.pruned(true)
    var behind = condition([], epoch: 5)
    behind.followers[1].hasEverything = false
    #expect(child.saw(behind, now: 9_002).isEmpty, "who may lead next must have forgotten too")
    #expect(child.saw(condition([], epoch: 5), now: 9_003) == [.pruned])
    #expect(child.next == .look)
  }

  @Test func theHashIsThatOfRoutes() {
    for text in [
      "", "a", "hello", "0123456789abcde", "0123456789abcdef", "0123456789abcdef0",
      "a longer key of 40 bytes, or somewhat so",
    ] {
      let key = Array(text.utf8)
      #expect(HostedKeys.hash(of: key) == KeyHash.hash(of: key), "\(text)")
    }
  }
}
