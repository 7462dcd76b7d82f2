internal import MusterBytes
internal import MusterCluster
package import MusterHosting
internal import MusterProtocol

// A shard that goes into another, and the one that copies its keys.

extension ReplicaPilot {
  mutating func reassign(_ fresh: MergeOrder?) {
    (absorption, absorptionProblem) = (nil, "")
    let isSame = fresh?.absorbed == assignment.merge?.absorbed
    if !isSame { (mustRest, mergeNotBefore) = (false, 0) }
    if isSame, fresh?.step == .copying, assignment.merge?.step != .copying { mustRest = true }
  }

  /// The shard goes into another, and takes no writes: from when it is asked until it hears that it may go on. Who is told
  /// only that its word was noted, because its agent was started anew, must not take any either.
  var isAbsorbed: Bool {
    guard let order = assignment.merge, order.isAbsorbed else { return false }
    return order.step != .copying
  }

  /// What is to be copied of a shard that goes into this one.
  var absorbing: HostedAbsorption? {
    guard let order = assignment.merge, !order.isAbsorbed, let keys, let link = assignment.links.absorbed,
      !link.address.isEmpty
    else { return nil }
    return HostedAbsorption(
      shard: order.absorbed, source: Peer(node: link.name, address: link.address), epoch: order.epoch,
      keys: ReplicaPilot.keys(order.range), own: keys, pause: order.step == .absorbing ? order.since : 0)
  }

  package mutating func absorbed(_ told: HostedAbsorption, _ progress: AbsorptionProgress) -> [News] {
    condition = nil
    // Something else may have been said meanwhile.
    if told == absorbing { (absorption, absorptionProblem) = (progress, "") }
    return []
  }

  mutating func merge(_ seen: ReplicaCondition, _ now: UInt64) -> [News] {
    guard let order = assignment.merge else { return [] }
    if order.isAbsorbed { return order.step == .pausing && !seen.isFencing ? [.paused] : [] }
    if mustRest { (mustRest, mergeNotBefore) = (false, now + 2 * ReplicaPilot.splitPauseMax) }
    switch (order.step, absorption) {
    case (.copying, .near), (.copying, .complete):
      return now >= mergeNotBefore ? [.absorbed(hasEverything: false)] : []
    case (.absorbing, .complete):
      let isSafe = isAcknowledged(seen.followers) || Mutant.isOn(.absorbedAlone)
      return isSafe ? [.absorbed(hasEverything: true)] : []
    default: return []
    }
  }

  /// What was written until this look is as safe as what clients were told is safe.
  private func isAcknowledged(_ progress: [FollowerProgress]) -> Bool {
    let inSync = assignment.followers.filter(\.isInSync)
    let counted = assignment.minInSync > 0 ? inSync.filter { !$0.isLearner && !sparing.contains($0.node) } : inSync
    let complete = counted.count { follower in progress.contains { $0.node == follower.name && $0.hasEverything } }
    return complete >= (assignment.minInSync > 0 ? Int(assignment.minInSync) - 1 : inSync.count)
  }
}
