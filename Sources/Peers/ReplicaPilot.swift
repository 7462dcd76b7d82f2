internal import MusterBytes
package import MusterCluster
package import MusterHosting
package import MusterProtocol

/// What a host must do next with one replica, so that it becomes what the control plane says. Pure: the agent's shell
/// carries the steps out, one after the other, and tells how they went.
///
/// It looks at what the replica *is*, not at what it was told before: after a crash of anything the next look shows what
/// is to be done again.
package struct ReplicaPilot: Sendable {
  package enum Step: Hashable, Sendable {
    case open(mustExist: Bool)
    case wipe
    /// What is there goes, with the replica itself: it is opened anew after that.
    case drop
    case promise(epoch: UInt32)
    case lead(Leadership)
    case follow(Following)
    case prune(HostedKeys)
    case absorb(HostedAbsorption)
    case look
  }

  /// What the control plane should hear.
  package enum News: Hashable, Sendable {
    case opened
    case position(ReplicaPosition)
    case follower(Follower, isInSync: Bool)
    /// The leadership can go to the heir.
    case yielded
    /// As many as the raised minimum asks for have everything.
    case minimumHeld
    /// Copies on these nodes have everything, and no write is taken any more before the split.
    case splitReady([NodeID])
    /// No keys of other shards are left, here and with those in sync.
    case pruned
    /// No write is taken any more, because another shard absorbs this one.
    case paused
    /// Little is left to copy of the shard that is absorbed, or everything is here and acknowledged.
    case absorbed(hasEverything: Bool)
    /// The replica cannot lead, or not be counted on: its data is gone, or it has not answered for too long.
    case lost(isGone: Bool)
  }

  package private(set) var assignment: Assignment
  package internal(set) var condition: ReplicaCondition?
  package private(set) var problem = ""
  private var isOpen = false
  private var mustWipe = false
  /// A shard that begins anew: the epoch of which it was done.
  private var droppedFor: UInt32?
  /// The last step that gave the replica its role, if it succeeded.
  private var taken: Step?
  private var promised: ReplicaPosition?
  /// The newest epoch that it was told of or saw itself in: whatever came before is over, whoever still speaks of it.
  private var newest: UInt32
  /// Followers that the leader stops counting on: first it counts them no more, then the others must have everything.
  private(set) var sparing: Set<NodeID> = []
  /// Of those the ones of which it was said that they are not in sync: that word may be on its way, and cannot be taken
  /// back. They are counted again only once the control plane knows that they were not, and are again.
  private var dismissed: Set<NodeID> = []
  /// Where everyone must have each write: followers of which the control plane may hear from this leader, or has heard,
  /// that they are in sync, before the leader itself counts them. One of them may be elected alone, so meanwhile no write
  /// is taken that it would not have.
  private var admitting: Set<NodeID> = []
  /// Followers that do not answer, since when.
  private var silent: [NodeID: UInt64] = [:]
  /// Since when steps fail, in milliseconds.
  private var failingSince: UInt64?
  private var isPausing = false
  /// Since when no writes are taken because of a split, in milliseconds, and whether it was said that copies have everything.
  private var splitPause: (since: UInt64, isSaid: Bool)?
  private var splitNotBefore: UInt64 = 0
  /// The host said that no keys of others are left.
  private var isPruned = false
  /// How far the copy of an absorbed shard is.
  var absorption: AbsorptionProgress?
  /// Why it does not get on; empty while it does.
  var absorptionProblem = ""
  /// Its leader was told to go on before everything was here: it is not asked to pause again at once.
  var mustRest = false
  var mergeNotBefore: UInt64 = 0

  /// A pause for a split that does not come to its end so soon is given up, and tried again later; milliseconds.
  package static let splitPauseMax: UInt64 = 3_000
  /// Copies that lag behind enough others are waited for so long.
  private static let splitGrace: UInt64 = 1_000

  /// A leader that fails for so long gives way; a follower that is silent for so long is not counted on; milliseconds.
  package static let patience: UInt64 = 5_000
  /// A leader that hands over stops taking writes once the heir is no further behind than this.
  private static let handOverLag: UInt64 = 1 << 20

  package init(_ assignment: Assignment) {
    self.assignment = assignment
    newest = assignment.epoch
  }

  package mutating func assign(_ fresh: Assignment) {
    // What was open and is to be opened anew is rotten: it is copied from those that are not.
    if assignment.isOpened, !fresh.isOpened, !fresh.isInSync { mustWipe = true }
    if fresh.epoch != assignment.epoch || fresh.role != assignment.role {
      sparing = []
      dismissed = []
      admitting = []
      silent = [:]
      isPausing = false
      splitPause = nil
      isPruned = false
      (absorption, absorptionProblem) = (nil, "")
    }
    if fresh.merge != assignment.merge { reassign(fresh.merge) }
    if fresh.split?.since != assignment.split?.since { (splitPause, splitNotBefore) = (nil, 0) }
    if fresh.range != assignment.range { isPruned = false }
    if fresh.epoch != assignment.epoch { promised = nil }
    assignment = fresh
    newest = max(newest, fresh.epoch)
    sparing = sparing.filter { node in fresh.followers.contains { $0.node == node && $0.isInSync } }
    dismissed.formIntersection(sparing)
    admitting = admitting.filter { node in
      fresh.followers.contains { $0.node == node && !$0.isInSync && $0.isAlive && !$0.isLeaving }
    }
    if fresh.heir == 0 { isPausing = false }
  }

  package var isReady: Bool { isOpen && !mustWipe && (!assignment.beginsEmpty || droppedFor == assignment.epoch) }

  // MARK: Steps

  package var next: Step {
    guard isOpen else { return .open(mustExist: assignment.isOpened) }
    // Until it is known that nothing is here any more it takes no writes: it would throw them away after a crash.
    if assignment.beginsEmpty { return droppedFor == assignment.epoch ? .look : .drop }
    if mustWipe { return .wipe }
    if isOver { return .look }
    let wanted = role
    guard wanted == taken, condition == nil || agrees(wanted) else { return wanted }
    guard condition != nil, case .lead = wanted else { return .look }
    if assignment.mustPrune, !isPruned, let keys { return .prune(keys) }
    if let wanted = absorbing, absorption != .complete { return .absorb(wanted) }
    return .look
  }

  /// It is told to lead or to follow in an epoch that a newer one replaced. Leading, it would acknowledge what the newer
  /// leader does not have; following, it would throw away what that one acknowledged. A promise is only of what comes.
  private var isOver: Bool { !assignment.isElecting && assignment.epoch < newest }

  private var role: Step {
    if assignment.isElecting { return .promise(epoch: assignment.epoch) }
    return assignment.role == .leader ? .lead(leadership) : .follow(following)
  }

  private var leadership: Leadership {
    let followers = assignment.links.others.map { link in
      HostedFollower(
        peer: Peer(node: link.name, address: link.address),
        isCounted: link.isReader && !isSpared(link.node) && !isStranger(link), isStranger: isStranger(link))
    }
    let inSync = assignment.followers.count(where: \.isInSync)
    return Leadership(
      epoch: assignment.epoch,
      acknowledgements: assignment.minInSync > 0 ? Int(assignment.minInSync) - 1 : inSync,
      followers: followers,
      isPaused: isPausing || splitPause != nil || isAbsorbed || followers.contains(where: \.isStranger)
        || !admitting.isEmpty,
      keys: keys,
      copies: copies)
  }

  var keys: HostedKeys? { assignment.range.map(ReplicaPilot.keys) }

  static func keys(_ range: KeyRange) -> HostedKeys {
    HostedKeys(residue: range.residue, modulus: range.modulus)
  }

  /// What is told of a split whose copies copy from here, or from another replica of this shard.
  private var copies: HostedCopies? {
    let links = assignment.links.copies
    guard !links.isEmpty else { return nil }
    return HostedCopies(
      shard: assignment.split?.child ?? 0, peers: links.map { Peer(node: $0.name, address: $0.address) },
      readers: links.filter(\.isReader).map(\.name))
  }

  /// Where a minimum is enough, who leaves makes no write count before the leader says that it is gone. Where everyone
  /// must have each write, anyone may be elected alone until then, and must have it too.
  private func isSpared(_ node: NodeID) -> Bool {
    assignment.minInSync > 0 && sparing.contains(node) && !Mutant.isOn(.sparedStaysCounted)
  }

  /// A replica that elections do not ask copies from the leader, because those that they do ask are all down: what it has
  /// must not count, also for writes that were taken before, and no write is taken until they ask it. None could be
  /// acknowledged otherwise either. Only a leader whose own word is enough needs nobody.
  private func isStranger(_ link: ReplicaLink) -> Bool {
    guard assignment.minInSync != 1, assignment.followers.contains(where: \.hasVoteInSync) else { return false }
    return link.isReader && assignment.followers.contains { $0.node == link.node && !counts($0) }
  }

  /// What it has may make a write count.
  private func counts(_ follower: Follower) -> Bool {
    follower.isInSync && (!follower.isLearner || assignment.minInSync == 0)
  }

  /// One whom elections will ask must have what others acknowledged with the leader that they do not ask: before it is
  /// said that it is in sync no write is taken any more. Where everyone must have each write that is so of everyone.
  private func mustAdmit(_ follower: Follower) -> Bool {
    assignment.minInSync == 0
      || assignment.links.others.contains { link in
        link.isReader && link.node != follower.node
          && assignment.followers.contains { $0.node == link.node && !counts($0) }
      }
  }

  private var following: Following {
    Following(
      epoch: assignment.epoch,
      source: assignment.links.source.map { Peer(node: $0.name, address: $0.address) },
      readers: assignment.links.others.filter(\.isReader).map(\.name),
      parent: assignment.parent == 0 ? nil : assignment.parent, copies: copies)
  }

  /// False when the replica is something else than it was told to be: its process was started anew, for instance.
  private func agrees(_ step: Step) -> Bool {
    switch (step, condition?.role) {
    case (.promise, .idle): promised != nil
    case (.lead(let leadership), .leading(let epoch)): leadership.epoch == epoch
    case (.follow(let following), .following): following.source?.address.isEmpty == false
    case (.follow(let following), .idle): following.source?.address.isEmpty != false
    default: false
    }
  }

  // MARK: Outcomes

  package mutating func opened() -> [News] {
    isOpen = true
    (taken, condition) = (nil, nil)
    return !assignment.isOpened && isReady ? [.opened] : []
  }

  package mutating func dropped() -> [News] {
    droppedFor = assignment.epoch
    (isOpen, mustWipe) = (false, false)
    (taken, condition) = (nil, nil)
    return []
  }

  package mutating func wiped() -> [News] {
    mustWipe = false
    (taken, condition) = (nil, nil)
    return [.opened]
  }

  package mutating func promised(_ epoch: UInt32, _ position: HostPosition) -> [News] {
    taken = .promise(epoch: epoch)
    condition = ReplicaCondition(role: .idle, position: position)
    failingSince = nil
    problem = ""
    guard assignment.isElecting, assignment.epoch == epoch else { return [] }
    let word = ReplicaPosition(
      shard: assignment.shard, epoch: epoch, history: position.history, offset: position.offset)
    promised = word
    return [.position(word)]
  }

  package mutating func took(_ step: Step) { (taken, condition) = (step, nil) }

  /// - Parameter isDone: nothing is left to forget.
  package mutating func pruned(_ isDone: Bool) -> [News] {
    (isPruned, condition) = (isDone, nil)
    return []
  }

  /// - Parameter now: milliseconds of a clock that never jumps.
  package mutating func saw(_ seen: ReplicaCondition, now: UInt64) -> [News] {
    condition = seen
    problem = seen.problem.isEmpty ? absorptionProblem : seen.problem
    if case .leading(let epoch) = seen.role { newest = max(newest, epoch) }
    guard !isOver else {
      problem = "epoch \(assignment.epoch) is over: it knows of epoch \(newest)"
      return assignment.role == .leader ? [.lost(isGone: false)] : []
    }
    // What was just told its role is judged by the look after that.
    guard taken == role, agrees(role) else { return [] }
    failingSince = nil
    guard case .lead = role else { return mourn(seen) }
    return judge(seen.followers, now) + split(seen.copies, now) + prune(seen.followers) + merge(seen, now)
  }

  /// What this replica acknowledged before it lost its data may be nowhere else: who counts on it must hear of it.
  private func mourn(_ seen: ReplicaCondition) -> [News] {
    seen.isEmptied && assignment.isInSync && !assignment.isEmptied ? [.lost(isGone: true)] : []
  }

  package mutating func failed(_ step: Step, _ error: any Error, now: UInt64) -> [News] {
    problem = "\(error)"
    condition = nil
    // What it has too much harms nobody.
    if case .prune = step { return [] }
    // What another has is served there still.
    if case .absorb = step {
      (absorption, absorptionProblem) = (nil, problem)
      return []
    }
    switch error as? HostProblem {
    // A leader gives way, and no election waits for the word of who has none; any other copies anew.
    case .dataLost:
      let isKnown = assignment.isEmptied && !assignment.isInSync
      return assignment.role == .leader || assignment.isElecting && !isKnown ? [.lost(isGone: true)] : []
    case .closed: isOpen = false
    case .notNow, .unknownPosition, nil: break
    }
    let since = failingSince ?? now
    failingSince = since
    guard assignment.role == .leader, !assignment.isElecting, isOpen, now - since >= ReplicaPilot.patience else {
      return []
    }
    failingSince = now
    return [.lost(isGone: false)]
  }

  // MARK: A leader's followers

  private mutating func judge(_ progress: [FollowerProgress], _ now: UInt64) -> [News] {
    var news: [News] = []
    for follower in assignment.followers {
      let seen = progress.first { $0.node == follower.name }
      if seen?.lag != nil {
        silent[follower.node] = nil
      } else if silent[follower.node] == nil {
        silent[follower.node] = now
      }
      if follower.isInSync {
        if follower.isEmptied, follower.isAlive, seen?.hasEverything == true, !dismissed.contains(follower.node) {
          news.append(.follower(follower, isInSync: true))
        }
        if mayStay(follower, now), !dismissed.contains(follower.node) {
          sparing.remove(follower.node)
        } else if !sparing.contains(follower.node) {
          if canSpare(follower) { sparing.insert(follower.node) }
        } else if assignment.followers.allSatisfy({ hasEverything($0, progress) }) {
          if !Mutant.isOn(.wordTakenBack) { dismissed.insert(follower.node) }
          news.append(.follower(follower, isInSync: false))
        }
      } else if follower.isOpened, follower.isAlive, !follower.isLeaving, seen?.hasEverything == true {
        // First no write is taken any more, then it must still have everything.
        if !mustAdmit(follower) || !admitting.insert(follower.node).inserted {
          news.append(.follower(follower, isInSync: true))
        }
      }
    }
    return news + holdMinimum(progress) + handOver(progress)
  }

  /// It goes by the raised minimum since it took its role, so what it acknowledged under another is older than what this
  /// look saw.
  private func holdMinimum(_ progress: [FollowerProgress]) -> [News] {
    guard assignment.mustHoldMinimum else { return [] }
    let counted = assignment.followers.filter { $0.isInSync && !$0.isLearner && !sparing.contains($0.node) }
    let complete = counted.count { follower in progress.contains { $0.node == follower.name && $0.hasEverything } }
    let needed = assignment.minInSync > 0 ? Int(assignment.minInSync) - 1 : counted.count
    return complete >= needed ? [.minimumHeld] : []
  }

  private func mayStay(_ follower: Follower, _ now: UInt64) -> Bool {
    let silence = silent[follower.node].map { now - $0 } ?? 0
    return follower.isAlive && !follower.isLeaving && silence < ReplicaPilot.patience
  }

  /// Enough in sync must stay.
  private func canSpare(_ follower: Follower) -> Bool {
    let others = assignment.followers.count {
      $0.node != follower.node && $0.isInSync && !$0.isEmptied && !$0.isLearner && !sparing.contains($0.node)
    }
    return others + 1 >= max(1, Int(assignment.minInSync))
  }

  /// Those that stay must have what was acknowledged with the help of one that goes.
  private func hasEverything(_ follower: Follower, _ progress: [FollowerProgress]) -> Bool {
    guard follower.isInSync, !sparing.contains(follower.node) else { return true }
    return progress.contains { $0.node == follower.name && $0.hasEverything }
  }

  private mutating func handOver(_ progress: [FollowerProgress]) -> [News] {
    guard assignment.heir != 0, let heir = assignment.followers.first(where: { $0.node == assignment.heir }),
      let seen = progress.first(where: { $0.node == heir.name })
    else { return [] }
    guard isPausing else {
      isPausing = seen.lag.map { $0 <= ReplicaPilot.handOverLag } ?? false
      return []
    }
    return seen.hasEverything || Mutant.isOn(.earlyYield) ? [.yielded] : []
  }

  // MARK: A split

  /// Once enough copies are near no write is taken any more; then they must have everything. What was said cannot be taken
  /// back: who said it takes no write before it hears what became of it.
  private mutating func split(_ progress: [FollowerProgress], _ now: UInt64) -> [News] {
    guard let order = assignment.split, order.since != 0 else { return [] }
    let living = order.copies.filter { $0.isOpened && $0.isAlive }
    let seen = living.map { copy in progress.first { $0.node == copy.name } }
    guard let pause = splitPause else {
      let near = seen.count { $0?.lag.map { $0 <= ReplicaPilot.handOverLag } ?? false }
      if near >= Int(order.needed), near > 0, now >= splitNotBefore { splitPause = (now, false) }
      return []
    }
    let ready = zip(living, seen).filter { $1?.hasEverything == true }.map(\.0.node)
    let isLate = pause.isSaid || now - pause.since >= ReplicaPilot.splitGrace
    if ready.count >= max(1, Int(order.needed)), ready.count == living.count || isLate {
      splitPause?.isSaid = true
      return [.splitReady(ready)]
    }
    if !pause.isSaid, now - pause.since >= ReplicaPilot.splitPauseMax {
      (splitPause, splitNotBefore) = (nil, now + 2 * ReplicaPilot.splitPauseMax)
    }
    return []
  }

  /// Also those who may lead next have forgotten.
  private func prune(_ progress: [FollowerProgress]) -> [News] {
    guard assignment.mustPrune, isPruned else { return [] }
    let isEverywhere = assignment.followers.allSatisfy { follower in
      !follower.isInSync || progress.contains { $0.node == follower.name && $0.hasEverything }
    }
    return isEverywhere ? [.pruned] : []
  }
}

extension Follower {
  /// Elections ask it, and it may be elected.
  fileprivate var hasVoteInSync: Bool { isInSync && !isLearner }
}
