package import MusterCluster
internal import MusterControllers
package import MusterLog

extension Kernel {
  /// Lets time pass: the controllers look at the state and what they propose is decided like any command.
  package func tick(_ now: Now) {
    guard readOnlyBecause.isEmpty, !sequencer.isFull else { return }
    for proposal in controllers.tick(state: sequencer.head, now: now.monotonic) { carryOut(proposal, now) }
    markIdleWatches()
  }

  /// How often a node came back from silence lately, as far as this run knows; 0 once it is calm.
  package func returns(of node: NodeID) -> UInt64 { controllers.returns(of: node) }

  private func carryOut(_ proposal: Proposal, _ now: Now) {
    var request = Request(proposal.command)
    request.cause = proposal.cause
    let context = RequestContext(
      principal: proposal.controller, kind: .controller, assurance: .own, wallTime: now.wall, reason: proposal.reason)
    if case .refused(let refusal) = sequencer.execute(request, context, planner) {
      count { $0.refusals[Int(refusal.code.rawValue)] += 1 }
      controllers.refused(proposal, refusal, at: sequencer.head.revision)
    }
  }

  /// The disk runs low, or has room again. The alarm is the last thing that is written before writing stops.
  package func storageChanged(_ problem: String?, _ now: Now) {
    if let problem {
      guard readOnlyBecause.isEmpty else { return }
      raise("disk-full", problem, now)
      readOnlyBecause = problem
    } else {
      readOnlyBecause = ""
      // An earlier run may have raised it.
      guard sequencer.head.isRaised(alarm: "disk-full") else { return }
      carryOut(.clearAlarm(ClearAlarm(name: "disk-full")), of: "storage", .storageRecovered, now)
    }
  }

  /// Raises an alarm about what the shell keeps for the kernel: the disk, keys.
  package func raise(_ alarm: String, _ message: String, _ now: Now) {
    let command = RaiseAlarm(name: alarm, message: message.clipped(to: Limits.reasonBytes))
    carryOut(.raiseAlarm(command), of: "storage", .storageLow, now)
  }

  /// Checkpoints are refused, or signed again. A person must look: the alarm stays until then.
  package func auditChanged(_ problem: String?, _ now: Now) {
    let name = "checkpoint-refused"
    if let problem {
      let alarm = RaiseAlarm(name: name, message: problem.clipped(to: Limits.reasonBytes))
      carryOut(.raiseAlarm(alarm), of: "audit", .checkpointRefused, now)
    } else if sequencer.head.isRaised(alarm: name) {
      let clear = Command.clearAlarm(ClearAlarm(name: name))
      carryOut(clear, of: "audit", .checkpointResumed, now)
    }
  }

  /// Decides what the server itself wants.
  func carryOut(_ command: Command, of controller: String, _ reason: ReasonKind, _ now: Now) {
    let proposal = Proposal(controller: controller, command: command, reason: Reason(reason), cause: 0)
    carryOut(proposal, now)
  }

  /// The next block for the disk, or nil.
  package func takeBlock() -> SealedBlock? { sequencer.takeBlock() }

  /// The block that was taken is on disk: its answers leave, its commits are seen.
  ///
  /// - Returns: the view that was replaced, for the shell to let go of where it hurts least.
  package func blockDurable() -> State {
    let publication = sequencer.blockDurable()
    count { $0.countBlock(publication.commits) }
    destroyErasedKeys(publication.commits)
    sendSayable()
    deliver(publication)
    noteAssignments(publication.commits)
    return publication.replaced
  }
}
