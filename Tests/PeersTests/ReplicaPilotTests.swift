import MusterCluster
import MusterHosting
import MusterPeers
import MusterProtocol
import Testing

@Suite struct ReplicaPilotTests {
  private func assignment(_ role: ReplicaRole, epoch: UInt32 = 1) -> Assignment {
    var assignment = Assignment()
    assignment.shard = 1
    assignment.collection = "c"
    assignment.role = role
    assignment.epoch = epoch
    assignment.isOpened = true
    assignment.isInSync = true
    assignment.minInSync = 2
    if role == .leader {
      for node in [NodeID(2), 3] {
        var follower = Follower()
        (follower.node, follower.name) = (node, "n\(node)")
        (follower.isOpened, follower.isInSync, follower.isAlive) = (true, true, true)
        assignment.followers.append(follower)
        var link = ReplicaLink()
        (link.node, link.name, link.address, link.isReader) = (node, "n\(node)", "h:\(node)", true)
        assignment.links.others.append(link)
      }
    } else {
      var source = ReplicaLink()
      (source.node, source.name, source.address) = (1, "n1", "h:1")
      assignment.links.source = source
    }
    return assignment
  }

  private func opened(_ assignment: Assignment) -> ReplicaPilot {
    var pilot = ReplicaPilot(assignment)
    #expect(pilot.next == .open(mustExist: true))
    _ = pilot.opened()
    return pilot
  }

  /// Leads, and has looked once.
  private func leading(_ assignment: Assignment, has: [NodeID] = [2, 3]) -> ReplicaPilot {
    var pilot = opened(assignment)
    pilot.took(pilot.next)
    _ = pilot.saw(leader(assignment.epoch, has), now: 0)
    return pilot
  }

  private func leader(_ epoch: UInt32, _ has: [NodeID]) -> ReplicaCondition {
    ReplicaCondition(
      role: .leading(epoch: epoch),
      followers: has.map { FollowerProgress(node: "n\($0)", hasEverything: true, lag: 0) })
  }

  @Test func aLeaderCountsItsReadersAndNeedsOneLessThanTheMinimum() {
    let pilot = opened(assignment(.leader))
    guard case .lead(let leadership) = pilot.next else {
      Issue.record("it does not lead: \(pilot.next)")
      return
    }
    #expect(leadership.acknowledgements == 1)
    #expect(leadership.followers.map(\.isCounted) == [true, true])
  }

  @Test func whatIsOtherThanItWasToldIsToldAgain() {
    var pilot = leading(assignment(.leader))
    #expect(pilot.next == .look)
    _ = pilot.saw(ReplicaCondition(role: .idle), now: 1)
    guard case .lead = pilot.next else {
      Issue.record("its process was started anew, and it does not lead again: \(pilot.next)")
      return
    }
  }

  @Test func aPositionIsToldOnlyOfThePromisedEpoch() {
    var election = assignment(.follower, epoch: 4)
    election.isElecting = true
    var pilot = opened(election)
    #expect(pilot.next == .promise(epoch: 4))
    #expect(pilot.promised(3, HostPosition(history: 9, offset: 9)).isEmpty)
    let news = pilot.promised(4, HostPosition(history: 7, offset: 8))
    #expect(news == [.position(ReplicaPosition(shard: 1, epoch: 4, history: 7, offset: 8))])
    #expect(pilot.next == .look)
    election.epoch = 5
    pilot.assign(election)
    #expect(pilot.next == .promise(epoch: 5))
  }

  @Test func aReplicaThatLeavesIsCountedNoMoreBeforeTheLeaderSaysSo() {
    var leaving = assignment(.leader)
    leaving.followers[0].isLeaving = true
    var pilot = leading(assignment(.leader))
    pilot.assign(leaving)
    #expect(pilot.saw(leader(1, [2, 3]), now: 1).isEmpty, "first it must not count it any more")
    guard case .lead(let leadership) = pilot.next else {
      Issue.record("it still counts it: \(pilot.next)")
      return
    }
    #expect(leadership.followers.map(\.isCounted) == [false, true])
    pilot.took(pilot.next)
    #expect(pilot.saw(leader(1, [2]), now: 2).isEmpty, "those that stay must have everything")
    #expect(pilot.saw(leader(1, [3]), now: 3) == [.follower(leaving.followers[0], isInSync: false)])
  }

  @Test func aWordThatMayBeOnItsWayIsNotTakenBack() {
    var leaving = assignment(.leader)
    leaving.followers[0].isLeaving = true
    var pilot = leading(assignment(.leader))
    pilot.assign(leaving)
    _ = pilot.saw(leader(1, [2, 3]), now: 1)
    pilot.took(pilot.next)
    #expect(pilot.saw(leader(1, [3]), now: 2) == [.follower(leaving.followers[0], isInSync: false)])
    // It stays after all, but the control plane may take it for gone at any moment.
    pilot.assign(assignment(.leader))
    let stays = assignment(.leader).followers[0]
    #expect(pilot.saw(leader(1, [2, 3]), now: 3) == [.follower(stays, isInSync: false)])
    #expect(pilot.next == .look, "it is counted no more")
    var known = assignment(.leader)
    known.followers[0].isInSync = false
    pilot.assign(known)
    #expect(pilot.next != .look)
    pilot.took(pilot.next)
    #expect(pilot.saw(leader(1, [2, 3]), now: 4) == [.follower(known.followers[0], isInSync: true)])
    pilot.assign(assignment(.leader))
    guard case .lead(let leadership) = pilot.next else {
      Issue.record("it is not counted again: \(pilot.next)")
      return
    }
    #expect(leadership.followers.map(\.isCounted) == [true, true])
  }

  @Test func noMoreAreSparedThanTheMinimumAllows() {
    var dead = assignment(.leader)
    dead.followers[0].isAlive = false
    dead.followers[1].isAlive = false
    var pilot = leading(assignment(.leader))
    pilot.assign(dead)
    var taken: ReplicaPilot.Step?
    for now in 1..<4 {
      _ = pilot.saw(leader(1, []), now: UInt64(now))
      if pilot.next != .look {
        taken = pilot.next
        pilot.took(pilot.next)
      }
    }
    guard case .lead(let leadership)? = taken else {
      Issue.record("it spares nobody: \(pilot.next)")
      return
    }
    #expect(leadership.followers.map(\.isCounted) == [false, true])
  }

  @Test func whereEveryoneMustHaveEachWriteThatHoldsUntilSomebodyIsKnownToBeGone() {
    var dead = assignment(.leader)
    dead.minInSync = 0
    var pilot = leading(dead)
    dead.followers[0].isAlive = false
    pilot.assign(dead)
    #expect(pilot.saw(leader(1, [3]), now: 1).isEmpty)
    #expect(pilot.saw(leader(1, [3]), now: 2) == [.follower(dead.followers[0], isInSync: false)])
    #expect(pilot.next == .look, "the one that seems dead could be elected alone: it still must have every write")
    dead.followers[0].isInSync = false
    pilot.assign(dead)
    guard case .lead(let leadership) = pilot.next else {
      Issue.record("it waits for who is gone: \(pilot.next)")
      return
    }
    #expect(leadership.acknowledgements == 1)
  }

  @Test func aFollowerIsInSyncOnceItHasEverything() {
    var behind = assignment(.leader)
    behind.followers[1].isInSync = false
    var pilot = opened(behind)
    pilot.took(pilot.next)
    #expect(pilot.saw(leader(1, [2]), now: 0).isEmpty)
    #expect(pilot.saw(leader(1, [2, 3]), now: 1) == [.follower(behind.followers[1], isInSync: true)])
  }

  @Test func whereEveryoneMustHaveEachWriteNoneIsTakenWhileSomebodyIsAdmitted() {
    var behind = assignment(.leader)
    behind.minInSync = 0
    behind.followers[1].isInSync = false
    behind.links.others[1].isReader = false
    var pilot = opened(behind)
    pilot.took(pilot.next)
    #expect(pilot.saw(leader(1, [2, 3]), now: 0).isEmpty, "it could be elected alone before the leader counts it")
    guard case .lead(let leadership) = pilot.next else {
      Issue.record("it does not pause: \(pilot.next)")
      return
    }
    #expect(leadership.isPaused)
    pilot.took(pilot.next)
    #expect(pilot.saw(leader(1, [2]), now: 1).isEmpty, "it no longer has everything")
    #expect(pilot.saw(leader(1, [2, 3]), now: 2) == [.follower(behind.followers[1], isInSync: true)])
    behind.followers[1].isInSync = true
    pilot.assign(behind)
    guard case .lead(let counted) = pilot.next else {
      Issue.record("it stays paused")
      return
    }
    #expect(!counted.isPaused && counted.acknowledgements == 2)
  }

  @Test func anEpochThatIsOverIsNotLedAgainAndTheControlPlaneHearsOfIt() {
    var pilot = leading(assignment(.leader, epoch: 3))
    pilot.assign(assignment(.leader, epoch: 2))
    #expect(pilot.next == .look)
    #expect(pilot.saw(leader(3, [2, 3]), now: 1) == [.lost(isGone: false)])
    #expect(pilot.problem == "epoch 2 is over: it knows of epoch 3")
    pilot.assign(assignment(.leader, epoch: 4))
    guard case .lead(let leadership) = pilot.next else {
      Issue.record("it does not lead the new epoch: \(pilot.next)")
      return
    }
    #expect(leadership.epoch == 4)
  }

  @Test func anEpochThatIsOverIsNotFollowedAndOneToComeIsPromised() {
    var pilot = opened(assignment(.follower, epoch: 3))
    pilot.took(pilot.next)
    pilot.assign(assignment(.follower, epoch: 2))
    #expect(pilot.next == .look, "it would throw away what was acknowledged since")
    #expect(pilot.saw(ReplicaCondition(role: .following(isAttached: true)), now: 1).isEmpty)
    var election = assignment(.follower, epoch: 4)
    election.isElecting = true
    pilot.assign(election)
    #expect(pilot.next == .promise(epoch: 4))
    pilot.assign(assignment(.leader, epoch: 3))
    #expect(pilot.next == .look, "it promised to take nothing of epoch 3 any more")
  }

  /// A process that was started anew knows only what its database says of itself.
  @Test func anEpochThatItsDatabaseIsAheadOfIsNotLed() {
    var pilot = opened(assignment(.leader, epoch: 2))
    pilot.took(pilot.next)
    #expect(pilot.saw(leader(3, [2, 3]), now: 0) == [.lost(isGone: false)])
    #expect(pilot.next == .look)
  }

  @Test func whomElectionsDoNotAskMakesNoWriteCount() {
    var alone = assignment(.leader)
    for place in alone.followers.indices { alone.followers[place].isInSync = false }
    guard case .lead(let first) = opened(alone).next else { return }
    #expect(!first.isPaused, "nobody else could be elected: whoever copies may acknowledge")
    var stranger = assignment(.leader)
    stranger.followers[0].isAlive = false
    stranger.followers[1].isInSync = false
    guard case .lead(let second) = opened(stranger).next else { return }
    #expect(second.isPaused, "the one that is down could be elected without what the other acknowledged")
    #expect(second.followers.map(\.isCounted) == [true, false], "nor may what was written before count")
    #expect(second.followers.map(\.isStranger) == [false, true])
    stranger.minInSync = 0
    guard case .lead(let everyone) = opened(stranger).next else { return }
    #expect(everyone.isPaused, "where everyone must have each write it is the same")
    stranger.minInSync = 1
    guard case .lead(let only) = opened(stranger).next else { return }
    #expect(!only.isPaused, "a leader whose own word is enough needs nobody")
    stranger.minInSync = 2
    stranger.links.others[1].isReader = false
    guard case .lead(let third) = opened(stranger).next else { return }
    #expect(!third.isPaused)
  }

  @Test func aRaisedMinimumHoldsOnceTheLeaderGoesByItAndAsManyHaveEverything() {
    var pilot = leading(assignment(.leader))
    var raised = assignment(.leader)
    (raised.minInSync, raised.minimumRaise, raised.mustHoldMinimum) = (3, 1, true)
    pilot.assign(raised)
    #expect(pilot.saw(leader(1, [2, 3]), now: 1).isEmpty, "it goes by the old minimum still")
    guard case .lead(let leadership) = pilot.next else {
      Issue.record("it is not told of the new minimum: \(pilot.next)")
      return
    }
    #expect(leadership.acknowledgements == 2)
    pilot.took(pilot.next)
    #expect(pilot.saw(leader(1, [2]), now: 2).isEmpty, "only two of three have everything")
    #expect(pilot.saw(leader(1, [2, 3]), now: 3) == [.minimumHeld])
    raised.mustHoldMinimum = false
    pilot.assign(raised)
    #expect(pilot.saw(leader(1, [2, 3]), now: 4).isEmpty, "it was said")
  }

  @Test func theLeadershipIsYieldedOnlyAfterTheLastWriteWasTaken() {
    var pilot = leading(assignment(.leader))
    var asked = assignment(.leader)
    (asked.heir, asked.heirSince) = (3, 8)
    pilot.assign(asked)
    #expect(pilot.saw(leader(1, [2, 3]), now: 1).isEmpty, "writes are still taken")
    guard case .lead(let leadership) = pilot.next else {
      Issue.record("it does not pause: \(pilot.next)")
      return
    }
    #expect(leadership.isPaused)
    pilot.took(pilot.next)
    #expect(pilot.saw(leader(1, [2]), now: 2).isEmpty, "the heir has not everything")
    #expect(pilot.saw(leader(1, [3]), now: 3) == [.yielded])
    pilot.assign(assignment(.leader))
    guard case .lead(let again) = pilot.next else {
      Issue.record("it stays paused")
      return
    }
    #expect(!again.isPaused)
  }

  @Test func aLeaderThatFailsForLongGivesWay() {
    var pilot = leading(assignment(.leader))
    let problem = HostProblem.notNow("it hangs")
    #expect(pilot.failed(.look, problem, now: 100).isEmpty)
    #expect(pilot.failed(.look, problem, now: 100 + ReplicaPilot.patience - 1).isEmpty)
    #expect(pilot.failed(.look, problem, now: 100 + ReplicaPilot.patience) == [.lost(isGone: false)])
    #expect(pilot.problem == "it hangs")
    var lost = opened(assignment(.leader))
    #expect(
      lost.failed(lost.next, HostProblem.dataLost("gone"), now: 0) == [.lost(isGone: true)],
      "lost data is not waited for")
    var asked = assignment(.follower, epoch: 2)
    var copying = opened(asked)
    #expect(copying.failed(copying.next, HostProblem.dataLost("gone"), now: 0).isEmpty, "it is copied anew")
    asked.isElecting = true
    var electing = opened(asked)
    #expect(
      electing.failed(electing.next, HostProblem.dataLost("gone"), now: 0) == [.lost(isGone: true)],
      "no election waits for it")
    var follower = opened(assignment(.follower))
    #expect(follower.failed(.look, problem, now: 1_000_000).isEmpty)
  }

  @Test func aFollowerSaysOnceThatItsDataIsGone() {
    var told = assignment(.follower)
    told.isInSync = true
    var pilot = opened(told)
    pilot.took(pilot.next)
    let empty = ReplicaCondition(role: .following(isAttached: false), isEmptied: true)
    #expect(pilot.saw(empty, now: 0) == [.lost(isGone: true)])
    told.isEmptied = true
    pilot.assign(told)
    #expect(pilot.saw(empty, now: 1).isEmpty, "it is known")
    told.isInSync = false
    told.isEmptied = false
    pilot.assign(told)
    #expect(pilot.saw(empty, now: 2).isEmpty, "nobody counts on it")
  }

  @Test func whoBeginsAnewThrowsAwayWhatIsThereAndLeadsOnlyWhenThatIsKnown() {
    var told = assignment(.follower)
    told.isOpened = true
    var pilot = opened(told)
    (told.role, told.epoch, told.isInSync, told.isOpened) = (.leader, told.epoch + 1, true, false)
    (told.isEmptied, told.beginsEmpty, told.followers) = (true, true, [])
    pilot.assign(told)
    #expect(pilot.next == .drop && !pilot.isReady)
    #expect(pilot.dropped().isEmpty)
    #expect(pilot.next == .open(mustExist: false))
    #expect(pilot.opened() == [.opened])
    #expect(pilot.next == .look, "a write would be thrown away after a crash")
    // An agent that was started anew before its word was heard does it once more.
    var other = ReplicaPilot(told)
    #expect(other.next == .open(mustExist: false))
    #expect(other.opened().isEmpty)
    #expect(other.next == .drop)
    (told.isOpened, told.isEmptied, told.beginsEmpty) = (true, false, false)
    pilot.assign(told)
    guard case .lead(let leadership) = pilot.next else {
      Issue.record("it does not lead: \(pilot.next)")
      return
    }
    #expect(leadership.epoch == told.epoch)
  }

  @Test func aLeaderSaysWhenWhoLostItsDataHasEverythingAgain() {
    var told = assignment(.leader)
    told.followers[0].isEmptied = true
    var pilot = leading(told, has: [3])
    #expect(pilot.saw(leader(1, [3]), now: 1).isEmpty)
    #expect(pilot.saw(leader(1, [2, 3]), now: 2) == [.follower(told.followers[0], isInSync: true)])
    var book = AssignmentBook()
    var item = AssignmentsItem()
    item.assigned = [told]
    _ = book.apply(item)
    book.note(told, follower: told.followers[0], isInSync: true)
    #expect(book.nextReport(node: 1, incarnation: 1)?.followers.map(\.isInSync) == [true])
    #expect(!book.canSpare(told.followers[1], of: told) || told.minInSync < 2, "who lost its data takes nobody's place")
  }

  @Test func whatIsToBeRebuiltIsWipedOnceAndOpenedAgain() {
    var pilot = opened(assignment(.follower))
    pilot.took(pilot.next)
    _ = pilot.saw(ReplicaCondition(role: .following(isAttached: true)), now: 0)
    var rebuilt = assignment(.follower)
    (rebuilt.isOpened, rebuilt.isInSync) = (false, false)
    pilot.assign(rebuilt)
    #expect(pilot.next == .wipe)
    #expect(!pilot.isReady)
    #expect(pilot.wiped() == [.opened])
    pilot.assign(rebuilt)
    guard case .follow = pilot.next else {
      Issue.record("it is wiped again: \(pilot.next)")
      return
    }
  }

  @Test func whatWasNotYetSaidToBeOpenIsNotWiped() {
    var fresh = assignment(.follower)
    fresh.isOpened = false
    var pilot = ReplicaPilot(fresh)
    #expect(pilot.opened() == [.opened])
    pilot.assign(fresh)
    #expect(pilot.next != .wipe)
  }
}
