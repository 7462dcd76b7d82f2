package import MusterCluster
internal import MusterHosting
package import MusterWorkload

/// The data of every replica of a simulated cluster, and the ledger of what its writers were told.
///
/// Replicas copy from each other without the server's help, as those of a real system do: what keeps them honest is
/// only what the server told their agents.
package final class ModelledData {
  private var replicas: [String: [ShardID: ModelledReplica]] = [:]
  /// What writers were told is safe, in order.
  package private(set) var acknowledged: [ShardID: [Record]] = [:]
  private var written: UInt64 = 0
  /// Nodes whose machines hang.
  package var frozen: Set<String> = []
  /// Pairs of nodes that do not reach each other, with the time until then, in milliseconds.
  private var cuts: [Set<String>: UInt64] = [:]
  let flaw: HostFlaw?
  /// What must not happen and did: the first of it.
  package private(set) var problem: String?
  /// Who led each epoch of each shard.
  private var leaders: [ShardID: [UInt32: String]] = [:]
  /// How often a replica threw away what its leader does not have.
  package private(set) var divergences = 0
  /// Elections that may lose data, as the policy or a person says, and whose leader has not begun: by shard the epoch.
  private var excused: [ShardID: UInt32] = [:]
  /// The epoch that began with such an election: what older leaders acknowledge after it was given up with the rest.
  private var gaveUp: [ShardID: UInt32] = [:]
  /// The writes that were lost so.
  private var forgone: Set<UInt64> = []
  /// Copies that were lost so, by key the latest: of what it was a copy, all that was written up to it is lost too.
  private var forgoneCopies: [UInt64: UInt64] = [:]

  package init(_ flaw: HostFlaw?) { self.flaw = flaw }

  func replica(_ shard: ShardID, on node: String) -> ModelledReplica? { replicas[node]?[shard] }

  func open(_ shard: ShardID, on node: String, mustExist: Bool) {
    guard replicas[node]?[shard] == nil else { return }
    replicas[node, default: [:]][shard] = ModelledReplica(isIncomplete: mustExist)
  }

  package func drop(_ shard: ShardID, on node: String) { replicas[node]?[shard] = nil }

  /// What an earlier process left behind and is not assigned any more goes.
  func keepOnly(_ shards: Set<ShardID>, on node: String) {
    replicas[node] = replicas[node]?.filter { shards.contains($0.key) }
  }

  /// The databases of a node were started anew.
  package func restart(_ node: String) {
    for replica in (replicas[node] ?? [:]).values { replica.restart() }
  }

  /// Nothing passes between two nodes until then.
  package func cut(_ a: String, _ b: String, until time: UInt64) { cuts[[a, b]] = time }

  /// Every node reaches every other, and none hangs.
  func heal() {
    cuts = [:]
    frozen = []
  }

  func reaches(_ a: String, _ b: String, _ now: UInt64) -> Bool {
    cuts.isEmpty || a == b || (cuts[[a, b]] ?? 0) <= now
  }

  /// What a leader writes for itself.
  func mark(_ epoch: UInt32) -> Record {
    written += 1
    return Record(epoch: epoch, number: written)
  }

  private static let keysPerShard: UInt64 = 40

  /// What a client writes whose route is that of the leader; one whose route is the first that there was is turned away.
  private func next(_ shard: ShardID, _ leadership: Leadership) -> Record {
    var record = mark(leadership.epoch)
    var generator = SeededGenerator(seed: record.number)
    let hash = generator.next()
    let told = flaw == .takesEveryKey ? nil : leadership.keys
    guard let keys = told ?? routes[shard] else { return record }
    // Few enough that keys are written again, and deleted.
    record.key = UInt64(keys.residue) + UInt64(keys.modulus) * (hash >> 34 % ModelledData.keysPerShard)
    if hash % 4 == 0 { record.kind = .delete }
    return record
  }

  // MARK: What replicas do by themselves

  /// A moment of a node's databases: leaders take writes and acknowledge them, followers copy.
  ///
  /// - Parameter now: milliseconds.
  package func flow(_ shards: [ShardID], on node: String, _ now: UInt64, _ random: inout SeededGenerator) {
    for shard in shards {
      guard let replica = replica(shard, on: node) else { continue }
      switch replica.role {
      case .idle: continue
      case .leading(let leadership): serve(shard, replica, leadership, now, &random)
      case .following(let following): copy(shard, replica, node, following, now, &random)
      }
    }
  }

  private func serve(
    _ shard: ShardID, _ replica: ModelledReplica, _ leadership: Leadership, _ now: UInt64,
    _ random: inout SeededGenerator
  ) {
    let counted = leadership.followers.filter { $0.isCounted || flaw == .countsEverybody }.map(\.peer.node)
    let needed = leadership.acknowledgements
    if !leadership.isPaused, random.oneIn(2), replica.attachedCount(of: counted, now) >= needed {
      replica.take(next(shard, leadership))
    }
    let held = min(replica.held(by: counted, needed: needed), replica.log.count)
    guard held > replica.beganAt, held > replica.acknowledged, leadership.epoch >= gaveUp[shard] ?? 0 else { return }
    let known = acknowledged[shard]?.count ?? 0
    // Also one who does not know yet that another leads by now: what it acknowledges must be what the other has.
    let both = min(known, held)
    if both > 0, let last = acknowledged[shard]?[both - 1], replica.log[both - 1] != last {
      report("shard \(shard) acknowledges in epoch \(leadership.epoch) what does not follow \(last.number)")
    }
    if known < held { acknowledge(replica.log[known..<held], shard) }
    replica.acknowledged = held
  }

  private func copy(
    _ shard: ShardID, _ replica: ModelledReplica, _ node: String, _ following: Following, _ now: UInt64,
    _ random: inout SeededGenerator
  ) {
    guard let name = following.source?.node, following.epoch >= replica.promised, !frozen.contains(name),
      let source = self.replica(following.parent ?? shard, on: name), source.carries == following.epoch,
      reaches(node, name, now), !random.oneIn(8)
    else { return }
    replica.promised = following.epoch
    // Far behind it copies in bulk, near the end write by write.
    let isFar = source.log.count > replica.log.count + 60
    let gone = replica.copy(source, atMost: isFar ? 60 + random.below(60) : 1 + random.below(6))
    if gone > 0 { divergences += 1 }
    replica.attached = following.epoch
    // What it says may be lost on the way. A copy for another shard is heard by nobody.
    if following.parent == nil, source.leads == following.epoch, !random.oneIn(8) {
      source.heard(node, replica.log.count, now)
    }
  }

  // MARK: Splits

  /// What each shard owned at first.
  private var routes: [ShardID: HostedKeys] = [:]

  /// The shards of a new collection, from the first.
  package func found(_ first: ShardID, count: UInt32) {
    for index in 0..<count { routes[first + index] = HostedKeys(residue: index, modulus: count) }
  }

  /// What a shard owns, and since which epoch.
  private var owned: [ShardID: (keys: HostedKeys, since: UInt32)] = [:]
  /// The shards that were split from a shard, with the epochs that began with the cuts.
  private var children: [ShardID: [(child: ShardID, epoch: UInt32)]] = [:]

  /// The cut is durable: from this epoch on each of the two takes its own keys alone. All that the parent acknowledged, or
  /// will of what it took before, the child has.
  package func split(_ parent: ShardID, _ mine: KeyRange, _ child: ShardID, _ theirs: KeyRange, epoch: UInt32) {
    owned[parent] = (HostedKeys(residue: mine.residue, modulus: mine.modulus), epoch)
    owned[child] = (HostedKeys(residue: theirs.residue, modulus: theirs.modulus), epoch)
    children[parent, default: []].append((child, epoch))
    routes[child] = owned[child]?.keys
    acknowledged[child] = acknowledged[parent]
  }

  /// The cut of a merge is durable: from this epoch on the survivor takes the keys of both. Whatever its leader copied is as
  /// safe as what it acknowledged, because it said so.
  package func merge(
    _ survivor: ShardID, _ range: KeyRange, leader: String, epoch: UInt32, _ absorbed: ShardID, absorbedEpoch: UInt32
  ) {
    owned[survivor] = (HostedKeys(residue: range.residue, modulus: range.modulus), epoch)
    owned[absorbed] = (HostedKeys(residue: 0, modulus: 0), absorbedEpoch + 1)
    guard let log = replica(survivor, on: leader)?.log, let last = log.lastIndex(where: \.isCopy) else { return }
    let known = acknowledged[survivor]?.count ?? 0
    if known <= last { acknowledge(log[known...last], survivor) }
  }

  private func acknowledge(_ records: ArraySlice<Record>, _ shard: ShardID) {
    if let (keys, since) = owned[shard] ?? routes[shard].map({ ($0, 0) }) {
      for record in records where record.epoch >= since && !record.isCopy {
        guard let key = record.key, !keys.holds(hash: key) else { continue }
        report("shard \(shard) takes write \(record.number) in epoch \(record.epoch), whose key another shard owns")
      }
    }
    for (child, epoch) in children[shard] ?? [] { inherit(records, from: shard, child, before: epoch) }
    acknowledged[shard, default: []] += records
  }

  /// What a parent took before the cut and acknowledges after it is its child's too.
  private func inherit(_ records: ArraySlice<Record>, from parent: ShardID, _ child: ShardID, before epoch: UInt32) {
    var place = acknowledged[parent]?.count ?? 0
    for record in records {
      defer { place += 1 }
      guard record.epoch < epoch else { return }
      let known = acknowledged[child] ?? []
      if place < known.count {
        if known[place] != record { report("shard \(child) does not have write \(record.number) of shard \(parent)") }
      } else if place == known.count {
        acknowledged[child, default: []].append(record)
      }
    }
  }

  /// A shard forgets what is not in this range, which must be its own.
  func prunes(_ shard: ShardID, _ keys: HostedKeys) {
    if let owned = owned[shard], owned.keys != keys { report("shard \(shard) forgets keys that it owns") }
  }

  /// The newest acknowledged write to a key of which the leader of the shard that owns the key knows nothing; nil when there
  /// is none. What was deleted must not be there again.
  ///
  /// - Parameter owner: who owns a key, and who leads that shard; nil when nobody does.
  package func missing(_ shards: [ShardID], owner: (UInt64) -> (shard: ShardID, leader: String)?) -> String? {
    var newest: [UInt64: (record: Record, shard: ShardID)] = [:]
    for shard in shards {
      for record in acknowledged[shard] ?? [] where !record.isCopy && !forgone.contains(record.number) {
        guard let key = record.key, record.number > max(newest[key]?.record.number ?? 0, forgoneCopies[key] ?? 0)
        else { continue }
        newest[key] = (record, shard)
      }
    }
    var held: [ShardID: ModelledContents] = [:]
    for key in newest.keys.sorted() {
      guard let (record, shard) = newest[key], let (other, leader) = owner(key) else { continue }
      let contents = held[other] ?? ModelledContents(replica(other, on: leader)?.log ?? [])
      held[other] = contents
      let last = contents.last[key]
      let isThere = record.kind == .delete ? last?.kind != .write : false
      guard isThere || last?.number ?? 0 >= record.number else {
        return "write \(record.number), acknowledged by shard \(shard), is not in shard \(other), which owns its key"
      }
    }
    return nil
  }

  // MARK: The oracle

  /// An election that may lose data, because its policy or a person says so.
  package func excuse(_ shard: ShardID, _ epoch: UInt32) { excused[shard] = epoch }

  /// A replica begins to lead: it has everything that was acknowledged, and leads its epoch alone.
  func begins(_ shard: ShardID, _ epoch: UInt32, _ replica: ModelledReplica, on node: String) {
    if let other = leaders[shard]?.updateValue(node, forKey: epoch), other != node {
      report("shard \(shard) has two leaders of epoch \(epoch): \(other) and \(node)")
    }
    leaders[shard, default: [:]][epoch] = node
    // One that hears late that it leads, after somebody else does, need not have what the other was given since. Nothing
    // that it acknowledges may go beyond that: `serve` sees to it, also where its own word is enough.
    guard leaders[shard]?.keys.max() == epoch else { return }
    guard let promised = acknowledged[shard], let last = promised.last else { return }
    let log = replica.log
    let isExcused = excused[shard].map { $0 <= epoch } ?? false
    if isExcused {
      excused[shard] = nil
      gaveUp[shard] = epoch
    }
    guard log.count < promised.count || log[promised.count - 1] != last else { return }
    if isExcused {
      let kept = zip(log, promised).prefix { $0 == $1 }.count
      forgone.formUnion(promised[kept...].map(\.number))
      for record in promised[kept...] where record.isCopy {
        if let key = record.key { forgoneCopies[key] = max(forgoneCopies[key] ?? 0, record.number) }
      }
      acknowledged[shard] = Array(promised[..<kept])
    } else {
      report("shard \(shard) lost \(missing(shard, log)) when \(node) began to lead epoch \(epoch)")
    }
  }

  private func report(_ words: String) { if problem == nil { problem = words } }

  private func missing(_ shard: ShardID, _ log: [Record]) -> String {
    let promised = acknowledged[shard] ?? []
    let first = promised.indices.first { $0 >= log.count || log[$0] != promised[$0] } ?? 0
    return "write \(promised[first].number) of epoch \(promised[first].epoch) (of \(promised.count))"
  }

  /// What was acknowledged and the leader does not have; nil when it has everything.
  package func lost(_ shard: ShardID, leader: String) -> String? {
    let log = replica(shard, on: leader)?.log ?? []
    return log.starts(with: acknowledged[shard] ?? []) ? nil : missing(shard, log)
  }

  // MARK: Lost disks

  /// A node loses its data, unless a shard would be left with none at all: that of another which elections ask is there.
  /// Whether that one has all that was acknowledged is not asked: it is for the cluster not to take it for more than it is.
  ///
  /// - Parameter others: the nodes that elections of a shard ask.
  /// - Returns: true when it did.
  package func loseDisk(of node: String, others: (ShardID) -> [String]) -> Bool {
    let shards = (replicas[node] ?? [:]).keys.sorted()
    let isSafe = shards.allSatisfy { shard in
      others(shard).contains { $0 != node && replica(shard, on: $0)?.isIncomplete == false }
    }
    guard isSafe, !shards.isEmpty else { return false }
    replicas[node] = [:]
    return true
  }
}
