internal import MusterCluster

struct BlamedNode: BlameSubject {
  static let events: Set<String> = [
    "NodeJoined", "NodeRestarted", "NodeSuspected", "NodeRecovered", "NodeDeclaredDown", "NodeLeft", "NodeCordoned",
    "NodeUncordoned", "NodeDrainRequested", "NodeDrainCancelled", "NodeDrained", "NodeRemoved",
  ]

  private let id: NodeID
  private let row: NodeRow

  init(_ id: NodeID, _ state: State) {
    self.id = id
    row = state.nodes[id]
  }

  var changed: Revision { row.changed }

  var fields: [PresentField] {
    [
      PresentField("state", .text(row.state.name)), PresentField("cordoned", .flag(row.isCordoned)),
      PresentField("drainRequested", .flag(row.isDrainRequested)),
    ]
      + BlamedNode.process(
        row.incarnation, row.domain, row.labels, row.capacity, row.address, row.heartbeatMilliseconds)
  }

  /// What a process says of itself when it joins.
  private static func process(
    _ incarnation: UInt64, _ domain: String, _ labels: [Label], _ capacity: [Amount], _ address: String,
    _ heartbeat: UInt64
  ) -> [PresentField] {
    [
      PresentField("incarnation", .number(incarnation)), PresentField("domain", .text(domain)),
      PresentField("labels", .texts(labels.map { "\($0.name)=\($0.value)" })),
      PresentField("capacity", .texts(capacity.map { "\($0.dimension)=\($0.value)" })),
      PresentField("address", .text(address)), PresentField("heartbeatMilliseconds", .number(heartbeat)),
    ]
  }

  func follow(_ event: Event, _ tracks: inout FieldTracks) -> Bool {
    switch event {
    case .nodeJoined(let event) where event.node == id:
      tracks.write("state", .text(NodeState.up.name), isBirth: true)
      tracks.write("cordoned", .flag(false), isBirth: true)
      tracks.write("drainRequested", .flag(false), isBirth: true)
      for field in BlamedNode.process(
        1, event.domain, event.labels, event.capacity, event.address, event.heartbeatMilliseconds)
      {
        tracks.write(field.name, field.followed, isBirth: true)
      }
      return true
    case .nodeRestarted(let event) where event.node == id:
      for field in BlamedNode.process(
        event.incarnation, event.domain, event.labels, event.capacity, event.address, event.heartbeatMilliseconds)
      {
        tracks.write(field.name, field.followed)
      }
      returnToWork(&tracks)
    case .nodeRecovered(let event) where event.node == id: returnToWork(&tracks)
    case .nodeSuspected(let event) where event.node == id: enter(.suspect, &tracks)
    case .nodeDeclaredDown(let event) where event.node == id: enter(.down, &tracks)
    case .nodeLeft(let event) where event.node == id: enter(.down, &tracks)
    case .nodeDrained(let event) where event.node == id: enter(.drained, &tracks)
    case .nodeRemoved(let event) where event.node == id: enter(.removed, &tracks)
    case .nodeCordoned(let event) where event.node == id: tracks.write("cordoned", .flag(true))
    case .nodeUncordoned(let event) where event.node == id: tracks.write("cordoned", .flag(false))
    case .nodeDrainRequested(let event) where event.node == id: setDrain(true, &tracks)
    case .nodeDrainCancelled(let event) where event.node == id: setDrain(false, &tracks)
    default: break
    }
    return false
  }

  private func enter(_ state: NodeState, _ tracks: inout FieldTracks) { tracks.write("state", .text(state.name)) }

  /// A node that is heard again goes on with a drain that was asked for.
  private func returnToWork(_ tracks: inout FieldTracks) {
    guard case .flag(let drains)? = tracks["drainRequested"] else { return tracks.forget("state") }
    enter(drains ? .draining : .up, &tracks)
  }

  private func setDrain(_ isOn: Bool, _ tracks: inout FieldTracks) {
    tracks.write("drainRequested", .flag(isOn))
    guard case .text(let state)? = tracks["state"] else { return tracks.forget("state") }
    let alive: [NodeState] = [.up, .draining, .drained]
    if alive.contains(where: { $0.name == state }) { enter(isOn ? .draining : .up, &tracks) }
  }
}
