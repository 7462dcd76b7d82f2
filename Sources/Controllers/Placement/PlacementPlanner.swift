package import MusterCluster

/// Chooses nodes for new shards: spread over fault domains, within capacities, the least loaded first.
///
/// Deterministic: the same state gives the same places. Greedy is enough here, since a requirement on the coarsest
/// level of fault domains decides those on finer ones; moving what stands already is the rebalancer's work.
package struct PlacementPlanner: Planner {
  package init() {}

  package func place(
    _ count: Int, of total: Int, under policy: Policy, in state: State
  ) -> Result<[[NodeID]], Refusal> {
    var field = PlacementField(policy, state)
    if let refusal = field.refusal(for: total) { return .failure(refusal) }
    var places: [[NodeID]] = []
    places.reserveCapacity(count)
    for _ in 0..<count {
      guard let nodes = field.placeOne() else { return .failure(field.refusalNow()) }
      places.append(nodes)
    }
    return .success(places)
  }
}
