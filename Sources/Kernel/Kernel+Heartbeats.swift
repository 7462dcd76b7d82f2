internal import MusterBytes
internal import MusterControllers
internal import MusterCluster
internal import MusterProtocol

extension Kernel {
  /// How far replicas are is soft, like a sign of life: it becomes part of the log when an election is decided by it.
  func positions(_ call: CallID, _ request: PositionsRequest, _ now: Now) {
    guard let row = sequencer.head.nodes.row(request.node), row.incarnation == request.incarnation, !row.isRemoved
    else {
      let refusal = Refusal(.fenced, "this incarnation of the node was replaced, or it is no member; join again")
      return fail(call, RPCError(.refused, refusal.message, details: refusal.encoded()))
    }
    for position in request.positions {
      controllers.heard(position, of: request.node, incarnation: request.incarnation, in: sequencer.head)
    }
    note(request, now)
    var reply = PositionsReply()
    reply.timeline = identity.timeline
    reply.revision = view.revision
    effects.append(.reply(call, encode(reply)))
  }

  /// Heartbeats are soft: they touch no log, and answer who was replaced.
  func heartbeat(_ call: CallID, _ request: HeartbeatRequest, _ now: Now) {
    var reply = HeartbeatReply()
    for beat in request.beats {
      count { $0.heartbeats += 1 }
      // The head, not the view: a node that joined a moment ago may beat before its join is durable.
      guard let row = sequencer.head.nodes.row(beat.node), !row.isRemoved, row.incarnation == beat.incarnation else {
        reply.fenced.append(beat.node)
        continue
      }
      controllers.heard(node: beat.node, incarnation: beat.incarnation, now: now.monotonic)
    }
    reply.timeline = identity.timeline
    reply.revision = view.revision
    effects.append(.reply(call, encode(reply)))
  }
}
