internal import MusterCluster
internal import MusterHosting
package import MusterPeers
internal import MusterProtocol

/// The host of a node's replicas: it does what the real pilot of each says, and answers as a real host would.
extension ModelledData {
  /// Carries out the next step of one replica's pilot.
  ///
  /// - Parameter now: milliseconds of the node's clock.
  /// - Returns: what the control plane should hear.
  package func drive(_ pilot: inout ReplicaPilot, on node: String, _ now: UInt64) -> [ReplicaPilot.News] {
    let step = pilot.next
    let shard = pilot.assignment.shard
    do throws(HostProblem) {
      switch step {
      case .open(let mustExist):
        open(shard, on: node, mustExist: mustExist)
        return pilot.opened()
      case .wipe:
        try opened(shard, on: node).wipe()
        return pilot.wiped()
      case .drop:
        drop(shard, on: node)
        return pilot.dropped()
      case .promise(let epoch): return pilot.promised(epoch, try promise(shard, epoch, on: node))
      case .lead(let leadership): try lead(shard, leadership, on: node)
      case .follow(let following): try follow(shard, following, on: node)
      case .prune(let keys): return pilot.pruned(try prune(shard, keys, on: node))
      case .absorb(let absorption): return pilot.absorbed(absorption, try absorb(shard, absorption, on: node, now))
      case .look: return pilot.saw(try look(shard, on: node, now), now: now)
      }
      pilot.took(step)
      return []
    } catch {
      return pilot.failed(step, error, now: now)
    }
  }

  private func opened(_ shard: ShardID, on node: String) throws(HostProblem) -> ModelledReplica {
    guard let replica = replica(shard, on: node) else { throw .closed("its data is gone") }
    return replica
  }

  private func promise(_ shard: ShardID, _ epoch: UInt32, on node: String) throws(HostProblem) -> HostPosition {
    let replica = try opened(shard, on: node)
    if flaw != .promisesNothing {
      replica.promised = max(replica.promised, epoch)
      replica.role = .idle
      replica.attached = 0
    }
    guard !replica.isIncomplete else { throw .dataLost("its data is gone, and was not copied anew yet") }
    return position(replica)
  }

  private func position(_ replica: ModelledReplica) -> HostPosition {
    HostPosition(history: UInt64(replica.log.last?.epoch ?? 0), offset: UInt64(replica.log.count))
  }

  private func lead(_ shard: ShardID, _ leadership: Leadership, on node: String) throws(HostProblem) {
    let replica = try opened(shard, on: node)
    guard leadership.epoch >= replica.promised else { throw .notNow("it promised epoch \(replica.promised)") }
    guard !replica.isIncomplete else { throw .dataLost("its data is gone, and was not copied anew yet") }
    if replica.leads != leadership.epoch {
      begins(shard, leadership.epoch, replica, on: node)
      replica.begin(mark(leadership.epoch))
    }
    replica.role = .leading(leadership)
  }

  private func follow(_ shard: ShardID, _ following: Following, on node: String) throws(HostProblem) {
    let replica = try opened(shard, on: node)
    guard following.epoch >= replica.promised else { throw .notNow("it promised epoch \(replica.promised)") }
    if case .following(let old) = replica.role, old.epoch != following.epoch || old.source != following.source {
      replica.attached = 0
    }
    replica.role = .following(following)
  }

  private func look(_ shard: ShardID, on node: String, _ now: UInt64) throws(HostProblem) -> ReplicaCondition {
    let replica = try opened(shard, on: node)
    var condition = condition(replica, shard, on: node, now)
    condition.isEmptied = replica.isIncomplete
    return condition
  }

  private func condition(
    _ replica: ModelledReplica, _ shard: ShardID, on node: String, _ now: UInt64
  ) -> ReplicaCondition {
    let position = replica.isIncomplete ? nil : position(replica)
    switch replica.role {
    case .idle: return ReplicaCondition(role: .idle, position: position)
    case .following(let following):
      guard following.source != nil else { return ReplicaCondition(role: .idle, position: position) }
      return ReplicaCondition(role: .following(isAttached: replica.attached == following.epoch), position: position)
    case .leading(let leadership):
      return ReplicaCondition(
        role: .leading(epoch: leadership.epoch), position: position,
        followers: leadership.followers.map { progress(of: $0, shard, replica, leadership, on: node, now) },
        copies: copies(leadership, replica, on: node, now))
    }
  }

  /// What is forgotten is written down like all else, so that followers forget it too.
  private func prune(_ shard: ShardID, _ keys: HostedKeys, on node: String) throws(HostProblem) -> Bool {
    let replica = try opened(shard, on: node)
    guard replica.leads != 0 else { throw .notNow("it does not lead") }
    prunes(shard, keys)
    var record = mark(replica.leads)
    record.kind = .keep(keys)
    replica.take(record)
    replica.absorption = nil
    return true
  }

  /// Copies what differs, a few keys at a time, on the conditions on which the leader takes any write.
  private func absorb(
    _ shard: ShardID, _ absorption: HostedAbsorption, on node: String, _ now: UInt64
  ) throws(HostProblem) -> AbsorptionProgress {
    let replica = try opened(shard, on: node)
    guard case .leading(let leadership) = replica.role, !leadership.isPaused,
      replica.attachedCount(of: leadership.followers.filter(\.isCounted).map(\.peer.node), now)
        >= leadership.acknowledgements
    else { throw .notNow("it takes no writes") }
    let name = absorption.source.node
    guard !frozen.contains(name), reaches(node, name, now), let source = self.replica(absorption.shard, on: name),
      source.leads == absorption.epoch
    else {
      replica.absorption = nil
      throw .notNow("\(name) does not lead shard \(absorption.shard) in epoch \(absorption.epoch)")
    }
    var copy = absorption
    copy.pause = 0
    if replica.absorption != copy {
      replica.absorption = copy
      var record = mark(replica.leads)
      record.kind = .keep(absorption.own)
      if flaw != .forgetsNothing { replica.take(record) }
    }
    let left = copyKeys(replica, source, absorption.keys)
    guard absorption.pause != 0 else { return left <= ModelledData.keysNear ? .near : .copying }
    return left == 0 || flaw == .absorbsEarly ? .complete : .near
  }

  private static let keysPerCall = 12
  private static let keysNear = 8

  /// - Returns: how many keys differ still.
  private func copyKeys(_ replica: ModelledReplica, _ source: ModelledReplica, _ keys: HostedKeys) -> Int {
    let (mine, theirs) = (ModelledContents(replica.log).among(keys), ModelledContents(source.log).among(keys))
    let forgets = flaw != .forgetsNothing
    let gone = forgets ? mine.keys.filter { theirs[$0] == nil && mine[$0]?.kind == .write } : []
    // What was deleted is written down too, so that the oracle sees which delete it was.
    let fresh = theirs.keys.filter { mine[$0]?.number != theirs[$0]?.number && (forgets || theirs[$0]?.kind == .write) }
    for key in (gone + fresh).sorted().prefix(ModelledData.keysPerCall) {
      var record = Record(epoch: replica.leads, number: theirs[key]?.number ?? 0, key: key)
      record.kind = theirs[key]?.kind ?? .delete
      record.isCopy = true
      replica.take(record)
    }
    return max(0, gone.count + fresh.count - ModelledData.keysPerCall)
  }

  private func copies(
    _ leadership: Leadership, _ leader: ModelledReplica, on node: String, _ now: UInt64
  ) -> [FollowerProgress] {
    guard let copies = leadership.copies else { return [] }
    return copies.peers.map { peer in
      guard !frozen.contains(peer.node), reaches(node, peer.node, now),
        let copy = replica(copies.shard, on: peer.node), copy.attached == leadership.epoch
      else { return FollowerProgress(node: peer.node, hasEverything: false, lag: nil) }
      let lag = leader.log.count - min(copy.log.count, leader.log.count)
      return FollowerProgress(node: peer.node, hasEverything: lag == 0 || flaw == .splitsEarly, lag: UInt64(lag))
    }
  }

  /// A leader asks its followers themselves.
  private func progress(
    of follower: HostedFollower, _ shard: ShardID, _ leader: ModelledReplica, _ leadership: Leadership,
    on node: String, _ now: UInt64
  ) -> FollowerProgress {
    let name = follower.peer.node
    guard !frozen.contains(name), reaches(node, name, now), let replica = replica(shard, on: name),
      replica.attached == leadership.epoch
    else { return FollowerProgress(node: name, hasEverything: false, lag: nil) }
    let lag = leader.log.count - min(replica.log.count, leader.log.count)
    let isLie =
      switch flaw {
      case .yieldsEarly: leadership.isPaused
      case .sparesBlindly: follower.isCounted && !leadership.isPaused
      default: false
      }
    return FollowerProgress(node: name, hasEverything: lag == 0 || isLie, lag: UInt64(lag))
  }
}
