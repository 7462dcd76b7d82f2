internal import MusterCluster

/// A node that may take replicas, with its load as it grows while a plan is made.
struct Candidate {
  var id: NodeID
  var load: NodeLoad
  var added = false
}

/// The nodes a policy may use, and why it may not use the others.
struct PlacementField {
  private let policy: Policy
  private let weights: AmountVector
  private let dimensions: [String]
  private var candidates: [Candidate] = []
  private var excluded = Exclusions()
  private let required: [FaultLevel]
  private let preferred: [FaultLevel]

  init(_ policy: Policy, _ state: State) {
    self.policy = policy
    dimensions = state.dimensions
    weights = state.nodeLoads.vector(policy.weights)
    required = policy.spread.filter { !$0.isPreference }.map(\.level)
    preferred = policy.spread.filter(\.isPreference).map(\.level)
    let unknown = policy.weights.first { $0.value > 0 && state.nodeLoads.dimension($0.dimension) == nil }
    state.nodes.forEach { id, row in
      guard !row.isRemoved else { return }
      if let reason = exclusion(row, unknown) {
        excluded.count(reason)
      } else {
        candidates.append(Candidate(id: id, load: state.load(id)))
      }
    }
  }

  /// Why a node may not be used at all, whatever it carries.
  private func exclusion(_ row: NodeRow, _ unknown: Amount?) -> String? {
    if row.state != .up { return row.state.name }
    if row.isCordoned { return "cordoned" }
    for label in policy.required where row.labels[label.name] != label.value {
      return "without \(label.name)=\(label.value)"
    }
    if let unknown { return "without capacity \(unknown.dimension)" }
    for weight in policy.weights where weight.value > 0 {
      if !row.capacity.contains(where: { $0.dimension == weight.dimension }) {
        return "without capacity \(weight.dimension)"
      }
    }
    let levels = row.domain.split(separator: "/").count + (row.domain.split(separator: "/").count == 3 ? 1 : 0)
    for level in required where Int(level.rawValue) >= levels { return "without a \(level.name)" }
    return nil
  }

  // MARK: Choosing

  /// Places for one shard, the leader first; nil when there are none.
  mutating func placeOne() -> [NodeID]? {
    var chosen: [Int] = []
    for _ in 0..<policy.replicas {
      guard let best = best(beside: chosen) else {
        for place in chosen { release(place) }
        return nil
      }
      take(best)
      chosen.append(best)
    }
    for place in chosen { candidates[place].added = false }
    let leader = chosen.indices.min { leaders(chosen[$0]) < leaders(chosen[$1]) } ?? 0
    chosen.swapAt(0, leader)
    candidates[chosen[0]].load.leaders += 1
    return chosen.map { candidates[$0].id }
  }

  private func leaders(_ place: Int) -> (UInt32, NodeID) {
    (candidates[place].load.leaders, candidates[place].id)
  }

  private func best(beside chosen: [Int]) -> Int? {
    var best: Int?
    var bestScore = Score.worst
    for place in candidates.indices where !candidates[place].added && hasRoom(place) && isAllowed(place, chosen) {
      let score = score(place, chosen)
      if score < bestScore {
        best = place
        bestScore = score
      }
    }
    return best
  }

  private func hasRoom(_ place: Int) -> Bool {
    for dimension in dimensions.indices where weights[dimension] > 0 {
      let load = candidates[place].load
      guard load.used[dimension] <= load.capacity[dimension],
        load.capacity[dimension] - load.used[dimension] >= weights[dimension]
      else { return false }
    }
    return true
  }

  private func isAllowed(_ place: Int, _ chosen: [Int]) -> Bool {
    for level in required {
      for other in chosen where domain(place, level) == domain(other, level) { return false }
    }
    return true
  }

  private func domain(_ place: Int, _ level: FaultLevel) -> UInt32 {
    candidates[place].load.domains[Int(level.rawValue)]
  }

  private func score(_ place: Int, _ chosen: [Int]) -> Score {
    var crowding = 0
    for level in preferred {
      for other in chosen where domain(place, level) == domain(other, level) { crowding += 1 }
    }
    var fullness = 0.0
    let load = candidates[place].load
    for dimension in dimensions.indices where weights[dimension] > 0 {
      let part = Double(load.used[dimension] + weights[dimension]) / Double(load.capacity[dimension])
      fullness = max(fullness, part)
    }
    return Score(crowding: crowding, fullness: fullness, replicas: load.replicas)
  }

  private mutating func take(_ place: Int) {
    candidates[place].added = true
    candidates[place].load.replicas += 1
    for dimension in dimensions.indices { candidates[place].load.used[dimension] += weights[dimension] }
  }

  private mutating func release(_ place: Int) {
    candidates[place].added = false
    candidates[place].load.replicas -= 1
    for dimension in dimensions.indices { candidates[place].load.used[dimension] -= weights[dimension] }
  }

  // MARK: Refusing

  /// What stands in the way of `total` shards, before any is placed.
  func refusal(for total: Int) -> Refusal? {
    let needed = UInt64(policy.replicas)
    if UInt64(candidates.count) < needed {
      return refuse("replicas \(needed)", needed, UInt64(candidates.count), "nodes")
    }
    for level in required {
      let domains = domains(level) { _ in true }
      if domains < needed {
        return refuse("spread \(level.name)", needed, domains, "\(level.name)s with a usable node")
      }
    }
    return refusalForCapacity(total)
  }

  private func refusalForCapacity(_ total: Int) -> Refusal? {
    for dimension in dimensions.indices where weights[dimension] > 0 {
      var free: UInt64 = 0
      for candidate in candidates {
        let load = candidate.load
        // Only whole replicas count: what is left over on a node is of no use.
        let fitting =
          (load.capacity[dimension] - min(load.used[dimension], load.capacity[dimension])) / weights[dimension]
        free += min(fitting, UInt64(total))
      }
      let needed = UInt64(total) * UInt64(policy.replicas)
      if free < needed {
        return refuse(
          "capacity \(dimensions[dimension])", needed, free, "replicas that fit by \(dimensions[dimension])")
      }
    }
    return nil
  }

  /// What stands in the way of the next shard: the first rule that the nodes with room cannot keep.
  func refusalNow() -> Refusal {
    let needed = UInt64(policy.replicas)
    let roomy = candidates.indices.filter(hasRoom)
    var short = excluded
    for dimension in dimensions.indices where weights[dimension] > 0 {
      let full = candidates.filter {
        $0.load.capacity[dimension] - min($0.load.used[dimension], $0.load.capacity[dimension]) < weights[dimension]
      }
      if !full.isEmpty { short.count("without room for \(dimensions[dimension])=\(weights[dimension])", full.count) }
    }
    if UInt64(roomy.count) < needed {
      return refuse("capacity", needed, UInt64(roomy.count), "nodes with room", short)
    }
    for level in required {
      let available = domains(level) { hasRoom($0) }
      if available < needed {
        return refuse("spread \(level.name)", needed, available, "\(level.name)s with a node that has room", short)
      }
    }
    return refuse("spread", needed, UInt64(roomy.count), "nodes with room, and they share fault domains", short)
  }

  private func domains(_ level: FaultLevel, where isUsable: (Int) -> Bool) -> UInt64 {
    var seen = Set<UInt32>()
    for place in candidates.indices where isUsable(place) { seen.insert(domain(place, level)) }
    return UInt64(seen.count)
  }

  private func refuse(
    _ rule: String, _ needed: UInt64, _ available: UInt64, _ what: String, _ reasons: Exclusions? = nil
  ) -> Refusal {
    let detail = (reasons ?? excluded).text
    let missing = needed > available ? needed - available : 1
    let excluded = detail.isEmpty ? "" : "; not usable: \(detail)"
    return Refusal(
      .unsatisfiable, "\(rule): needs \(needed) \(what), there are \(available): \(missing) short\(excluded)",
      witness: [Witness(rule: rule, needed: needed, available: available, detail: detail)])
  }
}

/// How good a place is: the lower the better, ties broken by the order of nodes.
private struct Score {
  var crowding: Int
  var fullness: Double
  var replicas: UInt32

  static let worst = Score(crowding: .max, fullness: .infinity, replicas: .max)

  static func < (a: Score, b: Score) -> Bool {
    if a.crowding != b.crowding { return a.crowding < b.crowding }
    if a.fullness != b.fullness { return a.fullness < b.fullness }
    return a.replicas < b.replicas
  }
}

/// How many nodes are out of question for which reason, in the order in which the reasons came up.
struct Exclusions {
  private var reasons: [(reason: String, count: Int)] = []

  mutating func count(_ reason: String, _ more: Int = 1) {
    if let place = reasons.firstIndex(where: { $0.reason == reason }) {
      reasons[place].count += more
    } else if reasons.count < 8 {
      reasons.append((reason, more))
    }
  }

  var text: String { reasons.map { "\($0.count) \($0.reason)" }.joined(separator: ", ") }
}
