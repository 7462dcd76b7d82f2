package import MusterCluster

/// Chooses nodes for new shards: spread over fault domains, within capacities, the least loaded first.
///
/// Deterministic: the same state gives the same places. It refuses only what cannot be: where the least loaded nodes
/// lead into a dead end, it begins again with the domains that can least be spared. Moving what stands already is the
/// rebalancer's work.
package struct PlacementPlanner: Planner {
  package init() {}

  package func place(
    _ count: Int, of total: Int, under policy: Policy, in state: State
  ) -> Result<[[NodeID]], Refusal> {
    let rules = PlacementRules(policy, state)
    for order in [PlacementOrder.leastLoaded, .roomiestFirst] {
      var field = PlacementField(rules, state, order)
      guard field.fits(total) else { break }
      if let places = field.place(count, of: total), field.fits(total - count) { return .success(places) }
    }
    return .failure(PlacementDiagnosis(rules, state).refusal(for: total))
  }
}
