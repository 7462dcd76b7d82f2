internal import HashTreeCollections

// What events about members do to the state.

extension State {
  mutating func modifyNode(
    _ id: NodeID, _ revision: Revision, _ change: (inout NodeRow) -> Void
  ) throws(ApplyError) {
    guard nodes.contains(id) else { throw .unknownNode(id) }
    guard !nodes[id].isRemoved else { throw .conflict(.nodes, id: id) }
    modify(\.nodes, id) {
      change(&$0)
      $0.changed = revision
    }
    loads.updateState(id, nodes[id])
  }

  mutating func setNodeState(
    _ id: NodeID, _ state: NodeState, _ revision: Revision, _ time: Microseconds
  ) throws(ApplyError) {
    try modifyNode(id, revision) { $0.enter(state, revision, time) }
  }

  /// A node that is heard again returns to where it was: a drain that was asked for goes on.
  mutating func recover(_ id: NodeID, _ revision: Revision, _ time: Microseconds) throws(ApplyError) {
    try modifyNode(id, revision) { $0.enter($0.isDrainRequested ? .draining : .up, revision, time) }
  }

  mutating func apply(_ event: NodeJoined, _ revision: Revision, _ time: Microseconds) throws(ApplyError) {
    try requireNext(event.node, in: nodes)
    guard index.nodes[event.name] == nil, event.node <= Replica.nodeMax else {
      throw .conflict(.nodes, id: event.node)
    }
    var row = NodeRow()
    row.name = event.name
    row.incarnation = 1
    row.domain = event.domain
    row.labels = event.labels
    row.capacity = event.capacity
    row.address = event.address
    row.heartbeatMilliseconds = event.heartbeatMilliseconds
    row.enter(.up, revision, time)
    row.changed = revision
    write(append: row, to: \.nodes)
    index.nodes[event.name] = event.node
    loads.addNode(row)
  }

  mutating func apply(_ event: NodeRestarted, _ revision: Revision, _ time: Microseconds) throws(ApplyError) {
    guard nodes.contains(event.node) else { throw .unknownNode(event.node) }
    guard event.incarnation > nodes[event.node].incarnation else { throw .conflict(.nodes, id: event.node) }
    try modifyNode(event.node, revision) {
      $0.incarnation = event.incarnation
      $0.domain = event.domain
      $0.labels = event.labels
      $0.capacity = event.capacity
      $0.address = event.address
      $0.heartbeatMilliseconds = event.heartbeatMilliseconds
      $0.enter($0.isDrainRequested ? .draining : .up, revision, time)
    }
    loads.updateNode(event.node, nodes[event.node])
  }

  mutating func setDrain(
    _ id: NodeID, _ isOn: Bool, _ revision: Revision, _ time: Microseconds
  ) throws(ApplyError) {
    try modifyNode(id, revision) {
      $0.isDrainRequested = isOn
      if $0.state.isAlive { $0.enter(isOn ? .draining : .up, revision, time) }
    }
  }

  mutating func removeNode(_ id: NodeID, _ revision: Revision, _ time: Microseconds) throws(ApplyError) {
    guard nodes.contains(id) else { throw .unknownNode(id) }
    guard loads[id].replicas == 0 else { throw .conflict(.nodes, id: id) }
    try setNodeState(id, .removed, revision, time)
    let name = nodes[id].name
    if index.nodes[name] == id { index.nodes[name] = nil }
  }
}

extension NodeRow {
  mutating func enter(_ state: NodeState, _ revision: Revision, _ time: Microseconds) {
    self.state = state
    since = time
    sinceRevision = revision
  }
}
