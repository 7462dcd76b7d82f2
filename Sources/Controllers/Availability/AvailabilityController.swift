internal import MusterCluster

/// Raises an alarm where shards of a collection are short of what it promises, one for each way and collection, and
/// clears it when none is so any more.
///
/// Both wait a while: an election, a node that starts anew, or a step of a move is no matter for a person.
struct AvailabilityController: Sendable {
  static let name = "availability"
  /// How long it must be so, or not be so any more, in milliseconds.
  static let patience: UInt64 = 5_000
  /// A look at all shards begins so long after the last at the earliest, in milliseconds.
  private static let pause: UInt64 = 1_000

  private typealias Key = ShortageSurvey.Key

  /// What the last look at all shards found, when it began and of which revision it is.
  private var known: [Key: ShortShards] = [:]
  private var begun: (at: UInt64, revision: Revision, overdue: Set<NodeID>)?
  /// What the look found so far that is under way, and where it goes on.
  private var found: [Key: ShortShards] = [:]
  private var next: ShardID = 0
  private var shortSince: [Key: UInt64] = [:]
  private var wellSince: [String: UInt64] = [:]

  /// - Parameters:
  ///   - overdue: nodes that are down for longer than repair waits.
  ///   - stuck: collections of which some shards find no first place.
  mutating func tick(
    _ state: State, overdue: Set<NodeID>, stuck: [CollectionID], _ now: UInt64
  ) -> [Proposal] {
    guard look(state, overdue, now) else { return [] }
    noteUnplaced(stuck, state)
    return raises(state, now) + clears(state, now)
  }

  /// - Returns: false before all shards were seen once.
  private mutating func look(_ state: State, _ overdue: Set<NodeID>, _ now: UInt64) -> Bool {
    if next == 0 {
      if let begun {
        let isOther = begun.revision != state.revision || begun.overdue != overdue
        guard isOther, now - begun.at >= AvailabilityController.pause else { return true }
      }
      begun = (now, state.revision, overdue)
      next = 1
    }
    let last = ShardID(min(state.shards.count, Int(next) + ShardSurvey.shardsPerTick - 1))
    if next <= last {
      var survey = ShortageSurvey(state, overdue: overdue)
      survey.look(at: next...last, &found)
    }
    guard last >= state.shards.count else {
      next = last + 1
      return false
    }
    known = found
    found = [:]
    next = 0
    return true
  }

  /// Whatever the look found before: how many are placed is known at any time.
  private mutating func noteUnplaced(_ stuck: [CollectionID], _ state: State) {
    for (key, _) in known where key.shortage == .firstPlace { known[key] = nil }
    for collection in stuck {
      let row = state.collections[collection]
      let unplaced = row.firstShard + row.placedCount..<row.firstShard + row.shardCount
      known[Key(shortage: .firstPlace, collection: collection), default: ShortShards()].note(unplaced)
    }
  }

  // MARK: Alarms

  private mutating func raises(_ state: State, _ now: UInt64) -> [Proposal] {
    shortSince = shortSince.filter { known[$0.key].map { $0.due > 0 } ?? false }
    var proposals: [Proposal] = []
    for shortage in Shortage.allCases {
      for collection in known.keys.filter({ $0.shortage == shortage }).map(\.collection).sorted() {
        let key = Key(shortage: shortage, collection: collection)
        guard let shards = known[key], shards.due > 0, !state.collections[collection].isDeleted else { continue }
        let since = shortSince[key] ?? now
        shortSince[key] = since
        guard now - since >= AvailabilityController.patience, !isRaised(key, state) else { continue }
        proposals.append(raise(key, shards, state))
      }
    }
    return proposals
  }

  private func raise(_ key: Key, _ shards: ShortShards, _ state: State) -> Proposal {
    let row = state.collections[key.collection]
    let first = shards.first[0]
    let message = words(key, shards, state).clipped(to: Limits.reasonBytes)
    return proposal(
      .raiseAlarm(RaiseAlarm(name: alarm(key, state), message: message)),
      ["collection=\(row.name)", "\(key.shortage.rawValue)=\(shards.due)", "first=\(state.shardName(first))"],
      cause: state.shards[first].changed)
  }

  private func words(_ key: Key, _ shards: ShortShards, _ state: State) -> String {
    let row = state.collections[key.collection]
    let names = shards.names(state)
    let (count, verb, few) =
      shards.due == 1 ? ("1 shard", "has", "takes") : ("\(shards.due) shards", "have", "take")
    switch key.shortage {
    case .unavailable:
      return "\(count) of \(row.name) \(verb) no leader, and no election brings one back: \(names); "
        + "`muster recover plan` says who is missing and what may be lost"
    case .minimum:
      return
        "\(count) of \(row.name) \(few) no writes: fewer than \(max(1, row.policy.minInSync)) replicas in sync live:"
        + " \(names)"
    case .firstPlace:
      let find = shards.due == 1 ? "finds" : "find"
      return "\(count) of \(row.name) \(find) no first place: \(names); "
        + "`muster explain \(state.shardName(shards.first[0]))` says why"
    case .place:
      let lacks = shards.due == 1 ? "lacks" : "lack"
      return "\(count) of \(row.name) \(lacks) a replica and there is no place for one: \(names); "
        + "`muster explain \(state.shardName(shards.first[0]))` says why"
    }
  }

  /// Also those that an earlier run of the server raised.
  private mutating func clears(_ state: State, _ now: UInt64) -> [Proposal] {
    var proposals: [Proposal] = []
    var raised: Set<String> = []
    state.alarms.forEach { _, alarm in
      guard alarm.isRaised, let (shortage, name) = AvailabilityController.parts(alarm.name) else { return }
      raised.insert(alarm.name)
      let collection = state.collectionID(named: name)
      if let collection, known[Key(shortage: shortage, collection: collection)] != nil {
        wellSince[alarm.name] = nil
        return
      }
      let since = wellSince[alarm.name] ?? now
      wellSince[alarm.name] = since
      // Of a collection that is gone nothing is waited for.
      guard collection == nil || now - since >= AvailabilityController.patience else { return }
      proposals.append(
        proposal(
          .clearAlarm(ClearAlarm(name: alarm.name)), ["collection=\(name)", "\(shortage.rawValue)=0"], cause: 0))
    }
    wellSince = wellSince.filter { raised.contains($0.key) }
    return proposals
  }

  private func alarm(_ key: Key, _ state: State) -> String {
    "\(key.shortage.rawValue)/\(state.collectionName(key.collection))"
  }

  private static func parts(_ alarm: String) -> (shortage: Shortage, collection: String)? {
    let parts = alarm.split(separator: "/", maxSplits: 1)
    guard parts.count == 2, let shortage = Shortage(rawValue: String(parts[0])) else { return nil }
    return (shortage, String(parts[1]))
  }

  private func isRaised(_ key: Key, _ state: State) -> Bool {
    state.isRaised(alarm: alarm(key, state))
  }

  private func proposal(_ command: Command, _ arguments: [String], cause: Revision) -> Proposal {
    Proposal(
      controller: AvailabilityController.name, command: command, reason: Reason(.availability, arguments: arguments),
      cause: cause)
  }
}
