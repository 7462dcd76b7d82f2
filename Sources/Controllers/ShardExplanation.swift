internal import MusterCluster

/// Why a shard stands where it does, and what happens with it or why nothing does.
struct ShardExplanation {
  private let shard: ShardID
  private let row: ShardRow
  private let state: State
  private let collection: CollectionRow

  init(_ shard: ShardID, _ state: State) {
    self.shard = shard
    self.state = state
    row = state.shards[shard]
    collection = state.collections[row.collection]
  }

  /// What happens, and whose replica shall go elsewhere because of it: 0 for one that is missing, nil for none.
  private struct Movement {
    var text: String
    var source: NodeID?
    var purpose = MovePurpose.recovery

    init(_ text: String, moving source: NodeID? = nil, _ purpose: MovePurpose = .recovery) {
      self.text = text
      self.source = source
      self.purpose = purpose
    }
  }

  /// - Parameter node: the only one to judge, by name; empty for all.
  func report(only node: String) -> ExplanationReport {
    var report = ExplanationReport()
    report.shard = state.report(shard: shard)
    let movement = movement
    report.movement = movement.text.clipped(to: Limits.reasonBytes)
    report.question = question(movement.source)
    report.election = election
    let verdicts = PlacementVerdicts.make(for: row, besides: movement.source, state)
    for verdict in verdicts.nodes.prefix(Answer.rowsMax) {
      let name = state.nodeName(verdict.node)
      guard node.isEmpty || name == node else { continue }
      report.nodes.append(words(verdict, name, isCandidate: movement.source != nil))
    }
    return report
  }

  private func question(_ source: NodeID?) -> String {
    guard let source else { return "may a replica stand there" }
    return source == 0 ? "may one more replica stand there" : "may the replica of \(state.nodeName(source)) go there"
  }

  private func words(_ verdict: PlacementVerdicts.Node, _ name: String, isCandidate: Bool) -> NodeVerdict {
    var words = NodeVerdict()
    words.node = name
    words.hasReplica = row.replicas.index(of: verdict.node) != nil
    words.isLeader = row.leader == verdict.node
    var rules = verdict.rules
    if isCandidate, verdict.hasReplica {
      rules.insert(PlacementVerdicts.Rule(rule: "one replica", isMet: false, detail: "it has one already"), at: 0)
    }
    words.isAllowed = rules.allSatisfy { $0.isMet || $0.isPreference }
    words.fullness = verdict.fullness.isFinite ? UInt64(max(0, min(verdict.fullness, 1e9)) * 1000) : .max
    words.rules = rules.prefix(NodeVerdict.rulesMax).map {
      RuleReport(rule: $0.rule, isMet: $0.isMet, detail: $0.detail, isPreference: $0.isPreference)
    }
    return words
  }

  // MARK: What happens

  private var movement: Movement {
    if collection.isGone(row.index) { return Movement("the shard is gone") }
    if row.replicas.count == 0 { return Movement(unplaced, moving: 0) }
    if let move = moveWords { return Movement(move) }
    if let words = leadershipWords { return Movement(words) }
    if state.isInMaintenance, need?.purpose != .drain {
      return Movement("maintenance: nothing moves but what operators order")
    }
    guard let need else { return Movement(emptied ?? balance) }
    return Movement("\(need.text): \(place(need.source ?? 0, need.purpose))", moving: need.source, need.purpose)
  }

  private var unplaced: String {
    guard case .failure(let refusal) = PlacementPlanner().place(1, of: 1, under: collection.policy, in: state) else {
      return "the shard is not placed"
    }
    return "the shard is not placed: \(refusal.message)"
  }

  /// The replica that has to go or to come.
  private var need: Movement? {
    for replica in row.replicas {
      let node = state.nodes[replica.node]
      switch node.state {
      case .draining: return Movement("the replica on \(node.name) shall go", moving: replica.node, .drain)
      case .down: return Movement("the replica on \(node.name) is lost", moving: replica.node)
      default: break
      }
    }
    let wanted = collection.policy.replicas
    if row.replicas.count < wanted { return Movement("\(row.replicas.count) of \(wanted) replicas", moving: 0) }
    var misplacement = Misplacement(state)
    var overload = Overload(state)
    guard let (node, rule) = misplacement.find(row) ?? overload.find(row) else { return nil }
    return Movement("the replica on \(state.nodeName(node)) breaks the rule \(rule)", moving: node)
  }

  /// Whose data is gone and comes anew: nobody has to go or to come for that.
  private var emptied: String? {
    let names = row.replicas.filter(\.isEmptied).map { state.nodeName($0.node) }
    guard let first = names.first else { return nil }
    return names.count == 1
      ? "the data of the replica on \(first) is gone: it copies anew, and counts as a copy when it has everything"
      : "the data of the replicas on \(names.joined(separator: ", ")) is gone: they copy anew, and count as copies when "
        + "they have everything"
  }

  private var balance: String {
    let wanted = collection.policy.replicas
    if row.replicas.count > wanted { return "\(row.replicas.count) replicas and \(wanted) wanted: one is let go" }
    for step in BalancePlanner.plan(state, limit: Answer.rowsMax) {
      guard case .move(shard, let source, let target) = step else { continue }
      let way = "from \(state.nodeName(source)) to \(state.nodeName(target))"
      switch state.cluster[1].balancing {
      case .off: return "balancing would move it \(way): `muster rebalance start`"
      case .paused: return "balancing is paused, and would move it \(way): `muster rebalance resume`"
      case .running: return "balancing moves it \(way)" + waiting(source, target, .balance)
      }
    }
    return "no move of this shard makes loads more even"
  }

  private var moveWords: String? {
    guard let move = state.moves.row(row.move), !move.isVacant else { return nil }
    if move.isSplit {
      return "\(state.shardName(move.shard)) is split, and \(state.shardName(move.child)) gets half of its keys: "
        + move.step.name
    }
    if move.isMerge {
      return "\(state.shardName(move.absorbed)) goes into \(state.shardName(move.shard)), which copies its keys: "
        + move.step.name
    }
    let source = move.source == 0 ? "" : " from \(state.nodeName(move.source))"
    if move.target == 0 { return "a replica too many goes\(source): \(move.step.name)" }
    let isPaused = move.purpose == .balance && state.cluster[1].balancing == .paused
    let wait =
      move.isPaused
      ? ", paused: `muster move \(state.shardName(move.shard)) --resume`"
      : move.step != .waiting
        ? "" : isPaused ? ", balancing is paused" : waiting(move.source, move.target, move.purpose)
    return "a replica moves\(source) to \(state.nodeName(move.target)) (\(move.purpose.name)): \(move.step.name)\(wait)"
  }

  private func place(_ source: NodeID, _ purpose: MovePurpose) -> String {
    var planner = RecoveryPlanner(state)
    guard let target = planner.place(row, besides: source) else {
      return "no other place: \(PlacementVerdicts.make(for: row, besides: source, state).summary)"
    }
    let delay = ControllerSettings(state).repairDelay / 1000
    let isLost = source != 0 && state.nodes[source].state == .down
    let begin = isLost ? ", once it has been down for \(delay) s (\(ControllerSettings.delayKey))" : ""
    return "\(state.nodeName(target)) is the best place\(begin)" + waiting(source, target, purpose)
  }

  /// What a move that could begin waits for, as the end of a sentence; empty for nothing.
  private func waiting(_ source: NodeID, _ target: NodeID, _ purpose: MovePurpose) -> String {
    let traffic = MoveTraffic(state, ControllerSettings(state))
    if purpose == .balance, traffic.isRecovering { return "; it waits until nothing is recovered any more" }
    guard let limit = traffic.limit(on: shard, source, target, purpose) else { return "" }
    return "; it waits for its share of \(limit)"
  }

  // MARK: Who leads

  /// Why nobody leads, and what is done about it; nil while somebody does.
  private var leadershipWords: String? {
    guard !row.isMaking else { return nil }
    if state.isBeyondElection(row) { return beyondElection }
    if row.leader == 0 { return electionWords }
    let leader = state.nodes[row.leader]
    switch leader.state {
    case .suspect: return "its leader \(leader.name) is suspect: an election replaces it once it is down"
    case .down:
      return "its leader \(leader.name) is down: an election of epoch \(UInt64(row.epoch) + 1) is about to begin"
    default: return nil
    }
  }

  private var beyondElection: String {
    let (living, missing) = votersInSync
    let needed = row.answersNeeded(collection)
    let why: String
    if living.isEmpty, missing.isEmpty {
      why = "no replica is in sync"
    } else if collection.mayMissWrites(row) {
      why = "\(row.lostCopies) copies are gone, as many as acknowledge a write"
    } else {
      why =
        "\(needed) of \(living.count + missing.count) in sync must answer, \(living.count) live"
        + (missing.isEmpty
          ? "" : ", and \(missing.joined(separator: ", ")) \(missing.count == 1 ? "is" : "are") not there")
    }
    return "nobody leads, and no election brings a leader back: \(why); `muster recover plan` says what may be lost"
  }

  private var electionWords: String {
    guard let election else { return "nobody leads" }
    let away = election.missing.isEmpty ? "" : "; not there: \(election.missing.joined(separator: ", "))"
    return "an election of epoch \(row.epoch) is under way: \(election.needed) of "
      + "\(election.asked.joined(separator: ", ")) must answer\(away)"
  }

  private var election: ElectionReport? {
    guard row.leader == 0, row.replicas.count > 0, !row.isMaking else { return nil }
    var report = ElectionReport()
    report.epoch = row.epoch
    report.needed = UInt32(clamping: row.answersNeeded(collection))
    (report.asked, report.missing) = votersInSync
    return report
  }

  /// The nodes of those that may be elected, by name: those that live and have their data, and those that do not.
  private var votersInSync: (living: [String], missing: [String]) {
    let voters = row.replicas.filter(\.isVoterInSync)
    let living = voters.filter { $0.isCopy && state.nodes[$0.node].state.isAlive }
    let missing = voters.filter { !$0.isCopy || !state.nodes[$0.node].state.isAlive }
    return (
      living.map { state.nodeName($0.node) },
      missing.map { state.nodeName($0.node) + ($0.isEmptied ? " with its data" : "") }
    )
  }
}
