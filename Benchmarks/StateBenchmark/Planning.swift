import MusterCluster
import MusterControllers

/// First placement of a collection of a million shards on 1,000 nodes in 100 racks and 10 zones, and the plan for what
/// one of these nodes held after it is lost.
func planning(shards: Int, nodes count: Int) {
  var state = nodes(count)
  var policy = Policy()
  policy.replicas = 3
  policy.spread = [SpreadRule(.zone), SpreadRule(.rack)]
  policy.weights = [Amount("disk", 1 << 30)]
  for _ in 0..<3 { place(shards, policy, state) }
  create(shards, policy, &state)
  for _ in 0..<3 { replan(state, lost: NodeID(count / 2)) }
}

private func nodes(_ count: Int) -> State {
  var state = State()
  for number in 0..<count {
    let node = JoinNode(
      name: "n\(number)", domain: "eu/z\(number % 10)/r\(number % 100)", labels: [],
      capacity: [Amount("disk", 1 << 50)], address: "", heartbeatMilliseconds: 0)
    execute(.joinNode(node), &state)
  }
  return state
}

private func execute(_ command: Command, _ state: inout State) {
  let context = RequestContext(
    principal: "benchmark", kind: .service, assurance: .own, wallTime: 1_700_000_000_000_000)
  guard case .committed = state.execute(Request(command), context, PlacementPlanner()) else {
    fatalError("state-benchmark: \(command.name) was not accepted")
  }
}

private func place(_ shards: Int, _ policy: Policy, _ state: State) {
  let watch = Stopwatch()
  guard case .success(let places) = PlacementPlanner().place(shards, of: shards, under: policy, in: state) else {
    fatalError("state-benchmark: the collection finds no place")
  }
  show("first placement of \(shards) shards of 3 replicas", watch.processor / 1_000_000, "ms", "at most 1000", watch)
  var counts = [Int](repeating: 0, count: state.nodes.count + 1)
  for nodes in places { for node in nodes { counts[Int(node)] += 1 } }
  let mean = Double(shards * policy.replicasCount) / Double(state.nodes.count)
  show("  the fullest node, in means", Double(counts.max() ?? 0) / mean, "", "at most 1.02")
}

private func create(_ shards: Int, _ policy: Policy, _ state: inout State) {
  var left = shards
  while left > 0 {
    let count = min(left, Limits.shardsPerPlacement)
    execute(
      .createCollection(
        CreateCollection(name: "c\(left)", shards: UInt32(count), policy: policy, labels: [], tenant: "")), &state)
    left -= count
  }
}

private func replan(_ state: State, lost: NodeID) {
  let watch = Stopwatch()
  let steps = RecoveryPlanner.plan(lost: lost, state)
  show("plan for the \(steps.count) replicas of a lost node", watch.processor / 1_000_000, "ms", "at most 20", watch)
  guard steps.allSatisfy({ $0.target != nil }) else { fatalError("state-benchmark: a replica finds no place") }
}

extension Policy {
  fileprivate var replicasCount: Int { Int(replicas) }
}
