import MusterCluster
import MusterHosting
import MusterPeers
import MusterProtocol
import Testing

/// What pilots make of a merge: who copies, who pauses, and what they say.
@Suite struct MergePilotTests {
  private func order(_ step: MoveStep, since: Revision, isAbsorbed: Bool) -> MergeOrder {
    var order = MergeOrder()
    (order.absorbed, order.isAbsorbed, order.step, order.since, order.epoch) = (9, isAbsorbed, step, since, 4)
    order.range = KeyRange(residue: 3, modulus: 4)
    return order
  }

  private func leader(_ order: MergeOrder?, minInSync: UInt32 = 2, epoch: UInt32 = 1) -> Assignment {
    var assignment = Assignment()
    (assignment.shard, assignment.role, assignment.epoch) = (order?.isAbsorbed == true ? 9 : 1, .leader, epoch)
    (assignment.isOpened, assignment.isInSync, assignment.minInSync) = (true, true, minInSync)
    assignment.range = KeyRange(residue: 1, modulus: 4)
    for node in [NodeID(2), 3] {
      var follower = Follower()
      (follower.node, follower.name, follower.isOpened, follower.isAlive) = (node, "n\(node)", true, true)
      follower.isInSync = true
      assignment.followers.append(follower)
      var link = ReplicaLink()
      (link.node, link.name, link.address, link.isReader) = (node, "n\(node)", "h:\(node)", true)
      assignment.links.others.append(link)
    }
    assignment.merge = order
    if order?.isAbsorbed == false {
      var link = ReplicaLink()
      (link.node, link.name, link.address) = (7, "n7", "h:97")
      assignment.links.absorbed = link
    }
    return assignment
  }

  /// - Parameter has: which followers have everything.
  private func condition(_ has: [Bool] = [true, true], epoch: UInt32 = 1, isFencing: Bool = false) -> ReplicaCondition {
    ReplicaCondition(
      role: .leading(epoch: epoch),
      followers: [2, 3].map { FollowerProgress(node: "n\($0)", hasEverything: has[$0 - 2], lag: has[$0 - 2] ? 0 : 5) },
      isFencing: isFencing)
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

  private func absorption(_ pilot: ReplicaPilot) -> HostedAbsorption? {
    if case .absorb(let absorption) = pilot.next { absorption } else { nil }
  }

  // MARK: The absorbed shard

  @Test func anAbsorbedShardServesOnUntilItIsAskedToPause() {
    var pilot = pilot(leader(order(.copying, since: 5, isAbsorbed: true)))
    #expect(pilot.saw(condition(), now: 1).isEmpty && pilot.next == .look)
    pilot.assign(leader(order(.pausing, since: 7, isAbsorbed: true)))
    #expect(isPaused(pilot) == true)
    #expect(pilot.saw(condition(), now: 2).isEmpty, "it took writes until now")
    pilot.took(pilot.next)
    #expect(pilot.saw(condition(isFencing: true), now: 3).isEmpty, "the leader before it may take writes")
    #expect(pilot.saw(condition(), now: 4) == [.paused])
    pilot.assign(leader(order(.absorbing, since: 8, isAbsorbed: true)))
    #expect(pilot.next == .look, "it stays paused")
    #expect(pilot.saw(condition(), now: 60_000).isEmpty)
    #expect(pilot.next == .look, "until it hears more")
    pilot.assign(leader(order(.copying, since: 9, isAbsorbed: true)))
    #expect(isPaused(pilot) == false)
  }

  @Test func anAgentThatIsStartedAnewKeepsTheWordOfTheOneBefore() {
    var fresh = ReplicaPilot(leader(order(.absorbing, since: 8, isAbsorbed: true)))
    _ = fresh.opened()
    #expect(isPaused(fresh) == true, "its word may be answered by the cut at any moment")
  }

  // MARK: The survivor

  @Test func aSurvivorCopiesBetweenItsLooksAndSaysWhenLittleIsLeft() throws {
    var pilot = pilot(leader(order(.copying, since: 5, isAbsorbed: false)))
    #expect(pilot.next == .look)
    _ = pilot.saw(condition(), now: 1)
    let wanted = try #require(absorption(pilot))
    #expect(wanted.shard == 9 && wanted.epoch == 4 && wanted.pause == 0 && wanted.source.address == "h:97")
    #expect(wanted.keys == HostedKeys(residue: 3, modulus: 4) && wanted.own == HostedKeys(residue: 1, modulus: 4))
    _ = pilot.absorbed(wanted, .copying)
    #expect(pilot.next == .look && pilot.saw(condition(), now: 2).isEmpty)
    _ = pilot.absorbed(wanted, .near)
    #expect(pilot.saw(condition([false, false]), now: 3) == [.absorbed(hasEverything: false)])
    #expect(absorption(pilot) == wanted, "what changes is copied meanwhile")
    #expect(pilot.failed(.absorb(wanted), HostProblem.notNow("its link broke"), now: 90_000).isEmpty)
    _ = pilot.saw(condition(), now: 90_001)
    #expect(pilot.saw(condition(), now: 90_002).isEmpty, "it begins anew")
    #expect(pilot.problem == "its link broke", "looks do not hide what is wrong")
    _ = pilot.absorbed(wanted, .copying)
    _ = pilot.saw(condition(), now: 90_003)
    #expect(pilot.problem.isEmpty)
  }

  @Test func aSurvivorHasEverythingOnlyWithItsFollowers() throws {
    var pilot = pilot(leader(order(.absorbing, since: 8, isAbsorbed: false)))
    _ = pilot.saw(condition(), now: 1)
    let wanted = try #require(absorption(pilot))
    #expect(wanted.pause == 8)
    _ = pilot.absorbed(wanted, .near)
    #expect(pilot.saw(condition(), now: 2).isEmpty)
    _ = pilot.absorbed(wanted, .complete)
    #expect(pilot.next == .look)
    #expect(pilot.saw(condition([false, false]), now: 3).isEmpty, "nobody acknowledged what it copied")
    #expect(pilot.saw(condition([false, true]), now: 4) == [.absorbed(hasEverything: true)], "two acknowledge a write")
    #expect(pilot.next == .look, "nothing is left to copy")
    var all = self.pilot(leader(order(.absorbing, since: 8, isAbsorbed: false), minInSync: 0))
    _ = all.saw(condition(), now: 1)
    _ = all.absorbed(wanted, .complete)
    #expect(all.saw(condition([false, true]), now: 2).isEmpty, "everyone acknowledges a write")
    #expect(all.saw(condition(), now: 3) == [.absorbed(hasEverything: true)])
  }

  @Test func whatWasCopiedForAnotherPauseIsNoWordForThisOne() throws {
    var pilot = pilot(leader(order(.absorbing, since: 8, isAbsorbed: false)))
    _ = pilot.saw(condition(), now: 1)
    let first = try #require(absorption(pilot))
    pilot.assign(leader(order(.absorbing, since: 12, isAbsorbed: false)))
    _ = pilot.absorbed(first, .complete)
    #expect(pilot.saw(condition(), now: 2).isEmpty, "the source took writes since")
    #expect(absorption(pilot)?.pause == 12)
    let second = try #require(absorption(pilot))
    _ = pilot.absorbed(second, .complete)
    pilot.assign(leader(order(.absorbing, since: 12, isAbsorbed: false), epoch: 2))
    pilot.took(pilot.next)
    #expect(pilot.saw(condition(epoch: 2), now: 3).isEmpty, "in another epoch it copies anew")
  }

  @Test func afterAPauseThatWasGivenUpItRests() throws {
    var pilot = pilot(leader(order(.absorbing, since: 8, isAbsorbed: false)))
    _ = pilot.saw(condition(), now: 1)
    pilot.assign(leader(order(.copying, since: 9, isAbsorbed: false)))
    let wanted = try #require(absorption(pilot))
    _ = pilot.absorbed(wanted, .near)
    #expect(pilot.saw(condition(), now: 10).isEmpty)
    #expect(pilot.saw(condition(), now: 10 + 2 * ReplicaPilot.splitPauseMax) == [.absorbed(hasEverything: false)])
  }

  @Test func thereIsNothingToCopyWhileNobodyKnowsWhere() {
    var assignment = leader(order(.copying, since: 5, isAbsorbed: false))
    assignment.links.absorbed = nil
    var pilot = pilot(assignment)
    _ = pilot.saw(condition(), now: 1)
    #expect(pilot.next == .look)
  }

  @Test func wordsNameWhatTheySpeakOf() throws {
    for (step, isAbsorbed) in [(MoveStep.pausing, true), (.copying, false), (.absorbing, false)] {
      var book = AssignmentBook()
      var item = AssignmentsItem()
      let assignment = leader(order(step, since: 11, isAbsorbed: isAbsorbed), epoch: 3)
      item.assigned = [assignment]
      _ = book.apply(item)
      if isAbsorbed { book.paused(assignment) } else { book.absorbed(assignment, hasEverything: step == .absorbing) }
      let next = book.nextReport(node: 1, incarnation: 1)
      let report = try #require(next)
      #expect(report.cause == 11)
      if isAbsorbed {
        #expect(report.pauses == [PauseWord(shard: 9, epoch: 3, since: 11)])
      } else {
        let isEnd = step == .absorbing
        #expect(
          report.absorbs
            == [AbsorbWord(shard: 1, epoch: 3, since: 11, absorbedEpoch: isEnd ? 4 : 0, hasEverything: isEnd)])
      }
      book.reported(report)
      #expect(book.nextReport(node: 1, incarnation: 1) == nil)
      book.absorbed(assignment, hasEverything: step != .absorbing)
      #expect(book.nextReport(node: 1, incarnation: 1) == nil, "that is not asked")
    }
  }
}
