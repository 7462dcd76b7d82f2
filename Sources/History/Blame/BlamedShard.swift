internal import MusterCluster

struct BlamedShard: BlameSubject {
  static let events: Set<String> = []

  private let id: ShardID
  private let row: ShardRow
  private let state: State

  init(_ id: ShardID, _ state: State) {
    self.id = id
    row = state.shards[id]
    self.state = state
  }

  var changed: Revision { row.changed }

  var fields: [PresentField] {
    var fields = [
      PresentField("leader", node(row.leader), followed: .number(UInt64(row.leader))),
      PresentField("epoch", .number(UInt64(row.epoch))),
      PresentField("handingOverTo", node(row.heir), followed: .number(UInt64(row.heir))),
      PresentField("moving", moving.shown, followed: moving.followed),
    ]
    for replica in row.replicas {
      let name = "replica \(state.nodeName(replica.node))"
      fields += [
        PresentField("\(name) role", .text(replica.role.name)),
        PresentField("\(name) inSync", .flag(replica.isInSync)),
        PresentField("\(name) opened", .flag(replica.isOpened)),
      ]
      if replica.isEmptied { fields.append(PresentField("\(name) dataGone", .flag(true))) }
    }
    return fields
  }

  private func node(_ id: NodeID) -> FieldValue { id == 0 ? .nothing : .text(state.nodeName(id)) }

  private var moving: (shown: FieldValue, followed: FieldValue) {
    guard row.move != 0, let move = state.moves.row(row.move) else { return (.nothing, .nothing) }
    return (.text(state.words(move)), BlamedShard.step(row.move, move.step, isPaused: move.isPaused))
  }

  /// A move at one of its steps.
  private static func step(_ move: MoveID, _ step: MoveStep, isPaused: Bool = false) -> FieldValue {
    step.isOver ? .nothing : .text("\(move) \(step.name)\(isPaused ? ", paused" : "")")
  }

  // MARK: Following

  func follow(_ event: Event, _ tracks: inout FieldTracks) -> Bool {
    switch event {
    case .shardPlaced(let event) where event.shard == id:
      place(event, &tracks)
      return true
    case .leaderElected(let event) where event.shard == id: lead(event.node, event.epoch, &tracks)
    case .electionStarted(let event) where event.shard == id: lead(0, event.epoch, &tracks)
    case .handOverRequested(let event) where event.shard == id:
      tracks.write("handingOverTo", .number(UInt64(event.node)))
    case .replicaRebuilding(let event) where event.shard == id:
      write(event.node, inSync: false, &tracks)
      write(event.node, opened: false, &tracks)
    case .replicasOpened(let event) where event.shards.contains(id): write(event.node, opened: true, &tracks)
    case .replicaCaughtUp(let event) where event.shard == id: write(event.node, inSync: true, &tracks)
    case .replicaFellBehind(let event) where event.shard == id: write(event.node, inSync: false, &tracks)
    case .replicaEmptied(let event) where event.shard == id:
      tracks.write(name(event.node, "dataGone"), .flag(true))
    case .shardBegunEmpty(let event) where event.shard == id: beginEmpty(event, &tracks)
    case .replicaAdded(let event) where event.shard == id:
      add(event.node, .learner, inSync: false, opened: false, &tracks)
    case .replicaPromoted(let event) where event.shard == id: promote(event.node, &tracks)
    case .replicaRemoved(let event) where event.shard == id: remove(event.node, &tracks)
    case .splitStarted(let event) where event.child == id:
      begin(event, &tracks)
      return true
    case .splitStarted(let event) where event.shard == id:
      tracks.write("moving", BlamedShard.step(event.move, .catchingUp))
    case .splitAdvanced(let event) where event.shard == id || event.child == id:
      tracks.write("moving", BlamedShard.step(event.move, event.step))
    case .shardSplit(let event) where event.shard == id || event.child == id:
      tracks.write("moving", BlamedShard.step(event.move, .pruning))
    case .mergeStarted(let event) where event.shard == id || event.absorbed == id:
      tracks.write("moving", BlamedShard.step(event.move, .copying))
    case .mergeAdvanced(let event) where event.shard == id || event.absorbed == id:
      tracks.write("moving", BlamedShard.step(event.move, event.step))
    case .shardsMerged(let event) where event.shard == id || event.absorbed == id:
      tracks.write("moving", BlamedShard.step(event.move, .finished))
    case .moveStarted(let event) where event.shard == id:
      tracks.write("moving", BlamedShard.step(event.move, event.step))
    case .moveAdvanced(let event) where event.shard == id:
      tracks.write("moving", BlamedShard.step(event.move, event.step, isPaused: event.isPaused))
    default: break
    }
    return false
  }

  private func name(_ node: NodeID, _ field: String) -> String { "replica \(state.nodeName(node)) \(field)" }

  private func place(_ event: ShardPlaced, _ tracks: inout FieldTracks) {
    tracks.write("leader", .number(UInt64(event.nodes.first ?? 0)), isBirth: true)
    tracks.write("epoch", .number(1), isBirth: true)
    tracks.write("handingOverTo", .number(0), isBirth: true)
    tracks.write("moving", .nothing, isBirth: true)
    for (place, node) in event.nodes.enumerated() {
      let isOpened = state.nodes.row(node)?.isMonitored == false
      add(node, place == 0 ? .leader : .follower, inSync: true, opened: isOpened, &tracks)
    }
  }

  private func beginEmpty(_ event: ShardBegunEmpty, _ tracks: inout FieldTracks) {
    lead(event.node, event.epoch, &tracks)
    write(event.node, inSync: true, &tracks)
    write(event.node, opened: false, &tracks)
    tracks.write(name(event.node, "dataGone"), .flag(true))
  }

  /// It is made by a split: nobody leads it, and its replicas learn.
  private func begin(_ event: SplitStarted, _ tracks: inout FieldTracks) {
    tracks.write("leader", .number(0), isBirth: true)
    tracks.write("epoch", .number(0), isBirth: true)
    tracks.write("handingOverTo", .number(0), isBirth: true)
    tracks.write("moving", BlamedShard.step(event.move, .catchingUp), isBirth: true)
    for node in event.nodes {
      let isOpened = state.nodes.row(node)?.isMonitored == false
      add(node, .learner, inSync: false, opened: isOpened, &tracks)
    }
  }

  private func add(_ node: NodeID, _ role: ReplicaRole, inSync: Bool, opened: Bool, _ tracks: inout FieldTracks) {
    tracks.write(name(node, "role"), .text(role.name), isBirth: true)
    tracks.write(name(node, "inSync"), .flag(inSync), isBirth: true)
    tracks.write(name(node, "opened"), .flag(opened), isBirth: true)
  }

  private func write(_ node: NodeID, inSync: Bool, _ tracks: inout FieldTracks) {
    tracks.write(name(node, "inSync"), .flag(inSync))
  }

  private func write(_ node: NodeID, opened: Bool, _ tracks: inout FieldTracks) {
    tracks.write(name(node, "opened"), .flag(opened))
  }

  private func promote(_ node: NodeID, _ tracks: inout FieldTracks) {
    let role = name(node, "role")
    switch tracks[role] {
    case nil: tracks.forget(role)
    case .text(ReplicaRole.learner.name): tracks.write(role, .text(ReplicaRole.follower.name))
    default: break
    }
  }

  /// Nobody leads with node 0. Whoever led before follows.
  private func lead(_ node: NodeID, _ epoch: UInt32, _ tracks: inout FieldTracks) {
    if case .number(let old)? = tracks["leader"], let old = NodeID(exactly: old), old != 0 {
      tracks.write(name(old, "role"), .text(ReplicaRole.follower.name))
    } else if tracks["leader"] == nil {
      for replica in row.replicas where tracks[name(replica.node, "role")] != .text(ReplicaRole.learner.name) {
        tracks.forget(name(replica.node, "role"))
      }
    }
    if node != 0 { tracks.write(name(node, "role"), .text(ReplicaRole.leader.name)) }
    tracks.write("leader", .number(UInt64(node)))
    tracks.write("epoch", .number(UInt64(epoch)))
    tracks.write("handingOverTo", .number(0))
  }

  private func remove(_ node: NodeID, _ tracks: inout FieldTracks) {
    for field in ["role", "inSync", "opened"] { tracks.write(name(node, field), .nothing) }
    if tracks["handingOverTo"] == .number(UInt64(node)) { tracks.write("handingOverTo", .number(0)) }
    if tracks["handingOverTo"] == nil { tracks.forget("handingOverTo") }
  }
}
