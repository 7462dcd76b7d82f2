internal import MusterCluster
internal import MusterControllers
internal import MusterProtocol

extension Kernel {
  /// A node says how its replicas are. Others that copy from one that is reached elsewhere now are told.
  func note(_ request: PositionsRequest, _ now: Now) {
    var moved: [ShardID] = []
    for status in request.statuses {
      guard sequencer.head.shards.row(status.shard)?.replicas.index(of: request.node) != nil else { continue }
      controllers.heard(status, of: request.node, incarnation: request.incarnation, now: now.monotonic)
      controllers.heard(copy: status, of: request.node, in: sequencer.head)
      if statuses.note(
        status, of: request.node, incarnation: request.incarnation, in: sequencer.head, now: now.monotonic)
      {
        moved.append(status.shard)
      }
    }
    if !moved.isEmpty { tellAssignments(of: moved) }
  }

  /// Adds to an answer about now what nodes say of their replicas.
  func addStatuses(to answer: inout Answer) {
    for place in answer.shards.indices { addStatuses(to: &answer.shards[place]) }
    if answer.explanation != nil {
      addStatuses(to: &answer.explanation!.shard)
      addProblems(to: &answer.explanation!)
      addAnswers(to: &answer.explanation!)
    }
  }

  private func addStatuses(to report: inout ShardReport) {
    guard let row = view.shards.row(report.id) else { return }
    for (place, replica) in row.replicas.enumerated() where place < report.replicas.count {
      guard let status = statuses.status(report.id, replica.node, in: view) else { continue }
      report.replicas[place].status = status
    }
  }

  /// Who has answered in an election that is under way.
  private func addAnswers(to report: inout ExplanationReport) {
    guard report.election != nil else { return }
    report.election?.answered = controllers.answered(report.shard.id, in: view).map { view.nodeName($0) }
    report.election?.knowsAnswers = true
  }

  private func addProblems(to report: inout ExplanationReport) {
    for replica in report.shard.replicas {
      guard let problem = replica.status?.problem, !problem.isEmpty else { continue }
      report.movement = "\(report.movement); \(replica.node): \(problem)".clipped(to: Limits.reasonBytes)
    }
  }
}
