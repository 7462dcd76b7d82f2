internal import MusterAudit
internal import MusterBytes
internal import MusterCluster
internal import MusterHistory
internal import MusterKernel
internal import MusterProtocol
internal import NIOCore

extension Server {
  /// Signs a checkpoint now and then, when something changed.
  private func armCheckpoint() {
    guard auditor.intervalSeconds > 0 else { return }
    loop.assumeIsolated().scheduleTask(in: .seconds(auditor.intervalSeconds)) { [self] in
      guard !isStopping else { return }
      if kernel.view.revision != checkpointed { signCheckpoint { _ in } }
      armCheckpoint()
    }
  }

  /// Signs a checkpoint of all that is durable, and raises or clears the alarm that there is none.
  private func signCheckpoint(_ done: @escaping (Result<SignedNote, NotaryRefusal>) -> Void) {
    let last = kernel.view.revision
    let bound = NIOLoopBound((server: self, done: done), eventLoop: loop)
    auditor.sign(through: last) { [loop] result in
      loop.execute {
        bound.value.server.checkpointed(result, last)
        bound.value.done(result)
      }
    }
  }

  private func checkpointed(_ result: Result<SignedNote, NotaryRefusal>, _ last: Revision) {
    switch result {
    case .success:
      checkpointed = last
      if checkpointProblem != nil { kernel.auditChanged(nil, Clock.now()) }
      checkpointProblem = nil
    case .failure(let refusal):
      guard checkpointProblem != "\(refusal)" else { return }
      checkpointProblem = "\(refusal)"
      kernel.auditChanged("\(refusal)", Clock.now())
    }
    endTickSoon()
  }

  /// Compares, at the start, what was signed before with the log, and signs the present state.
  func beginCheckpoints() {
    if kernel.view.revision > 0 { signCheckpoint { _ in } }
    armCheckpoint()
  }

  /// Answers who asks for a checkpoint.
  func sendCheckpoint(_ call: CallID) {
    signCheckpoint { [self] result in
      do {
        let note = try result.get()
        var reply = CheckpointReply()
        reply.timeline = kernel.identity.timeline
        reply.revision = try Checkpoint(note).size
        reply.note = note.bytes
        reply.verifierKey = auditor.verifierKey.text
        send(.reply, call, reply.encoded())
      } catch {
        let refusal = Refusal(.conflict, "\(error)")
        send(.error, call, RPCError(.refused, refusal.message, details: refusal.encoded()).encoded())
      }
    }
  }
}
