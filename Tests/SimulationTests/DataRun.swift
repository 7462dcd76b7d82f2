import MusterCluster
import MusterControllers
import MusterKernel
import MusterPeers
import MusterProtocol
import MusterSimulation
import MusterWorkload

/// Shards with data on nodes that hang, lag and lose touch with each other, under the real controllers and without a
/// server in between: thousands of hours in a minute.
struct DataRun {
  private static let nodes = 6
  private var state = State()
  private var controllers = Controllers()
  private var books = [AssignmentBook](repeating: AssignmentBook(), count: DataRun.nodes + 1)
  private var pilots = [[ShardID: ReplicaPilot]](repeating: [:], count: DataRun.nodes + 1)
  /// What replicas said when they promised.
  private var promises = [[ShardID: ReplicaPosition]](repeating: [:], count: DataRun.nodes + 1)
  private var frozenUntil = [UInt64](repeating: 0, count: DataRun.nodes + 1)
  private var random: SeededGenerator
  private let data: ModelledData
  /// Milliseconds.
  private var now: UInt64 = 1000
  private(set) var elections = 0
  private(set) var handOvers = 0
  private(set) var moves = 0
  private(set) var splits = 0
  private(set) var merges = 0

  init(seed: UInt64, flaw: HostFlaw? = nil) {
    random = SeededGenerator(seed: seed)
    data = ModelledData(flaw)
    for node in 1...DataRun.nodes {
      execute(
        .joinNode(
          JoinNode(
            name: "n\(node)", domain: "eu/z\(node % 3)/r\(node)", labels: [], capacity: [], address: "",
            heartbeatMilliseconds: 500, abilities: [.splits, .merges])), .node)
    }
    execute(
      .setConfig(SetConfig(key: "system/repair-delay-seconds", scope: ScopeName(.cluster), value: .integer(5))), .person
    )
    for (name, minimum) in [("a", 2), ("b", 2), ("c", 3), ("d", 0)] as [(String, UInt32)] {
      var policy = Policy()
      policy.replicas = 3
      policy.minInSync = minimum
      execute(
        .createCollection(CreateCollection(name: name, shards: 2, policy: policy, labels: [], tenant: "")), .person)
    }
  }

  var writes: Int { data.acknowledged.values.reduce(0) { $0 + $1.count } }

  /// What was acknowledged and is not to be found where it must be; nil when nothing is lost.
  mutating func play(seconds: UInt64) -> String? {
    let end = now + seconds * 1000
    while now < end {
      now += 100
      disturb()
      for node in 1...NodeID(DataRun.nodes) where now >= frozenUntil[Int(node)] { act(node) }
      for proposal in controllers.tick(state: state, now: now) {
        if case .refused(let refusal) = execute(proposal.command, .controller, proposal.controller) {
          controllers.refused(proposal, refusal, at: state.revision)
        }
      }
    }
    if let problem = data.problem { return problem }
    for shard in 1..<state.shards.nextID where state.shards[shard].leader != 0 {
      if let lost = data.lost(shard, leader: state.nodeName(state.shards[shard].leader)) { return lost }
    }
    return missing
  }

  /// A write that the owner of its key does not have.
  private var missing: String? {
    for id in 1..<state.collections.nextID {
      let row = state.collections[id]
      let problem = data.missing(row.everyShard) { key in
        guard let shard = row.shard(at: row.owner(ofHash: key)), state.shards[shard].leader != 0 else { return nil }
        return (shard, state.nodeName(state.shards[shard].leader))
      }
      if let problem { return problem }
    }
    return nil
  }

  @discardableResult
  private mutating func execute(_ command: Command, _ kind: PrincipalKind, _ name: String = "ops") -> Outcome {
    let before = state
    let context = RequestContext(principal: name, kind: kind, assurance: .own, wallTime: now * 1000)
    let outcome = state.execute(Request(command), context, PlacementPlanner())
    guard case .committed(let commit) = outcome else { return outcome }
    for event in commit.events {
      switch event {
      case .electionStarted: elections += 1
      case .leaderElected(let event) where before.shards[event.shard].heir == event.node: handOvers += 1
      case .moveAdvanced(let event) where event.step == .finished: moves += 1
      case .collectionCreated(let event): data.found(event.firstShard, count: event.shardCount)
      case .shardSplit(let event): note(event)
      case .shardsMerged(let event): note(event, before)
      default: break
      }
    }
    return outcome
  }

  private mutating func note(_ event: ShardSplit) {
    splits += 1
    let row = state.collections[event.collection]
    let (parent, child) = (state.shards[event.shard], state.shards[event.child])
    data.split(event.shard, row.range(of: parent.index), event.child, row.range(of: child.index), epoch: child.epoch)
  }

  private mutating func note(_ event: ShardsMerged, _ before: State) {
    merges += 1
    let row = state.shards[event.shard]
    data.merge(
      event.shard, event.range, leader: state.nodeName(row.leader), epoch: row.epoch, event.absorbed,
      absorbedEpoch: before.shards[event.absorbed].epoch)
  }

  // MARK: What goes wrong

  private mutating func disturb() {
    if random.oneIn(80) {
      let node = 1 + random.below(DataRun.nodes)
      frozenUntil[node] = now + UInt64(2000 + random.below(12_000))
      data.frozen.insert("n\(node)")
    }
    if random.oneIn(15) {
      data.cut(
        "n\(1 + random.below(DataRun.nodes))", "n\(1 + random.below(DataRun.nodes))",
        until: now + UInt64(random.below(5000)))
    }
    guard random.oneIn(30) else { return }
    let row = state.shards[1 + UInt32(random.below(Int(state.shards.nextID) - 1))]
    guard row.replicas.count > 0 else { return }
    let (collection, index) = (state.collectionName(row.collection), row.index)
    let target = "n\(1 + random.below(DataRun.nodes))"
    if random.oneIn(6) {
      execute(.mergeShards(MergeShards(collection: collection, index: index)), .person)
    } else if random.oneIn(4), state.collections[row.collection].indexCount < 12 {
      execute(.splitShard(SplitShard(collection: collection, index: index)), .person)
    } else if random.oneIn(3) {
      execute(.electLeader(ElectLeader(collection: collection, index: index, node: target)), .person)
    } else if row.move != 0, random.oneIn(4) {
      execute(.advanceMove(AdvanceMove(move: row.move, step: .cancelled)), .person)
    } else {
      let source = row.replicas[random.below(row.replicas.count)].node
      let start = StartMove(collection: collection, index: index, source: state.nodeName(source), target: target)
      execute(.startMove(start), .person)
    }
  }

  // MARK: A node's tenth of a second

  private mutating func act(_ node: NodeID) {
    let (place, name) = (Int(node), state.nodeName(node))
    data.frozen.remove(name)
    work(node)
    controllers.heard(node: node, incarnation: 1, now: now)
    // News come late.
    if random.oneIn(2) { listen(node) }
    for (shard, epoch) in books[place].waitingElections {
      guard let position = promises[place][shard], position.epoch == epoch else { continue }
      controllers.heard(position, of: node, incarnation: 1, in: state)
    }
    while let report = books[place].nextReport(node: node, incarnation: 1) {
      execute(.reportReplicas(report), .node, name)
      books[place].reported(report)
    }
  }

  private mutating func listen(_ node: NodeID) {
    let place = Int(node)
    var item = AssignmentsItem()
    for shard in 1..<state.shards.nextID {
      let known = books[place].assigned[shard]
      var told = state.assignment(shard, to: node)
      // Everybody is reached under his name.
      if told != nil { told?.links = state.links(shard, to: node) { [state] in state.nodeName($1) } }
      if let told, told != known { item.assigned.append(told) }
      if told == nil, known != nil { item.withdrawn.append(shard) }
    }
    let (_, close) = books[place].apply(item)
    for assignment in item.assigned {
      if pilots[place][assignment.shard] == nil {
        pilots[place][assignment.shard] = ReplicaPilot(assignment)
      } else {
        pilots[place][assignment.shard]?.assign(assignment)
      }
    }
    for shard in close {
      pilots[place][shard] = nil
      promises[place][shard] = nil
      data.drop(shard, on: state.nodeName(node))
    }
  }

  private mutating func work(_ node: NodeID) {
    let (place, name) = (Int(node), state.nodeName(node))
    let shards = pilots[place].keys.sorted()
    for shard in shards {
      guard let assignment = pilots[place][shard]?.assignment else { continue }
      hear(data.drive(&pilots[place][shard]!, on: name, now), about: assignment, place)
    }
    data.flow(shards, on: name, now, &random)
  }

  private mutating func hear(_ news: [ReplicaPilot.News], about assignment: Assignment, _ place: Int) {
    for item in news {
      switch item {
      case .opened: books[place].opened(assignment.shard)
      case .position(let position): promises[place][assignment.shard] = position
      case .follower(let follower, let isInSync): books[place].note(assignment, follower: follower, isInSync: isInSync)
      case .yielded: books[place].yielded(assignment)
      case .minimumHeld: books[place].heldMinimum(assignment)
      case .splitReady(let nodes): books[place].splitReady(assignment, nodes: nodes)
      case .pruned: books[place].pruned(assignment)
      case .paused: books[place].paused(assignment)
      case .absorbed(let hasEverything): books[place].absorbed(assignment, hasEverything: hasEverything)
      case .lost(let isGone): books[place].lost(assignment, isGone: isGone)
      }
    }
  }
}
