import MusterCluster
import MusterHistory
import MusterLog
import MusterProtocol
import MusterWorkload
import Testing

@Suite struct BlameTests {
  private let recorded: RecordedHistory
  private let history: History

  init() throws {
    recorded = try BlameTests.shared.get()
    history = try recorded.history()
  }

  /// Nobody writes to it.
  nonisolated(unsafe) private static let shared = Result { try RecordedHistory(seed: 61, commits: 2500, shards: 60) }

  private func blame(_ name: String, at revision: Revision) throws -> BlameReply {
    try history.blame(try #require(EntityName(name)), in: recorded.states[Int(revision)])
  }

  /// Since when a field has its value, by looking at every state from the last to the first.
  private func since(_ revision: Revision, _ value: (State) -> String?) -> Revision {
    let now = value(recorded.states[Int(revision)])
    var since = revision
    while since > 0, value(recorded.states[Int(since) - 1]) == now { since -= 1 }
    return since
  }

  private func expect(
    _ name: String, at revision: Revision, _ fields: (State) -> [String: String],
    _ location: SourceLocation = #_sourceLocation
  ) throws {
    let reply = try blame(name, at: revision)
    #expect(reply.revision == revision && reply.entity == name, sourceLocation: location)
    let now = fields(recorded.states[Int(revision)])
    #expect(Set(reply.fields.map(\.name)) == Set(now.keys), "\(name)", sourceLocation: location)
    for field in reply.fields {
      let expected = since(revision) { fields($0)[field.name] }
      #expect(field.since == expected, "\(name) \(field.name) at \(revision)", sourceLocation: location)
      #expect(reply.commit(field.since)?.revision == field.since, sourceLocation: location)
    }
  }

  @Test func theFieldsOfANodeAreExplainedAsEveryStateSays() throws {
    var random = SeededGenerator(seed: 3)
    for _ in 0..<60 {
      let revision = Revision(recorded.commits.count / 4 + random.below(recorded.commits.count * 3 / 4))
      let state = recorded.states[Int(revision)]
      let id = NodeID(1 + random.below(state.nodes.count))
      let name = state.nodes[id].name
      guard state.nodeID(named: name) == id else { continue }
      try expect("node/\(name)", at: revision) { state in
        guard let row = state.nodes.row(id) else { return [:] }
        return [
          "state": row.state.name, "cordoned": "\(row.isCordoned)", "drainRequested": "\(row.isDrainRequested)",
          "incarnation": "\(row.incarnation)", "domain": row.domain, "labels": "\(row.labels)",
          "capacity": "\(row.capacity)", "address": row.address,
          "heartbeatMilliseconds": "\(row.heartbeatMilliseconds)",
        ]
      }
    }
  }

  @Test func theFieldsOfAShardAreExplainedAsEveryStateSays() throws {
    var random = SeededGenerator(seed: 4)
    var isMoving = false
    for _ in 0..<60 {
      let revision = Revision(recorded.commits.count / 4 + random.below(recorded.commits.count * 3 / 4))
      let state = recorded.states[Int(revision)]
      let id = ShardID(1 + random.below(state.shards.count))
      let row = state.shards[id]
      guard row.replicas.count > 0 else { continue }
      isMoving = isMoving || row.move != 0
      let held = row.replicas.map { (node: $0.node, name: "replica \(state.nodeName($0.node))") }
      try expect("shard/\(state.shardName(id))", at: revision) { state in
        guard let row = state.shards.row(id) else { return [:] }
        var fields = [
          "leader": "\(row.leader)", "epoch": "\(row.epoch)", "handingOverTo": "\(row.heir)",
          "moving": row.move == 0 ? "" : "\(row.move) \(state.moves[row.move].step)",
        ]
        // A shard begins when it is placed: before there is nothing that could have a value.
        if row.replicas.count == 0 { fields = [:] }
        for held in held {
          let replica = row.replicas.replica(on: held.node)
          fields["\(held.name) role"] = "\(replica.map { $0.role.name } ?? "")"
          fields["\(held.name) inSync"] = "\(replica.map { "\($0.isInSync)" } ?? "")"
          fields["\(held.name) opened"] = "\(replica.map { "\($0.isOpened)" } ?? "")"
        }
        return fields
      }
    }
    #expect(isMoving, "some of them were on the move")
  }

  @Test func theFieldsOfACollectionAreExplainedAsEveryStateSays() throws {
    for revision in stride(from: recorded.last / 2, through: recorded.last, by: 397) {
      let state = recorded.states[Int(revision)]
      try state.collections.forEach { id, row in
        guard state.collectionID(named: row.name) == id else { return }
        try expect("collection/\(row.name)", at: revision) { state in
          guard let row = state.collections.row(id) else { return [:] }
          var fields = ["state": row.state.name, "shards": "\(row.shardCount)", "labels": "\(row.labels)"]
          fields["wantedShards"] = "\(row.wantedShards)"
          for field in row.policy.fieldReports { fields[field.name] = "\(field.value)" }
          return fields
        }
      }
    }
  }

  @Test func aConfigurationValueIsExplainedByItsLastWriteAndOlderOnesAreNotRead() throws {
    var isCheap = false
    for revision in stride(from: recorded.last / 2, through: recorded.last, by: 251) {
      let state = recorded.states[Int(revision)]
      try state.configs.forEach { id, row in
        let reply = try blame(state.entityText(.config(id)), at: revision)
        #expect(reply.fields.map(\.name) == ["value", "version"])
        #expect(
          reply.fields[0].since == since(revision) { $0.configs.row(id).map { "\(String(describing: $0.value))" } })
        #expect(reply.fields[1].since == row.changed)
        #expect(reply.fields[1].value == .number(row.version))
        isCheap = isCheap || reply.blocksRead < UInt64(recorded.blockEnds.count) / 3
      }
    }
    #expect(isCheap)
  }

  @Test func eachFieldNamesWhoDidItAndWhy() throws {
    let state = recorded.states[Int(recorded.last)]
    let id = try #require(
      (1..<state.shards.nextID).first { state.shards[$0].leader != 0 && state.shards[$0].epoch > 1 })
    let reply = try blame("shard/\(state.shardName(id))", at: recorded.last)
    let leader = try #require(reply.fields.first { $0.name == "leader" })
    let commit = recorded.commits[Int(leader.since) - 1]
    let shown = try #require(reply.commit(leader.since))
    #expect(shown.principal == state.principals[commit.principal].name)
    #expect(shown.reason == commit.reason ?? Reason() && shown.time == commit.time && shown.events.isEmpty)
    #expect(leader.value == .text(state.nodeName(state.shards[id].leader)))
  }

  @Test(arguments: ["node/nobody", "shard/c1/999999", "collection/nothing", "config/no/such", "config/a@node:nobody"])
  func whatNeverWasIsRefused(_ name: String) throws {
    do {
      _ = try blame(name, at: recorded.last)
      Issue.record("\(name) was explained")
    } catch HistoryError.refused(let refusal) {
      #expect(refusal.code == .notFound)
    }
  }

  @Test(arguments: [
    "", "node", "node/", "node/A", "nodes/n1", "shard/c1", "shard/c1/", "shard/c1/x", "shard/c1/-1", "shard/c1/1/2",
    "shard//1", "config/", "config/a@", "config/a@nowhere", "config/a@node:", "collection/a/b", "/", "//",
    "shard/c1/99999999999999999999",
  ])
  func aNameOfNothingIsNone(_ text: String) { #expect(EntityName(text) == nil) }
}
