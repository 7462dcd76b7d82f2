internal import MusterCluster

/// A policy in numbers, as a scan over many nodes wants it.
struct PlacementRules {
  let policy: Policy
  /// What one replica needs, only what is not nothing.
  let weights: [(dimension: Int, value: UInt64)]
  /// A weight of a dimension that no node has heard of.
  let unknownDimension: Amount?
  /// The coarsest level that must differ between replicas. It decides the finer ones: their domains lie within.
  let separating: FaultLevel?
  /// Every level that must differ: a node must have a domain of each.
  let required: [FaultLevel]
  /// Levels that should differ and that `separating` does not decide, the coarsest first.
  let preferred: [FaultLevel]
  /// Nodes where a collection stands that this one keeps away from.
  let keptAway: [NodeID: CollectionID]

  init(_ policy: Policy, _ state: State) {
    self.policy = policy
    keptAway = policy.apart.isEmpty ? [:] : state.nodesKeptAway(by: policy)
    let loads = state.nodeLoads
    let needed = policy.weights.filter { $0.value > 0 }
    weights = needed.compactMap { amount in loads.dimension(amount.dimension).map { ($0, amount.value) } }
    unknownDimension = needed.first { loads.dimension($0.dimension) == nil }
    required = FaultLevel.allCases.filter { level in
      policy.spread.contains { $0.level == level && !$0.isPreference }
    }
    let separating = required.first
    self.separating = separating
    preferred = FaultLevel.allCases.filter { level in
      policy.spread.contains { $0.level == level && $0.isPreference }
        && (separating.map { level.rawValue < $0.rawValue } ?? true)
    }
  }

  /// The number of the finest domain of a node that matters for choosing: nodes of the same one differ only in their
  /// load. 0 when none matters. A domain's number stands for the whole path to it.
  func domain(_ load: borrowing NodeLoad) -> Int {
    guard let finest = separating ?? preferred.last else { return 0 }
    for level in (0...Int(finest.rawValue)).reversed() where load.domains[level] != 0 {
      return Int(load.domains[level])
    }
    return 0
  }

  func hasRoom(_ load: borrowing NodeLoad) -> Bool {
    for weight in weights where load.free(weight.dimension) < weight.value { return false }
    return true
  }

  /// How many replicas still fit on a node, at most `limit`.
  func fitting(_ load: borrowing NodeLoad, atMost limit: UInt64) -> UInt64 {
    var fitting = limit
    for weight in weights { fitting = min(fitting, load.free(weight.dimension) / weight.value) }
    return fitting
  }

  /// How full the fullest weighted dimension is with one replica more, or as it is: 1 is full.
  func fullness(_ load: borrowing NodeLoad, withOneMore: Bool = true) -> Double {
    var fullness = 0.0
    for weight in weights {
      let used = Double(load.used[weight.dimension]) + (withOneMore ? Double(weight.value) : 0)
      fullness = max(fullness, used / Double(load.capacity[weight.dimension]))
    }
    return fullness
  }

  /// Whether a node may take replicas of this policy at all, whatever it carries; labels aside.
  func admits(_ load: borrowing NodeLoad) -> Bool {
    guard load.takesReplicas else { return false }
    for weight in weights where !load.states(weight.dimension) { return false }
    for level in required where load.domain(level) == 0 { return false }
    return true
  }

  func admits(_ labels: [Label]) -> Bool { policy.unmetRule(labels) == nil }
}
