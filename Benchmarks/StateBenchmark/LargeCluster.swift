import MusterCluster
import MusterControllers
import MusterWorkload

/// A cluster of 1,000 nodes in three zones with so many shards of three replicas.
struct LargeCluster {
  private(set) var state = State()
  private static let nodes = 1000
  private static let context = RequestContext(
    principal: "benchmark", kind: .service, assurance: .own, wallTime: 1_700_000_000_000_000)

  init(shards: Int) {
    let before = residentBytes()
    for number in 0..<LargeCluster.nodes { execute(.joinNode(LargeCluster.node(number))) }
    let watch = Stopwatch()
    var left = shards
    while left > 0 {
      let count = min(left, Limits.shardsPerPlacement)
      execute(.createCollection(LargeCluster.collection("c\(left)", count)))
      left -= count
    }
    let perThousand = watch.processor / Double(shards) * 1000 / 1_000_000
    show("create 1,000 shards of 3 replicas on 1,000 nodes", perThousand, "ms", "at most 10", watch)
    show("memory of \(shards) shards", Double(residentBytes() - before) / 1_000_000, "MB", "at most 200")
  }

  private mutating func execute(_ command: Command) {
    guard case .committed = state.execute(Request(command), LargeCluster.context, PlacementPlanner()) else {
      fatalError("state-benchmark: \(command.name) was not accepted")
    }
  }

  private static func node(_ number: Int) -> JoinNode {
    JoinNode(
      name: "n\(number)", domain: "eu/z\(number % 3)/r\(number % 30)", labels: [],
      capacity: [Amount("disk", 1 << 50)], address: "", heartbeatMilliseconds: 0)
  }

  private static func collection(_ name: String, _ shards: Int) -> CreateCollection {
    var policy = Policy()
    policy.replicas = 3
    policy.spread = [SpreadRule(.zone)]
    policy.weights = [Amount("disk", 1 << 30)]
    return CreateCollection(name: name, shards: UInt32(shards), policy: policy, labels: [], tenant: "")
  }
}

extension LargeCluster {
  /// A command that changes one row: a replica falls behind, or has caught up.
  static func report(_ state: State, _ random: inout SeededGenerator) -> Command {
    let shard = UInt32(random.below(state.shards.count)) + 1
    let row = state.shards[shard]
    let followers = row.replicas.filter { $0.node != row.leader }
    let follower = followers[random.below(followers.count)]
    var report = ReportReplicas()
    report.node = row.leader
    report.incarnation = 1
    report.followers = [
      FollowerWord(shard: shard, node: follower.node, epoch: row.epoch, isInSync: !follower.isInSync)
    ]
    return .reportReplicas(report)
  }

  /// A command that changes one row and the leaders of two nodes.
  static func election(_ state: State, _ random: inout SeededGenerator) -> Command {
    let row = state.shards[UInt32(random.below(state.shards.count)) + 1]
    let node = row.replicas.first { $0.isInSync && $0.node != row.leader }?.node ?? row.leader
    return .electLeader(
      ElectLeader(
        collection: state.collectionName(row.collection), index: row.index, node: state.nodeName(node)))
  }
}
