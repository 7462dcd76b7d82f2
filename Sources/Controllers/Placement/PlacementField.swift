internal import MusterCluster

/// What is looked at first when a place is chosen.
enum PlacementOrder {
  /// As few replicas together as preferred, then the least loaded node.
  case leastLoaded
  /// The domain with most room first. That leaves the others to the shards that will need them, so it finds places
  /// whenever there are any, but it ignores preferences where they cost a place.
  case roomiestFirst
}

/// The nodes that a policy may use, with their load as it grows while a plan is made.
struct PlacementField {
  private let rules: PlacementRules
  private let order: PlacementOrder
  private var nodes: ContiguousArray<NodeID> = []
  private var loads: ContiguousArray<NodeLoad> = []
  /// Where a leader is preferred; empty when the policy has no preference.
  private var isPreferred: ContiguousArray<Bool> = []
  private var cells: ContiguousArray<PlacementCell> = []
  /// The best place of each cell: what is scanned for every replica.
  private var tops: ContiguousArray<Place> = []
  /// What was chosen for the shard at hand.
  private var chosen: [Choice] = []

  private struct Choice {
    var cell: Int
    var candidate: Int
  }

  init(_ rules: PlacementRules, _ state: State, _ order: PlacementOrder) {
    self.rules = rules
    self.order = order
    guard rules.unknownDimension == nil else { return }
    let table = state.nodeLoads
    var cellOfDomain = ContiguousArray<Int>(repeating: -1, count: table.domainCount + 1)
    table.forEach { node, load in
      guard rules.admits(load), rules.hasRoom(load) else { return }
      guard (rules.policy.required.isEmpty && rules.policy.rules.isEmpty) || rules.admits(state.nodes[node].labels)
      else { return }
      guard rules.keptAway[node] == nil else { return }
      let candidate = nodes.count
      nodes.append(node)
      loads.append(copy load)
      if !rules.policy.leaderPreference.isEmpty {
        isPreferred.append(rules.policy.prefersLeader(on: state.nodes[node].labels))
      }
      // The roomiest first must know each node's room, unless nodes of a domain exclude each other anyway.
      guard order == .leastLoaded || rules.separating != nil else { return add(candidate, to: openCell(load)) }
      let domain = rules.domain(load)
      if cellOfDomain[domain] < 0 { cellOfDomain[domain] = openCell(load) }
      add(candidate, to: cellOfDomain[domain])
    }
    tops = ContiguousArray(cells.map(\.best))
  }

  private mutating func openCell(_ load: borrowing NodeLoad) -> Int {
    cells.append(PlacementCell(load.domains))
    return cells.count - 1
  }

  private mutating func add(_ candidate: Int, to cell: Int) {
    let load = loads[candidate]
    cells[cell].insert(
      Place(fullness: rules.fullness(load), replicas: load.replicas, candidate: UInt32(candidate)))
  }

  /// Whether so many shards find places when no two replicas of one share a domain that separates them.
  ///
  /// They do if, and only if, the rooms of the domains, each counted up to the number of shards, add up to enough.
  mutating func fits(_ shards: Int) -> Bool {
    let limit = UInt64(shards)
    var room: UInt64 = 0
    for cell in cells.indices {
      cells[cell].room = cells[cell].places.reduce(0) {
        $0 + rules.fitting(loads[Int($1.candidate)], atMost: limit)
      }
      room += rules.separating == nil ? cells[cell].room : min(cells[cell].room, limit)
    }
    return room >= limit * UInt64(rules.policy.replicas)
  }

  // MARK: Choosing

  /// Places for so many shards of all that want some, the leader first in each; nil when this order leads nowhere.
  mutating func place(_ count: Int, of total: Int) -> [[NodeID]]? {
    var places: [[NodeID]] = []
    places.reserveCapacity(count)
    for number in 0..<count {
      guard let shard = placeOne(of: UInt64(total - number)) else { return nil }
      places.append(shard)
    }
    return places
  }

  private mutating func placeOne(of left: UInt64) -> [NodeID]? {
    chosen.removeAll(keepingCapacity: true)
    for _ in 0..<rules.policy.replicas {
      guard let cell = order == .leastLoaded ? leastLoadedCell() : roomiestCell(left) else { return nil }
      take(cell)
    }
    for choice in chosen { putBack(choice) }
    let leader = chosen.indices.min { isLeadingLess(chosen[$0].candidate, chosen[$1].candidate) } ?? 0
    chosen.swapAt(0, leader)
    loads[chosen[0].candidate].leaders += 1
    return chosen.map { nodes[$0.candidate] }
  }

  /// A place for one replica more beside those that stay; it is taken at once.
  mutating func place(_ row: ShardRow, besides source: NodeID, _ state: State) -> NodeID? {
    var best: (cell: Int, place: Place, crowding: Int)?
    for cell in cells.indices where !tops[cell].isNone {
      guard let crowding = crowding(cell, row, source, state), crowding <= best?.crowding ?? .max else { continue }
      let place = bestFree(cell, row)
      guard !place.isNone else { continue }
      if let best, best.crowding == crowding, !(place < best.place) { continue }
      best = (cell, place, crowding)
    }
    guard let best else { return nil }
    let candidate = Int(best.place.candidate)
    cells[best.cell].remove(candidate: best.place.candidate)
    loads[candidate].replicas += 1
    for weight in rules.weights { loads[candidate].used[weight.dimension] += weight.value }
    if rules.hasRoom(loads[candidate]) { add(candidate, to: best.cell) }
    tops[best.cell] = cells[best.cell].best
    return nodes[candidate]
  }

  /// How many of the replicas that stay share a preferred domain with a cell; nil when one shares a required one.
  private func crowding(_ cell: Int, _ row: ShardRow, _ source: NodeID, _ state: State) -> Int? {
    var crowding = 0
    for replica in row.replicas where replica.node != source {
      let load = state.load(replica.node)
      if let level = rules.separating, load.domain(level) == cells[cell].domain(level) { return nil }
      for level in rules.preferred where load.domain(level) == cells[cell].domain(level) { crowding += 1 }
    }
    return crowding
  }

  /// The best place of a cell whose node has no replica of the shard.
  private func bestFree(_ cell: Int, _ row: ShardRow) -> Place {
    let top = tops[cell]
    if row.replicas.index(of: nodes[Int(top.candidate)]) == nil { return top }
    var best = Place.none
    for place in cells[cell].places where place < best {
      if row.replicas.index(of: nodes[Int(place.candidate)]) == nil { best = place }
    }
    return best
  }

  private func isLeadingLess(_ a: Int, _ b: Int) -> Bool {
    if !isPreferred.isEmpty, isPreferred[a] != isPreferred[b] { return isPreferred[a] }
    return loads[a].leaders == loads[b].leaders ? a < b : loads[a].leaders < loads[b].leaders
  }

  private func leastLoadedCell() -> Int? {
    var best: Int?
    var bestTop = Place.none
    var bestCrowding = Int.max
    for cell in tops.indices where !tops[cell].isNone {
      let crowding = rules.preferred.isEmpty ? 0 : crowding(cell)
      guard crowding < bestCrowding || (crowding == bestCrowding && tops[cell] < bestTop) else { continue }
      guard isAllowed(cell) else { continue }
      best = cell
      bestTop = tops[cell]
      bestCrowding = crowding
    }
    return best
  }

  /// - Parameter left: the shards that want places, this one included: more room than that is of no use.
  private func roomiestCell(_ left: UInt64) -> Int? {
    var best: Int?
    var bestRoom: UInt64 = 0
    for cell in tops.indices where !tops[cell].isNone && isAllowed(cell) {
      let room = min(cells[cell].room, left)
      if let best, room < bestRoom || (room == bestRoom && !(tops[cell] < tops[best])) { continue }
      best = cell
      bestRoom = room
    }
    return best
  }

  private func isAllowed(_ cell: Int) -> Bool {
    guard let level = rules.separating else { return true }
    return !chosen.contains { cells[$0.cell].domain(level) == cells[cell].domain(level) }
  }

  /// How often the replicas chosen so far share a domain with this cell that they should not share.
  private func crowding(_ cell: Int) -> Int {
    var crowding = 0
    for level in rules.preferred {
      for choice in chosen where cells[choice.cell].domain(level) == cells[cell].domain(level) { crowding += 1 }
    }
    return crowding
  }

  /// Takes the best place of a cell for the shard at hand; it is out of the cell until the shard is complete.
  private mutating func take(_ cell: Int) {
    let place = cells[cell].removeBest()
    tops[cell] = cells[cell].best
    chosen.append(Choice(cell: cell, candidate: Int(place.candidate)))
  }

  private mutating func putBack(_ choice: Choice) {
    loads[choice.candidate].replicas += 1
    for weight in rules.weights { loads[choice.candidate].used[weight.dimension] += weight.value }
    cells[choice.cell].room -= 1
    if rules.hasRoom(loads[choice.candidate]) { add(choice.candidate, to: choice.cell) }
    tops[choice.cell] = cells[choice.cell].best
  }
}
