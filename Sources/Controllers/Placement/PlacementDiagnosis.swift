internal import MusterCluster

/// Finds out why a policy cannot be satisfied: the first rule that, with those before it, leaves too little.
struct PlacementDiagnosis {
  private let rules: PlacementRules
  private let state: State
  /// The nodes that passed every rule so far.
  private var nodes: [NodeID] = []
  private var exclusions = Exclusions()

  init(_ rules: PlacementRules, _ state: State) {
    self.rules = rules
    self.state = state
  }

  /// - Parameter total: how many shards want places.
  func refusal(for total: Int) -> Refusal {
    var diagnosis = self
    return diagnosis.firstShortage(total)
  }

  private mutating func firstShortage(_ total: Int) -> Refusal {
    if let refusal = shortOfMembers() ?? shortOfLabels() ?? shortOfDistance() ?? shortOfCapacity() ?? shortOfDomains() {
      return refusal
    }
    return shortOfRoom(for: total)
  }

  private var needed: UInt64 { UInt64(rules.policy.replicas) }

  // MARK: Nodes for one shard

  private mutating func shortOfMembers() -> Refusal? {
    state.nodes.forEach { id, row in
      guard !row.isRemoved else { return }
      if row.state != .up {
        exclusions.count(row.state.name)
      } else if row.isCordoned {
        exclusions.count("cordoned")
      } else {
        nodes.append(id)
      }
    }
    return shortOfNodes("replicas \(needed)", "nodes that are up and not cordoned")
  }

  private mutating func shortOfLabels() -> Refusal? {
    for label in rules.policy.required {
      let text = "\(label.name)=\(label.value)"
      keep("without \(text)") { $0.nodes[$1].labels[label.name] == label.value }
      if let refusal = shortOfNodes("require \(text)", "nodes with \(text)") { return refusal }
    }
    for rule in rules.policy.rules {
      keep("where not \(rule.text)") { rule.isMet(by: $0.nodes[$1].labels) }
      if let refusal = shortOfNodes("require \(rule.text)", "nodes where \(rule.text)") { return refusal }
    }
    return nil
  }

  private mutating func shortOfDistance() -> Refusal? {
    for name in rules.policy.apart {
      let id = state.collectionID(named: name)
      let away = rules.keptAway
      keep("with replicas of \(name)") { away[$1] == nil || away[$1] != id }
      if let refusal = shortOfNodes("apart \(name)", "nodes without replicas of \(name)") { return refusal }
    }
    return nil
  }

  private mutating func shortOfCapacity() -> Refusal? {
    if let unknown = rules.unknownDimension {
      keep("without a capacity of \(unknown.dimension)") { _, _ in false }
      return shortOfNodes("capacity \(unknown.dimension)", "nodes with a capacity of \(unknown.dimension)")
    }
    for weight in rules.weights {
      let name = state.dimensions[weight.dimension]
      keep("without a capacity of \(name)") { $0.load($1).states(weight.dimension) }
      keep("without room for \(name)=\(weight.value)") { $0.load($1).free(weight.dimension) >= weight.value }
      if let refusal = shortOfNodes("capacity \(name)", "nodes with room for \(name)=\(weight.value)") {
        return refusal
      }
    }
    return nil
  }

  private mutating func shortOfDomains() -> Refusal? {
    for level in rules.required {
      keep("without a \(level.name)") { $0.load($1).domain(level) != 0 }
      let domains = Set(nodes.map { state.load($0).domain(level) }).count
      if domains < needed {
        return refuse("spread \(level.name)", needed, UInt64(domains), "\(level.name)s with a free node")
      }
    }
    return nil
  }

  private mutating func keep(_ reason: String, where isKept: (State, NodeID) -> Bool) {
    let kept = nodes.filter { isKept(state, $0) }
    if kept.count < nodes.count { exclusions.count(reason, nodes.count - kept.count) }
    nodes = kept
  }

  private func shortOfNodes(_ rule: String, _ what: String) -> Refusal? {
    nodes.count < needed ? refuse(rule, needed, UInt64(nodes.count), what) : nil
  }

  // MARK: Room for all shards

  private func shortOfRoom(for total: Int) -> Refusal {
    let limit = UInt64(total)
    let wanted = limit * needed
    for weight in rules.weights {
      let name = state.dimensions[weight.dimension]
      let room = nodes.reduce(UInt64(0)) { $0 + min(limit, state.load($1).free(weight.dimension) / weight.value) }
      if room < wanted {
        return refuse("capacity \(name)", wanted, room, "places for a replica with \(name)=\(weight.value)")
      }
    }
    let room = nodes.reduce(UInt64(0)) { $0 + rules.fitting(state.load($1), atMost: limit) }
    guard room >= wanted, let level = rules.separating else {
      return refuse("capacity", wanted, room, "places for a replica")
    }
    return refuse(
      "spread \(level.name)", wanted, roomInDomains(level, limit),
      "places for a replica that leave \(level.name)s apart")
  }

  private func roomInDomains(_ level: FaultLevel, _ limit: UInt64) -> UInt64 {
    var rooms: [UInt64] = Array(repeating: 0, count: state.nodeLoads.domainCount + 1)
    for node in nodes {
      let load = state.load(node)
      rooms[Int(load.domain(level))] += rules.fitting(load, atMost: limit)
    }
    return rooms.reduce(0) { $0 + min($1, limit) }
  }

  private func refuse(_ rule: String, _ needed: UInt64, _ available: UInt64, _ what: String) -> Refusal {
    let detail = exclusions.text.clipped(to: Limits.reasonBytes)
    let short = needed > available ? ": \(needed - available) short" : ""
    let excluded = detail.isEmpty ? "" : "; nodes excluded: \(detail)"
    return Refusal(
      .unsatisfiable, "\(rule): needs \(needed) \(what), there are \(available)\(short)\(excluded)",
      witness: [
        Witness(
          rule: rule.clipped(to: Limits.pathBytes), needed: needed, available: available, detail: detail)
      ])
  }
}

/// How many nodes are out of question for which reason, in the order in which the reasons came up.
private struct Exclusions {
  private var reasons: [(reason: String, count: Int)] = []

  mutating func count(_ reason: String, _ more: Int = 1) {
    if let place = reasons.firstIndex(where: { $0.reason == reason }) {
      reasons[place].count += more
    } else {
      reasons.append((reason, more))
    }
  }

  var text: String { reasons.map { "\($0.count) \($0.reason)" }.joined(separator: ", ") }
}
