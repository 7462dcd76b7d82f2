package import MusterCluster

/// Every controller, run in a fixed order: observations and time go in, proposals come out.
package struct Controllers: Sendable {
  private var detector = FailureDetector()
  private var placement = PlacementContinuation()

  package init() {}

  /// A sign of life. Times are milliseconds of a clock that never jumps.
  package mutating func heard(node: NodeID, incarnation: UInt64, now: UInt64) {
    detector.heard(node: node, incarnation: incarnation, now: now)
  }

  /// What should happen now. Nothing is proposed in maintenance: then only operators order.
  package mutating func tick(state: State, now: UInt64) -> [Proposal] {
    let health = detector.tick(state: state, now: now)
    guard !state.isInMaintenance else { return [] }
    return health + placement.tick(state: state) + DrainController.tick(state: state)
  }

  /// A proposal was refused: it is not made again until the state is another.
  package mutating func refused(_ proposal: Proposal, _ refusal: Refusal, at revision: Revision) {
    placement.refused(proposal, at: revision)
  }
}
