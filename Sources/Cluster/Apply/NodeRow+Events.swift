// What events do to the row of a node, whoever keeps it.

extension NodeRow {
  init(_ event: NodeJoined, _ revision: Revision, _ time: Microseconds) {
    name = event.name
    incarnation = 1
    domain = event.domain
    labels = event.labels
    capacity = event.capacity
    address = event.address
    heartbeatMilliseconds = event.heartbeatMilliseconds
    abilities = event.abilities
    identity = event.identity
    enter(.up, revision, time)
    changed = revision
  }

  mutating func take(_ event: NodeRestarted, _ revision: Revision, _ time: Microseconds) {
    incarnation = event.incarnation
    domain = event.domain
    labels = event.labels
    capacity = event.capacity
    address = event.address
    heartbeatMilliseconds = event.heartbeatMilliseconds
    abilities = event.abilities
    identity = event.identity
    returnToService(revision, time)
  }

  /// Takes over an event about this node; what is not about the life of a node changes nothing.
  mutating func follow(_ event: Event, _ revision: Revision, _ time: Microseconds) {
    switch event {
    case .nodeSuspected: enter(.suspect, revision, time)
    case .nodeRecovered: returnToService(revision, time)
    case .nodeDeclaredDown, .nodeLeft: enter(.down, revision, time)
    case .nodeCordoned: isCordoned = true
    case .nodeUncordoned: isCordoned = false
    case .nodeDrainRequested: setDrain(true, revision, time)
    case .nodeDrainCancelled: setDrain(false, revision, time)
    case .nodeDrained: enter(.drained, revision, time)
    case .nodeRemoved: enter(.removed, revision, time)
    case .nodeRestarted(let event): take(event, revision, time)
    default: return
    }
    changed = revision
  }

  private mutating func enter(_ state: NodeState, _ revision: Revision, _ time: Microseconds) {
    self.state = state
    since = time
    sinceRevision = revision
  }

  /// A node that is heard again returns to where it was: a drain that was asked for goes on.
  private mutating func returnToService(_ revision: Revision, _ time: Microseconds) {
    enter(isDrainRequested ? .draining : .up, revision, time)
  }

  private mutating func setDrain(_ isOn: Bool, _ revision: Revision, _ time: Microseconds) {
    isDrainRequested = isOn
    if state.isAlive { enter(isOn ? .draining : .up, revision, time) }
  }
}
