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

  /// An event about one node that changes its row and nothing else.
  mutating func applyToNode(_ id: NodeID, _ event: Event, _ revision: Revision, _ time: Microseconds) throws(ApplyError)
  {
    try modifyNode(id, revision) { $0.follow(event, revision, time) }
  }

  mutating func apply(_ event: NodeJoined, _ revision: Revision, _ time: Microseconds) throws(ApplyError) {
    try requireNext(event.node, in: nodes)
    guard index.nodes[event.name] == nil, event.node <= Replica.nodeMax else {
      throw .conflict(.nodes, id: event.node)
    }
    let row = NodeRow(event, revision, time)
    write(append: row, to: \.nodes)
    index.nodes[event.name] = event.node
    loads.addNode(row)
  }

  mutating func apply(_ event: NodeRestarted, _ revision: Revision, _ time: Microseconds) throws(ApplyError) {
    guard nodes.contains(event.node) else { throw .unknownNode(event.node) }
    guard event.incarnation > nodes[event.node].incarnation else { throw .conflict(.nodes, id: event.node) }
    try modifyNode(event.node, revision) { $0.take(event, revision, time) }
    loads.updateNode(event.node, nodes[event.node])
  }

  mutating func apply(_ event: NodeRemoved, _ revision: Revision, _ time: Microseconds) throws(ApplyError) {
    let id = event.node
    guard nodes.contains(id) else { throw .unknownNode(id) }
    guard loads[id].replicas == 0 else { throw .conflict(.nodes, id: id) }
    try applyToNode(id, .nodeRemoved(event), revision, time)
    let name = nodes[id].name
    if index.nodes[name] == id { index.nodes[name] = nil }
  }
}
