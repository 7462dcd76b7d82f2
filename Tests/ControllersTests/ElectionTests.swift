import MusterCluster
import MusterControllers
import MusterWorkload
import Testing

/// Elections over replicas that hold writes: what was acknowledged must be in the log of whoever leads in the end.
@Suite struct ElectionTests {
  /// Where a replica lets go of its old leader.
  enum Order: CaseIterable {
    /// It promises the epoch, then says how far it is.
    case fenceThenRead
    /// It says how far it is, and goes on listening to its old leader until it learns who was elected.
    case readThenFence
  }

  @Test func withTheRightOrderNothingAcknowledgedIsLost() {
    for seed in 1...300 as ClosedRange<UInt64> {
      for minimum in [0, 2] as [UInt32] {
        var run = ElectionRun(seed: seed, order: .fenceThenRead, minInSync: minimum)
        run.play()
        #expect(run.hasElected, "seed \(seed) elected nobody")
        #expect(run.lost.isEmpty, "seed \(seed), minimum \(minimum): \(run.lost) of \(run.acknowledged.count) writes")
      }
    }
  }

  /// The same runs must notice when the order is broken, or they prove nothing.
  @Test func withTheWrongOrderAPausedLeaderThatComesBackLosesWrites() {
    let losses = (1...300 as ClosedRange<UInt64>).count { seed in
      var run = ElectionRun(seed: seed, order: .readThenFence, minInSync: 2)
      run.play()
      return !run.lost.isEmpty
    }
    #expect(losses > 10, "only \(losses) of 300 runs lost something")
  }

  @Test func asManyMustAnswerAsIntersectEveryAcknowledgement() {
    // Of three in sync of which two acknowledge, one answer is not enough; both that live must.
    var run = ElectionRun(seed: 1, order: .fenceThenRead, minInSync: 2)
    run.kill(2)
    run.play()
    #expect(!run.hasElected, "one of three may miss what the other two acknowledged")
    var unclean = ElectionRun(seed: 1, order: .fenceThenRead, minInSync: 2, allowsUnclean: true)
    unclean.kill(2)
    unclean.play()
    #expect(unclean.hasElected)
    #expect(unclean.reason?.kind == .uncleanElection)
    #expect(unclean.reason?.text.isEmpty == false, "it is said that data may be lost")
  }

  @Test func anElectionSaysWhyThisOne() {
    var run = ElectionRun(seed: 5, order: .fenceThenRead, minInSync: 0)
    run.play()
    #expect(run.reason?.kind == .election)
    #expect(run.reason?.arguments.first?.hasPrefix("c/0: ") == true, "\(run.reason?.arguments ?? [])")
  }
}

/// Three replicas of one shard. The first leads, falls silent, and is replaced; it may come back at any moment and go on
/// as if nothing had happened.
struct ElectionRun {
  private struct Replica {
    var log: [Int] = []
    /// Replication from leaders of older epochs is turned away.
    var promised: UInt32 = 1
    var isDead = false
  }

  private(set) var acknowledged: [Int] = []
  private(set) var reason: Reason?
  private var state = State()
  private var controllers = Controllers()
  private var replicas = [Replica](repeating: Replica(), count: 3)
  private var random: SeededGenerator
  private let order: ElectionTests.Order
  private let minInSync: UInt32
  private var now: UInt64 = 1000
  private var written = 0

  init(seed: UInt64, order: ElectionTests.Order, minInSync: UInt32, allowsUnclean: Bool = false) {
    random = SeededGenerator(seed: seed)
    self.order = order
    self.minInSync = minInSync
    for node in 0..<3 {
      execute(
        .joinNode(
          JoinNode(
            name: "n\(node)", domain: "eu/z\(node)", labels: [], capacity: [], address: "", heartbeatMilliseconds: 500))
      )
    }
    var policy = Policy()
    policy.replicas = 3
    policy.minInSync = minInSync
    policy.allowsUncleanElection = allowsUnclean
    execute(.createCollection(CreateCollection(name: "c", shards: 1, policy: policy, labels: [], tenant: "")))
  }

  private mutating func execute(_ command: Command, _ reason: Reason? = nil) {
    let context = RequestContext(
      principal: "test", kind: .controller, assurance: .own, wallTime: now * 1000, reason: reason)
    guard case .committed(let commit) = state.execute(Request(command), context, PlacementPlanner()) else { return }
    if commit.events.contains(where: { $0.name == "LeaderElected" }) { self.reason = commit.reason }
  }

  mutating func kill(_ replica: Int) { replicas[replica].isDead = true }

  var hasElected: Bool { state.shards[1].leader != 0 && state.shards[1].epoch > 1 }

  /// Writes that were acknowledged and that the present leader does not have.
  var lost: [Int] {
    guard hasElected else { return [] }
    let log = Set(replicas[Int(state.shards[1].leader) - 1].log)
    return acknowledged.filter { !log.contains($0) }
  }

  mutating func play() {
    let leader = Int(state.shards[1].leader) - 1
    for _ in 0..<random.below(20) { write(leader) }
    for _ in 0..<120 {
      now += 100
      beat(leader)
      // The old leader wakes now and then, and finishes what it was about to do.
      if random.oneIn(6) { write(leader) }
      for replica in replicas.indices where replica != leader && !replicas[replica].isDead && random.oneIn(3) {
        listen(replica)
        if random.oneIn(2) { write(leader) }
      }
      for proposal in controllers.tick(state: state, now: now) { execute(proposal.command, proposal.reason) }
      if hasElected { break }
    }
    for replica in replicas.indices where !replicas[replica].isDead {
      replicas[replica].promised = state.shards[1].epoch
    }
    for _ in 0..<5 { write(leader) }
  }

  private mutating func beat(_ leader: Int) {
    for replica in replicas.indices where replica != leader && !replicas[replica].isDead {
      controllers.heard(node: NodeID(replica + 1), incarnation: 1, now: now)
    }
  }

  /// The old leader takes a write: it sends it to whoever still listens, and acknowledges when enough have it.
  private mutating func write(_ leader: Int) {
    written += 1
    replicas[leader].log.append(written)
    var have = 1
    for replica in replicas.indices where replica != leader && !replicas[replica].isDead {
      // Where a minimum is enough, some get it later.
      if minInSync > 0, random.oneIn(2) { continue }
      guard replicas[replica].promised <= 1 else { continue }
      // A stream without gaps: whoever gets this write gets those before it, too.
      replicas[replica].log = replicas[leader].log
      have += 1
    }
    let needed = minInSync == 0 ? 3 : Int(minInSync)
    if have >= needed { acknowledged.append(written) }
  }

  /// A replica hears from the control plane.
  private mutating func listen(_ replica: Int) {
    let row = state.shards[1]
    guard row.leader == 0 else { return }
    if order == .fenceThenRead { replicas[replica].promised = max(replicas[replica].promised, row.epoch) }
    let position = ReplicaPosition(
      shard: 1, epoch: row.epoch, history: 1, offset: UInt64(replicas[replica].log.count))
    controllers.heard(position, of: NodeID(replica + 1), incarnation: 1, in: state)
  }
}

/// What commits say of why somebody was elected.
@Suite struct ElectionWordsTests {
  @Test func aTieSaysWhatDecided() throws {
    var model = ClusterModel()
    for node in 0..<6 { model.join("n\(node)", "eu/z\(node % 3)/r\(node)") }
    guard case .committed = model.create("orders", shards: 9) else {
      Issue.record("the collection was refused")
      return
    }
    model.run(seconds: 3)
    model.kill("n0")
    model.run(seconds: 10)
    let reasons = model.commits.compactMap(\.reason).filter { $0.kind == .election }
    let words = reasons.flatMap(\.arguments)
    #expect(!words.isEmpty)
    for text in words {
      #expect(text.hasPrefix("orders/") && text.contains(" (epoch 0, at 0)"))
      #expect(
        text.contains("as far as others, and leads fewest shards")
          || text.contains("as far as others, and has the lowest number"), "\(text)")
    }
  }

  @Test func aPositionIsReadAsEpochAndRun() {
    #expect(ReplicaPosition(shard: 1, epoch: 2, history: 1 << 32, offset: 66).words == "epoch 1, at 66")
    #expect(ReplicaPosition(shard: 1, epoch: 2, history: 3 << 32 | 2, offset: 7).words == "epoch 3.2, at 7")
  }
}
