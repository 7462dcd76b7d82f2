internal import MusterCluster

/// Compares what replicas say of their data, and has the odd one out copied anew.
///
/// Checksums are compared only at equal positions: there, whoever applied the same writes has the same data. The data
/// that most replicas have is believed. A leader that is the odd one hands over first; where it stands one against one
/// nobody can tell who is right, and an alarm asks a person.
struct ChecksumController: Sendable {
  static let name = "checksums"
  /// How many checksums of a replica are remembered: they are not all made at the same positions.
  private static let remembered = 8

  private struct Word: Hashable, Sendable {
    var node: NodeID
    var incarnation: UInt64
    var position: ReplicaPosition
    var value: String
  }

  private var words: [ShardID: [Word]] = [:]
  /// Shards of which something new was heard, and those that differ without a majority.
  private var fresh: Set<ShardID> = []
  private var unclear: Set<ShardID> = []

  mutating func heard(_ status: ReplicaStatus, of node: NodeID, incarnation: UInt64) {
    guard !status.checksum.isEmpty, var position = status.checksumPosition else { return }
    // A position is of a history; in which epoch it is told does not matter.
    position.epoch = 0
    let word = Word(node: node, incarnation: incarnation, position: position, value: status.checksum)
    var known = words[status.shard] ?? []
    guard !known.contains(word) else { return }
    known.append(word)
    if known.count(where: { $0.node == node }) > ChecksumController.remembered,
      let oldest = known.firstIndex(where: { $0.node == node })
    {
      known.remove(at: oldest)
    }
    words[status.shard] = known
    fresh.insert(status.shard)
  }

  mutating func tick(_ state: State) -> [Proposal] {
    guard !fresh.isEmpty else { return [] }
    var proposals: [Proposal] = []
    for shard in fresh.sorted() {
      guard let row = state.shards.row(shard), row.replicas.count > 0 else {
        words[shard] = nil
        unclear.remove(shard)
        continue
      }
      words[shard]?.removeAll {
        row.replicas.index(of: $0.node) == nil || state.nodes[$0.node].incarnation != $0.incarnation
      }
      proposals += judge(shard, row, state)
      if words[shard]?.isEmpty == true { words[shard] = nil }
    }
    fresh = []
    return proposals
  }

  private mutating func judge(_ shard: ShardID, _ row: ShardRow, _ state: State) -> [Proposal] {
    let known = words[shard] ?? []
    let positions = Set(known.map(\.position)).sorted { ($0.history, $0.offset) > ($1.history, $1.offset) }
    for position in positions {
      let here = latest(known.filter { $0.position == position })
      guard here.count > 1 else { continue }
      guard Set(here.map(\.value)).count > 1 else {
        // The latest position at which they can be compared is what counts.
        return settle(shard, state)
      }
      // Whatever is decided rests on what was said now; it is said again when it is still so.
      words[shard] = []
      return rebuild(here, shard, row, state) ?? report(here, shard, state)
    }
    return []
  }

  /// The last word of each node.
  private func latest(_ words: [Word]) -> [Word] {
    words.enumerated().filter { place, word in !words[(place + 1)...].contains { $0.node == word.node } }.map(\.element)
  }

  /// Nil when no majority says the same.
  private func rebuild(_ here: [Word], _ shard: ShardID, _ row: ShardRow, _ state: State) -> [Proposal]? {
    let values = Set(here.map(\.value)).sorted()
    guard let truth = values.first(where: { value in here.count { $0.value == value } * 2 > here.count }) else {
      return nil
    }
    let reason = Reason(.checksumMismatch, arguments: arguments(here, shard, state))
    return here.filter { $0.value != truth }.sorted { $0.node < $1.node }.compactMap { odd in
      guard odd.node == row.leader else {
        return proposal(.rebuildReplica(RebuildReplica(shard: shard, node: odd.node)), reason)
      }
      let heir = here.first { word in
        word.value == truth && row.replicas.replica(on: word.node)?.isInSync == true
          && row.replicas.replica(on: word.node)?.role == .follower
      }
      guard let heir else { return nil }
      return proposal(.elect(heir.node, of: shard, state), reason)
    }
  }

  private mutating func report(_ here: [Word], _ shard: ShardID, _ state: State) -> [Proposal] {
    let name = alarm(shard, state)
    unclear.insert(shard)
    guard !isRaised(name, state) else { return [] }
    let places = here.map { "\(state.nodeName($0.node)) \($0.value.prefix(12))" }.sorted().joined(separator: ", ")
    let message =
      "replicas of \(state.shardName(shard)) differ at the same position, and none has a majority: \(places)"
    return [
      proposal(
        .raiseAlarm(RaiseAlarm(name: name, message: message.clipped(to: Limits.reasonBytes))),
        Reason(.checksumMismatch, arguments: arguments(here, shard, state)))
    ]
  }

  private mutating func settle(_ shard: ShardID, _ state: State) -> [Proposal] {
    unclear.remove(shard)
    let name = alarm(shard, state)
    guard isRaised(name, state) else { return [] }
    return [
      proposal(
        .clearAlarm(ClearAlarm(name: name)),
        Reason(.checksumMismatch, arguments: ["shard=\(state.shardName(shard))", "now=equal"]))
    ]
  }

  private func arguments(_ here: [Word], _ shard: ShardID, _ state: State) -> [String] {
    let position = here[0].position
    let values = here.map { "\(state.nodeName($0.node))=\($0.value.prefix(16))" }.sorted()
    return ["shard=\(state.shardName(shard))", "history=\(position.history)", "offset=\(position.offset)"] + values
  }

  private func alarm(_ shard: ShardID, _ state: State) -> String { "checksums/\(state.shardName(shard))" }

  private func isRaised(_ name: String, _ state: State) -> Bool {
    state.isRaised(alarm: name)
  }

  private func proposal(_ command: Command, _ reason: Reason) -> Proposal {
    Proposal(controller: ChecksumController.name, command: command, reason: reason, cause: 0)
  }
}
