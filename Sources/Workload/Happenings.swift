internal import MusterCluster

// What happens of itself: growth, failures, and what people want.

extension HistoryGenerator {
  /// Something that happens now; nil when it turned out to be impossible.
  mutating func happening() -> Asked? {
    if counters.liveNodes < 6 || (counters.liveNodes < scale.nodes && random.oneIn(30)) { return join() }
    if counters.liveShards == 0 || (counters.liveShards < scale.shards && random.oneIn(30)) {
      return createCollection()
    }
    if random.oneIn(scale.rarity) { return rarity() }
    switch random.below(100) {
    case 0..<62: return lag()
    case 62..<74: return transferLeadership()
    case 74..<84: return rebalance()
    case 84..<98: return setConfig()
    default: return fail()
    }
  }

  private mutating func rarity() -> Asked? {
    switch random.below(10) {
    case 8: return setBalancing()
    case 0: return deleteCollection()
    case 1: return changeCollection()
    case 2: return drain()
    case 3: return cordon()
    case 4: return setSchema()
    case 5: return deleteConfig()
    case 6: return createTenant()
    case 7: return maintain()
    default: return raiseAlarm()
    }
  }

  // MARK: Growth

  private mutating func join() -> Asked {
    // A machine that was removed may come back: its name then has another number.
    let number: Int
    if !counters.removedNodes.isEmpty, random.oneIn(2) {
      number = counters.removedNodes.removeFirst()
    } else {
      counters.nodes += 1
      number = counters.nodes
    }
    let command = JoinNode(
      name: "n\(number)", domain: "eu/z\(number % 3)/r\(number / 3 % 30)",
      labels: [Label("disk", number % 4 == 0 ? "hdd" : "ssd")],
      capacity: [Amount("disk", 1 << 42), Amount("memory", 1 << 38)],
      address: "10.0.\(number / 250).\(number % 250):6379", heartbeatMilliseconds: 1000)
    return .node("n\(number)", .joinNode(command))
  }

  private mutating func createCollection() -> Asked {
    counters.collections += 1
    var policy = Policy()
    policy.replicas = random.oneIn(8) ? 2 : 3
    policy.spread = [SpreadRule(.zone)]
    policy.weights = [Amount("disk", 1 << UInt64(24 + random.below(8)))]
    let left = max(1, scale.shards - counters.liveShards)
    let shards = min(left, 1 + random.below(min(500, 1 + scale.shards / 4)))
    let command = CreateCollection(
      name: "c\(counters.collections)", shards: UInt32(shards), policy: policy,
      labels: random.oneIn(4) ? [Label("team", "t\(random.below(9))")] : [], tenant: someTenant())
    return .person(.createCollection(command), named: "dev-\(random.below(20))")
  }

  private mutating func someTenant() -> String {
    counters.tenants == 0 || random.oneIn(2) ? "" : "t\(1 + random.below(counters.tenants))"
  }

  private mutating func createTenant() -> Asked {
    counters.tenants += 1
    return .person(.createTenant(CreateTenant(name: "t\(counters.tenants)")))
  }

  // MARK: Every day

  private mutating func someShard() -> ShardRow? {
    let row = state.shards[UInt32(random.below(state.shards.count)) + 1]
    return row.replicas.count > 0 ? row : nil
  }

  private mutating func someNode() -> NodeRow? {
    let row = state.nodes[UInt32(random.below(state.nodes.count)) + 1]
    return row.isRemoved ? nil : row
  }

  /// A leader reports that followers lag, or that they do not any more.
  private mutating func lag() -> Asked? {
    let first = UInt32(random.below(state.shards.count)) + 1
    let row = state.shards[first]
    guard row.replicas.count > 0 else { return nil }
    let node = row.leader
    guard node != 0, state.nodes[node].state.isAlive else { return nil }
    var command = ReportReplicas()
    command.node = node
    command.incarnation = state.nodes[node].incarnation
    for shard in first...(first + UInt32(random.below(16))) {
      guard let row = state.shards.row(shard), row.leader == node,
        let follower = row.replicas.first(where: { $0.node != node })
      else { continue }
      command.followers.append(
        FollowerWord(shard: shard, node: follower.node, epoch: row.epoch, isInSync: !follower.isInSync))
    }
    return .node(state.nodeName(node), .reportReplicas(command))
  }

  private mutating func transferLeadership() -> Asked? {
    guard let row = someShard(), let heir = heir(to: row) else { return nil }
    let command = ElectLeader(
      collection: state.collectionName(row.collection), index: row.index, node: state.nodeName(heir))
    return .controller("rebalance", .electLeader(command))
  }

  private mutating func rebalance() -> Asked? {
    guard let row = someShard(), row.move == 0 else { return nil }
    return move(row, from: row.replicas[random.below(row.replicas.count)].node, 0)
  }

  private mutating func setConfig() -> Asked? {
    let key = someKey()
    let value: ConfigValue =
      if let schema = state.schema(of: key)?.schema, let minimum = schema.minimum, let maximum = schema.maximum {
        .integer(minimum + Int64(random.below(Int(maximum - minimum) + 1)))
      } else {
        .integer(Int64(random.below(1_000_000)))
      }
    guard let scope = someScope() else { return nil }
    return .person(
      .setConfig(SetConfig(key: key, scope: scope, value: value)), named: "dev-\(random.below(20))")
  }

  private mutating func someKey() -> String { "service-\(random.below(scale.services))/limit-\(random.below(5))" }

  private mutating func someScope() -> ScopeName? {
    switch random.below(10) {
    case 0: return someNode().map { ScopeName(.node, $0.name) }
    case 1: return someShard().map { ScopeName(.collection, state.collectionName($0.collection)) }
    case 2: return counters.tenants == 0 ? nil : ScopeName(.tenant, "t\(1 + random.below(counters.tenants))")
    default: return ScopeName(.cluster)
    }
  }

  /// A node falls silent, unless many are already: this is about lost nodes, not about lost clusters.
  private mutating func fail() -> Asked? {
    guard random.oneIn(25), counters.failedNodes * 8 < counters.liveNodes else { return nil }
    let node = UInt32(random.below(state.nodes.count)) + 1
    return state.nodes[node].state.isAlive ? health(node, .suspect) : nil
  }

  // MARK: Seldom

  private mutating func deleteCollection() -> Asked? {
    guard let row = someShard() else { return nil }
    return .person(.deleteCollection(DeleteCollection(name: state.collectionName(row.collection))))
  }

  private mutating func changeCollection() -> Asked? {
    guard let row = someShard() else { return nil }
    let collection = state.collections[row.collection]
    var policy = collection.policy
    policy.weights = [Amount("disk", 1 << UInt64(24 + random.below(8)))]
    return .person(
      .changeCollection(
        ChangeCollection(
          name: collection.name, policy: policy, labels: [Label("team", "t\(random.below(9))")])))
  }

  private mutating func drain() -> Asked? {
    guard let row = someNode(), counters.liveNodes > 8, row.state == .up else { return nil }
    if random.oneIn(3), let node = state.nodeID(named: row.name) { add(.release(node)) }
    return .person(.drainNode(DrainNode(name: row.name, isOn: true)))
  }

  private mutating func cordon() -> Asked? {
    guard let row = someNode(), let node = state.nodeID(named: row.name) else { return nil }
    add(.release(node))
    return .person(.cordonNode(CordonNode(name: row.name, isOn: true)))
  }

  private mutating func setSchema() -> Asked {
    var schema = ConfigSchema()
    schema.type = .integer
    schema.minimum = 0
    schema.maximum = Int64(1_000_000 + random.below(1000))
    schema.description = "requests a second"
    return .person(.setSchema(SetSchema(key: someKey(), schema: schema)))
  }

  private mutating func deleteConfig() -> Asked? {
    guard state.configs.count > 0 else { return nil }
    let row = state.configs[UInt32(random.below(state.configs.count)) + 1]
    guard row.scope == .cluster, row.value != nil else { return nil }
    return .person(.deleteConfig(DeleteConfig(key: row.key, scope: ScopeName(.cluster))))
  }

  private mutating func maintain() -> Asked {
    add(.endMaintenance)
    return .person(.setMaintenance(SetMaintenance(isOn: true)))
  }

  private mutating func setBalancing() -> Asked {
    let mode: BalancingMode = state.cluster[1].balancing == .off ? .running : .off
    return .person(.setBalancing(SetBalancing(mode: mode)))
  }

  private mutating func raiseAlarm() -> Asked? {
    guard let row = someNode() else { return nil }
    let name = "disk-full/\(row.name)"
    add(.clearAlarm(name))
    return .controller(
      "storage", .raiseAlarm(RaiseAlarm(name: name, message: "3 % of the disk of \(row.name) is free")),
      Reason(.storageLow))
  }
}
