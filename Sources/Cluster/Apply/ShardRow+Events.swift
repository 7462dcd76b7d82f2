// What events do to the row of a shard and of its move, whoever keeps it. The events were checked against the state when
// they were decided, and are checked again when the whole state applies them.

extension ShardRow {
  /// - Parameter isMonitored: whether somebody watches over a node, and it will say that it opened its replicas.
  mutating func take(_ event: ShardPlaced, _ revision: Revision, isMonitored: (NodeID) -> Bool) {
    replicas = ReplicaList(
      event.nodes.enumerated().map { place, node in
        Replica(node: node, role: place == 0 ? .leader : .follower, isInSync: true, isOpened: !isMonitored(node))
      })
    leader = event.nodes.first ?? 0
    epoch &+= 1
    changed = revision
  }

  mutating func take(_ event: LeaderElected, _ revision: Revision) {
    setRole(of: leader, .follower)
    lead(event.node, event.epoch, revision)
    // What a leader has is what there is.
    _ = change(replicaOn: event.node, revision) { $0.isEmptied = false }
  }

  mutating func take(_ event: ShardBegunEmpty, _ revision: Revision) {
    lead(event.node, event.epoch, revision)
    _ = change(replicaOn: event.node, revision) { replica in
      (replica.isInSync, replica.isOpened, replica.isEmptied) = (true, false, true)
    }
  }

  private mutating func lead(_ node: NodeID, _ epoch: UInt32, _ revision: Revision) {
    setRole(of: node, .leader)
    leader = node
    self.epoch = epoch
    setHeir(0, revision)
  }

  mutating func take(_ event: ElectionStarted, _ revision: Revision) {
    setRole(of: leader, .follower)
    leader = 0
    epoch = event.epoch
    setHeir(0, revision)
  }

  mutating func take(_ event: HandOverRequested, _ revision: Revision) { setHeir(event.node, revision) }

  /// - Returns: false when no replica is there.
  mutating func take(_ event: ReplicaFellBehind, _ revision: Revision) -> Bool {
    guard change(replicaOn: event.node, revision, { $0.isInSync = false }) else { return false }
    if event.isLost { lostCopies = min(lostCopies, UInt32(Limits.replicaSlots)) + 1 }
    return true
  }

  mutating func take(_ event: MinimumHeld, _ revision: Revision) {
    minimumRaise = event.raise
    lostCopies = 0
    changed = revision
  }

  mutating func take(_ event: ReplicaAdded, _ revision: Revision) {
    replicas.append(Replica(node: event.node, role: .learner))
    changed = revision
  }

  mutating func take(_ event: ReplicaRemoved, _ revision: Revision) {
    if let place = replicas.index(of: event.node) { replicas.remove(at: place) }
    setHeir(heir == event.node ? 0 : heir, revision)
  }

  mutating func take(_ event: MoveStarted, _ revision: Revision) {
    move = event.move
    changed = revision
  }

  mutating func take(_ event: MoveAdvanced, _ revision: Revision) {
    if event.step.isOver { move = 0 }
    changed = revision
  }

  mutating func take(_ event: CollectionDeleted, _ revision: Revision) {
    replicas.removeAll()
    leader = 0
    move = 0
    changed = revision
  }

  /// - Returns: false when no replica is there.
  mutating func change(replicaOn node: NodeID, _ revision: Revision, _ change: (inout Replica) -> Void) -> Bool {
    guard let place = replicas.index(of: node) else { return false }
    change(&replicas[place])
    changed = revision
    return true
  }

  private mutating func setHeir(_ node: NodeID, _ revision: Revision) {
    if heir != node { (heir, heirSince) = (node, node == 0 ? 0 : revision) }
    changed = revision
  }

  private mutating func setRole(of node: NodeID, _ role: ReplicaRole) {
    if let place = replicas.index(of: node) { replicas[place].role = role }
  }
}

extension Replica {
  mutating func open() {
    isOpened = true
    // It leads a shard that begins anew: that it has no data is right.
    if role == .leader { isEmptied = false }
  }

  mutating func catchUp() {
    isInSync = true
    isEmptied = false
  }

  mutating func rebuild() {
    isInSync = false
    isOpened = false
  }

  mutating func promote() {
    if role == .learner { role = .follower }
  }
}

extension MoveRow {
  init(_ event: MoveStarted, _ revision: Revision) {
    shard = event.shard
    source = event.source
    target = event.target
    purpose = event.purpose
    step = event.step
    started = revision
    changed = revision
  }

  mutating func take(_ event: MoveAdvanced, _ revision: Revision) {
    step = event.step
    isPaused = event.isPaused
    changed = revision
  }
}
