internal import HashTreeCollections

/// The loads of all nodes, kept as shards come and go, so that placement need not look at every shard.
///
/// Invariants:
/// - For every node, `used`, `replicas` and `leaders` are the sums over the replicas that shards have on it.
/// - A dimension that a policy or a node speaks of has a number, so a vector leaves nothing out.
package struct LoadTable: Sendable {
  /// By node number less one.
  private var nodes = PagedArray<NodeLoad>()
  /// What one replica of a collection weighs, by collection number less one.
  private var weights = PagedArray<AmountVector>()
  /// The names of dimensions, by number, in the order they were first heard of.
  package private(set) var dimensions: [String] = []
  private var domainNumbers = TreeDictionary<String, UInt32>()

  package init() {}

  package var count: Int { nodes.count }

  /// How many fault domains have a number: the highest number there is.
  package var domainCount: Int { domainNumbers.count }

  package subscript(id: NodeID) -> NodeLoad { nodes[Int(id) - 1] }

  package func forEach(_ body: (NodeID, borrowing NodeLoad) -> Void) {
    nodes.forEach { place, load in body(UInt32(place) + 1, load) }
  }

  package func dimension(_ name: String) -> Int? { dimensions.firstIndex(of: name) }

  /// Amounts as a vector; names not heard of before are not in it.
  package func vector(_ amounts: [Amount]) -> AmountVector {
    var vector = AmountVector()
    for amount in amounts {
      if let dimension = dimension(amount.dimension) { vector[dimension] = amount.value }
    }
    return vector
  }

  /// What one replica of a collection weighs.
  func weights(of collection: CollectionID) -> AmountVector { weights[Int(collection) - 1] }

  private mutating func note(_ name: String) {
    if dimension(name) == nil && dimensions.count < Limits.dimensions { dimensions.append(name) }
  }
}

// MARK: - Collections

extension LoadTable {
  /// Adds the next collection.
  mutating func addCollection(_ policy: Policy) { weights.append(noted(policy)) }

  /// Takes over the weights of a changed policy. Replicas that stand already keep those they were counted in with:
  /// whoever changes a policy counts them out before and in again afterwards.
  mutating func updateCollection(_ id: CollectionID, _ policy: Policy) { weights[Int(id) - 1] = noted(policy) }

  private mutating func noted(_ policy: Policy) -> AmountVector {
    for weight in policy.weights { note(weight.dimension) }
    return vector(policy.weights)
  }
}

// MARK: - Nodes

extension LoadTable {
  mutating func addNode(_ row: NodeRow) {
    nodes.append(NodeLoad())
    updateNode(UInt32(nodes.count), row)
  }

  /// Takes over the capacity, the fault domains and the state of a node.
  mutating func updateNode(_ id: NodeID, _ row: NodeRow) {
    for amount in row.capacity { note(amount.dimension) }
    var load = nodes[Int(id) - 1]
    load.capacity = vector(row.capacity)
    load.statedDimensions = 0
    for amount in row.capacity {
      if let dimension = dimension(amount.dimension) { load.statedDimensions |= 1 << UInt8(dimension) }
    }
    load.domains = domainNumbers(of: row)
    load.takesReplicas = row.takesReplicas
    nodes[Int(id) - 1] = load
  }

  /// Takes over whether a node takes replicas now.
  mutating func updateState(_ id: NodeID, _ row: NodeRow) {
    let place = Int(id) - 1
    guard nodes[place].takesReplicas != row.takesReplicas else { return }
    nodes[place].takesReplicas = row.takesReplicas
  }

  /// A node in a rack that names no host is a host of its own.
  private mutating func domainNumbers(of row: NodeRow) -> InlineArray<4, UInt32> {
    var numbers: InlineArray<4, UInt32> = .init(repeating: 0)
    var path = ""
    var parts = row.domain.split(separator: "/").map(String.init)
    if parts.count == 3 { parts.append(row.name) }
    for (level, part) in parts.prefix(4).enumerated() {
      path += "/" + part
      numbers[level] = domainNumber(path)
    }
    return numbers
  }

  private mutating func domainNumber(_ path: String) -> UInt32 {
    if let number = domainNumbers[path] { return number }
    let number = UInt32(domainNumbers.count) + 1
    domainNumbers[path] = number
    return number
  }
}

// MARK: - Replicas

extension LoadTable {
  /// Counts a shard's replicas and leader in.
  mutating func add(_ shard: ShardRow) {
    guard shard.replicas.count > 0 else { return }
    let weights = weights(of: shard.collection)
    for replica in shard.replicas { addReplica(replica.node, weights) }
    moveLeader(from: 0, to: shard.leader)
  }

  /// Counts a shard's replicas and leader out.
  mutating func remove(_ shard: ShardRow) {
    guard shard.replicas.count > 0 else { return }
    let weights = weights(of: shard.collection)
    for replica in shard.replicas { removeReplica(replica.node, weights) }
    moveLeader(from: shard.leader, to: 0)
  }

  mutating func addReplica(_ node: NodeID, _ weights: AmountVector) {
    let used = dimensions.count
    nodes[Int(node) - 1].add(weights, used)
  }

  mutating func removeReplica(_ node: NodeID, _ weights: AmountVector) {
    let used = dimensions.count
    nodes[Int(node) - 1].remove(weights, used)
  }

  mutating func moveLeader(from old: NodeID, to new: NodeID) {
    if old != 0 { nodes[Int(old) - 1].leaders -= 1 }
    if new != 0 { nodes[Int(new) - 1].leaders += 1 }
  }
}

extension NodeLoad {
  fileprivate mutating func add(_ weights: AmountVector, _ dimensions: Int) {
    replicas += 1
    for dimension in 0..<dimensions { used[dimension] &+= weights[dimension] }
  }

  fileprivate mutating func remove(_ weights: AmountVector, _ dimensions: Int) {
    replicas -= 1
    for dimension in 0..<dimensions { used[dimension] &-= weights[dimension] }
  }
}

extension NodeRow {
  /// Up, and neither cordoned nor asked to drain.
  package var takesReplicas: Bool { state == .up && !isCordoned }
}

extension State {
  package func load(_ node: NodeID) -> NodeLoad { loads[node] }

  /// The dimensions that nodes and policies speak of, in the order of their numbers.
  package var dimensions: [String] { loads.dimensions }

  package var nodeLoads: LoadTable { loads }
}
