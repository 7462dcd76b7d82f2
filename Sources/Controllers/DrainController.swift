package import MusterCluster

/// Says that a draining node is drained once nothing is left on it.
package enum DrainController {
  package static let name = "drain"

  package static func tick(state: State) -> [Proposal] {
    var proposals: [Proposal] = []
    state.nodes.forEach { id, row in
      guard row.state == .draining, state.load(id).replicas == 0 else { return }
      proposals.append(
        Proposal(
          controller: name, command: .finishDrain(FinishDrain(node: id)),
          reason: Reason(.drainCompleted, arguments: ["node=\(row.name)"]), cause: row.sinceRevision))
    }
    return proposals
  }
}
