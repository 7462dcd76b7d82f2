/// Amounts by dimension number, in place.
package struct AmountVector: Sendable, Equatable {
  package var values: InlineArray<8, UInt64> = .init(repeating: 0)

  package init() {}

  package subscript(dimension: Int) -> UInt64 {
    get { values[dimension] }
    set { values[dimension] = newValue }
  }

  package static func == (a: AmountVector, b: AmountVector) -> Bool {
    for dimension in 0..<Limits.dimensions where a[dimension] != b[dimension] { return false }
    return true
  }
}

/// What a node can carry and carries.
package struct NodeLoad: Sendable, Equatable {
  package var capacity = AmountVector()
  package var used = AmountVector()
  package var replicas: UInt32 = 0
  package var leaders: UInt32 = 0
  /// The numbers of its fault domains by level; equal paths have equal numbers, 0 is no domain.
  package var domains: InlineArray<4, UInt32> = .init(repeating: 0)

  package init() {}

  package static func == (a: NodeLoad, b: NodeLoad) -> Bool {
    a.capacity == b.capacity && a.used == b.used && a.replicas == b.replicas && a.leaders == b.leaders
  }
}

/// The loads of all nodes, kept as shards come and go, so that placement need not look at every shard.
package struct LoadTable: Sendable {
  /// By node number less one.
  package private(set) var nodes: ContiguousArray<NodeLoad> = []
  /// The names of dimensions, by number, in the order they were first heard of.
  package private(set) var dimensions: [String] = []
  private var domainNumbers: [String: UInt32] = [:]

  package init() {}

  package subscript(id: NodeID) -> NodeLoad { nodes[Int(id) - 1] }

  package func dimension(_ name: String) -> Int? { dimensions.firstIndex(of: name) }

  /// Amounts as a vector; names not heard of before are not in it.
  package func vector(_ amounts: [Amount]) -> AmountVector {
    var vector = AmountVector()
    for amount in amounts {
      if let dimension = dimension(amount.dimension) { vector[dimension] = amount.value }
    }
    return vector
  }

  mutating func note(_ policy: Policy) {
    for weight in policy.weights { note(weight.dimension) }
  }

  private mutating func note(_ name: String) {
    if dimension(name) == nil && dimensions.count < Limits.dimensions { dimensions.append(name) }
  }

  mutating func addNode(_ row: NodeRow) {
    nodes.append(NodeLoad())
    updateNode(UInt32(nodes.count), row)
  }

  /// Takes over the capacity and domain of a node.
  mutating func updateNode(_ id: NodeID, _ row: NodeRow) {
    for amount in row.capacity { note(amount.dimension) }
    nodes[Int(id) - 1].capacity = vector(row.capacity)
    var path = ""
    var parts = row.domain.split(separator: "/").map(String.init)
    if parts.count == 3 { parts.append(row.name) }
    for (level, part) in parts.prefix(4).enumerated() {
      path += "/" + part
      nodes[Int(id) - 1].domains[level] = domainNumber(path)
    }
  }

  private mutating func domainNumber(_ path: String) -> UInt32 {
    if let number = domainNumbers[path] { return number }
    let number = UInt32(domainNumbers.count) + 1
    domainNumbers[path] = number
    return number
  }

  /// Counts a shard's replicas and leader in.
  mutating func add(_ shard: ShardRow, weights: AmountVector) {
    for replica in shard.replicas { addReplica(replica.node, weights) }
    if shard.leader != 0 { nodes[Int(shard.leader) - 1].leaders += 1 }
  }

  /// Counts a shard's replicas and leader out.
  mutating func remove(_ shard: ShardRow, weights: AmountVector) {
    for replica in shard.replicas { removeReplica(replica.node, weights) }
    if shard.leader != 0 { nodes[Int(shard.leader) - 1].leaders -= 1 }
  }

  mutating func addReplica(_ node: NodeID, _ weights: AmountVector) {
    let place = Int(node) - 1
    nodes[place].replicas += 1
    for dimension in 0..<dimensions.count where weights[dimension] != 0 {
      nodes[place].used[dimension] &+= weights[dimension]
    }
  }

  mutating func removeReplica(_ node: NodeID, _ weights: AmountVector) {
    let place = Int(node) - 1
    nodes[place].replicas -= 1
    for dimension in 0..<dimensions.count where weights[dimension] != 0 {
      nodes[place].used[dimension] &-= weights[dimension]
    }
  }

  mutating func moveLeader(from old: NodeID, to new: NodeID) {
    if old != 0 { nodes[Int(old) - 1].leaders -= 1 }
    if new != 0 { nodes[Int(new) - 1].leaders += 1 }
  }
}

extension State {
  package func load(_ node: NodeID) -> NodeLoad { loads[node] }

  /// The dimensions that nodes and policies speak of, in the order of their numbers.
  package var dimensions: [String] { loads.dimensions }

  package var nodeLoads: LoadTable { loads }

  func weights(of collection: CollectionID) -> AmountVector {
    loads.vector(collections[collection].policy.weights)
  }
}
