package import MusterCluster
package import MusterPeers
package import MusterProtocol
package import MusterWorkload

/// A write as a replica holds it.
package struct Record: Hashable {
  /// The epoch of the leader that took it.
  var epoch: UInt32
  var number: UInt64
}

/// One replica's data, and what it knows as a leader.
package final class ModelledReplica {
  var log: [Record] = []
  /// Replication from leaders of older epochs is turned away.
  var promised: UInt32 = 0
  /// The epoch in which it leads, 0 when it does not.
  var leads: UInt32 = 0
  /// How long the log was when it began to lead: only its own epoch's records count towards an acknowledgement, and
  /// with one of them all before it.
  private(set) var beganAt = 0
  /// How far each follower said it is, in this epoch.
  var progress: [String: Int] = [:]
  /// Followers that it counts on no more.
  var spared: Set<String> = []
  /// How many records it acknowledged or found acknowledged.
  var acknowledged = 0

  func begin(_ epoch: UInt32, _ record: Record) {
    (leads, promised) = (epoch, epoch)
    beganAt = log.count
    log.append(record)
    progress = [:]
    spared = []
    acknowledged = 0
  }

  /// Takes over what a leader has, as much as comes through; what the leader does not have goes.
  func copy(_ leader: ModelledReplica, atMost count: Int) {
    var common = min(log.count, leader.log.count)
    while common > 0, log[common - 1] != leader.log[common - 1] { common -= 1 }
    log.removeLast(log.count - common)
    log += leader.log[common..<min(leader.log.count, common + count)]
  }

  /// How many records at least `needed` replicas have, this one among them.
  func held(by others: [String], needed: Int) -> Int {
    let far = ([log.count] + others.map { progress[$0] ?? 0 }).sorted(by: >)
    guard needed >= 1, far.count >= needed else { return 0 }
    return far[needed - 1]
  }
}

/// A rule that a host may break: runs with one must lose writes, or the runs without prove nothing.
package enum HostFlaw: CaseIterable, Sendable {
  /// A replica that was asked how far it is goes on copying from its old leader.
  case promisesNothing
  /// A leader gives way before its heir has everything.
  case yieldsEarly
  /// A leader stops counting on a follower that alone has what was acknowledged.
  case sparesBlindly
  /// A leader acknowledges what any replica has, in sync or not.
  case countsEverybody
  /// A leader says of a follower that lags that it has caught up, and counts on what it does not have.
  case trustsBlindly
}

/// The data of every replica of a simulated cluster, and the ledger of what its writers were told.
///
/// Replicas copy from their leaders without the server's help, as those of a real system do: what keeps them honest is
/// only what the server told their agents.
package final class ModelledData {
  private var replicas: [String: [ShardID: ModelledReplica]] = [:]
  /// What writers were told is safe, in order.
  package private(set) var acknowledged: [ShardID: [Record]] = [:]
  private var written: UInt64 = 0
  /// Nodes whose processes hang.
  package var frozen: Set<String> = []
  /// Pairs of nodes that do not reach each other, with the time until then.
  private var cuts: [Set<String>: UInt64] = [:]
  /// What each replica was told last while somebody led.
  private var followed: [String: [ShardID: Assignment]] = [:]
  private let flaw: HostFlaw?

  package init(_ flaw: HostFlaw?) { self.flaw = flaw }

  package func open(_ shard: ShardID, on node: String) -> ModelledReplica {
    if let replica = replicas[node]?[shard] { return replica }
    let replica = ModelledReplica()
    replicas[node, default: [:]][shard] = replica
    return replica
  }

  package func drop(_ shard: ShardID, on node: String) { replicas[node]?[shard] = nil }

  package func replica(_ shard: ShardID, on node: String) -> ModelledReplica? { replicas[node]?[shard] }

  /// Nothing passes between two nodes until then.
  package func cut(_ a: String, _ b: String, until time: UInt64) { cuts[[a, b]] = time }

  private func reaches(_ a: String, _ b: String, _ now: UInt64) -> Bool { (cuts[[a, b]] ?? 0) <= now }

  private func next(_ epoch: UInt32) -> Record {
    written += 1
    return Record(epoch: epoch, number: written)
  }

  // MARK: A leader's work

  /// Takes writes, unless it was asked to hand over, and acknowledges what enough replicas have.
  package func lead(_ assignment: Assignment, on node: String, isWriting: Bool) {
    let replica = open(assignment.shard, on: node)
    guard assignment.epoch >= replica.promised else { return }
    if replica.leads != assignment.epoch { replica.begin(assignment.epoch, next(assignment.epoch)) }
    if isWriting, assignment.heir == 0 { replica.log.append(next(assignment.epoch)) }
    for follower in assignment.followers where !follower.isInSync { replica.spared.remove(follower.name) }
    let held = replica.held(by: counted(assignment, replica), needed: max(1, Int(assignment.minInSync)))
    guard held > replica.beganAt, held > replica.acknowledged else { return }
    let known = acknowledged[assignment.shard]?.count ?? 0
    for record in replica.log[min(known, held)..<held] { acknowledged[assignment.shard, default: []].append(record) }
    replica.acknowledged = held
  }

  /// The followers whose word makes a write safe: what the server holds in sync and the leader has not given up.
  private func counted(_ assignment: Assignment, _ replica: ModelledReplica) -> [String] {
    if flaw == .countsEverybody { return assignment.followers.map(\.name) }
    return assignment.followers.filter { $0.isInSync && !$0.isLearner && !replica.spared.contains($0.name) }.map(\.name)
  }

  /// Whether a follower has all that was acknowledged.
  package func hasCaughtUp(_ follower: Follower, _ assignment: Assignment, on node: String) -> Bool {
    if flaw == .trustsBlindly { return true }
    guard let replica = replica(assignment.shard, on: node), replica.leads == assignment.epoch else { return false }
    let progress = replica.progress[follower.name] ?? 0
    return progress > replica.beganAt && progress >= replica.acknowledged
  }

  /// Stops counting on a follower, if what was acknowledged is safe without it.
  package func spare(_ follower: Follower, _ assignment: Assignment, on node: String) -> Bool {
    guard let replica = replica(assignment.shard, on: node), replica.leads == assignment.epoch else { return false }
    if flaw == .sparesBlindly { return true }
    let others = counted(assignment, replica).filter { $0 != follower.name }
    // Until something of its own epoch is safe it does not know what earlier leaders acknowledged.
    let held = replica.held(by: others, needed: max(1, Int(assignment.minInSync)))
    guard held > replica.beganAt, held >= replica.acknowledged else { return false }
    replica.spared.insert(follower.name)
    return true
  }

  /// Whether the heir has every write, acknowledged or not.
  package func hasEverything(_ heir: String, _ assignment: Assignment, on node: String) -> Bool {
    guard let replica = replica(assignment.shard, on: node), replica.leads == assignment.epoch else { return false }
    return flaw == .yieldsEarly || (replica.progress[heir] ?? 0) >= replica.log.count
  }

  /// What a leader says of its followers, and of itself when it is asked to go.
  package func judge(_ assignment: Assignment, on node: String, _ book: inout AssignmentBook) {
    for follower in assignment.followers {
      if !follower.isInSync {
        let isWanted = follower.isOpened && !follower.isLeaving
        if isWanted, hasCaughtUp(follower, assignment, on: node) {
          book.note(assignment, follower: follower, isInSync: true)
        }
      } else if follower.isLeaving || !follower.isAlive, book.canSpare(follower, of: assignment),
        spare(follower, assignment, on: node)
      {
        book.note(assignment, follower: follower, isInSync: false)
      }
    }
    guard let heir = assignment.followers.first(where: { $0.node == assignment.heir }) else { return }
    if hasEverything(heir.name, assignment, on: node) { book.yielded(assignment) }
  }

  // MARK: A follower's work

  package func follow(_ assignment: Assignment, on node: String, _ now: UInt64, _ random: inout SeededGenerator) {
    let replica = open(assignment.shard, on: node)
    replica.leads = 0
    followed[node, default: [:]][assignment.shard] = assignment
    guard assignment.epoch >= replica.promised, !frozen.contains(assignment.leader),
      let leader = self.replica(assignment.shard, on: assignment.leader), leader.leads == assignment.epoch,
      reaches(node, assignment.leader, now), !random.oneIn(4)
    else { return }
    replica.promised = assignment.epoch
    replica.copy(leader, atMost: 1 + random.below(20))
    // What it says may be lost on the way.
    if !random.oneIn(5) { leader.progress[node] = replica.log.count }
  }

  /// Promises the epoch of an election, and says how far it is.
  package func promise(_ shard: ShardID, _ epoch: UInt32, on node: String) -> ReplicaPosition {
    let replica = open(shard, on: node)
    replica.promised = max(replica.promised, epoch)
    replica.leads = 0
    return ReplicaPosition(
      shard: shard, epoch: epoch, history: UInt64(replica.log.last?.epoch ?? 0), offset: UInt64(replica.log.count))
  }

  /// What a replica does while an election is under way: nothing, unless it is flawed.
  package func wait(_ assignment: Assignment, on node: String, _ now: UInt64, _ random: inout SeededGenerator) {
    guard flaw == .promisesNothing, let old = followed[node]?[assignment.shard] else { return }
    open(assignment.shard, on: node).promised = old.epoch
    follow(old, on: node, now, &random)
  }

  // MARK: The oracle

  /// What was acknowledged and the leader does not have; nil when it has everything.
  package func lost(_ shard: ShardID, leader: String) -> String? {
    let promised = acknowledged[shard] ?? []
    let log = replica(shard, on: leader)?.log ?? []
    guard !log.starts(with: promised) else { return nil }
    let first = promised.indices.first { $0 >= log.count || log[$0] != promised[$0] } ?? 0
    return "write \(promised[first].number) of epoch \(promised[first].epoch) (of \(promised.count))"
  }
}
