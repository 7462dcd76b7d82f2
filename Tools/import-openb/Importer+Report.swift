import MusterBytes
import MusterClient
import MusterCluster
import MusterProtocol
import MusterRendering

extension Importer {
  /// What the cluster is like after the replay, checked against the log and against every node's capacity.
  func report(on replay: Replay) async throws -> JSON {
    let ledger = try await ledger()
    try check(ledger, replay)
    let status: ReadReply = try await client.call(.read, ReadRequest(.status(StatusQuestion())))
    let nodes = try await nodes(at: status.revision)
    try checkCapacities(nodes)
    return .object(
      [
        .init("schema", .text("muster.import-openb/1")), .init("timeline", .number(status.timeline)),
        .init("revision", .number(status.revision)), .init("time", .text(Timestamp.format(status.time))),
        .init("digest", .text(status.answer.status?.digest ?? "")),
      ] + counts(ledger, replay)
        + [.init("used", total(nodes.map(\.used)).json), .init("capacity", total(nodes.map(\.capacity)).json)])
  }

  private func counts(_ ledger: Ledger, _ replay: Replay) -> [JSON.Member] {
    let witnesses = tally.witnesses.sorted { $0.key < $1.key }
    return [
      .init("requests", .number(UInt64(replay.steps.count))), .init("nodes", .number(ledger.joined)),
      .init("created", .number(ledger.created)), .init("deleted", .number(ledger.deleted)),
      .init("refused", .number(replay.creations - ledger.created)),
      .init("resumedAfter", .number(tally.resumedAfter)), .init("repeated", .number(tally.repeated)),
      .init("refusedInThisRun", .number(tally.refused)),
      .init("witnesses", .object(witnesses.map { JSON.Member($0.key, .number($0.value)) })),
      .init("firstRefusal", tally.firstRefusal.map { .text($0) } ?? .null),
    ]
  }

  /// Reads what the log says of this client's requests.
  private func ledger() async throws -> Ledger {
    var request = LogRequest()
    request.filter.principal = Importer.principal
    request.isOldestFirst = true
    var ledger = Ledger()
    try await client.stream(.log, request).forEach { element in
      if case .item(let bytes) = element, let commit = try HistoryItem(bytes: bytes).commit {
        ledger.take(commit, session: session)
      }
      return true
    }
    return ledger
  }

  private func check(_ ledger: Ledger, _ replay: Replay) throws(ImportError) {
    if let twice = ledger.twice { throw .miscounted("request \(twice) had its effect twice") }
    guard tally.resumedAfter == 0 else { return }
    let logged = ledger.joined + ledger.created + ledger.deleted
    guard tally.committed + tally.repeated == logged, ledger.created + tally.refused == replay.creations else {
      throw .miscounted("\(tally.committed + tally.repeated) requests were acknowledged, the log has \(logged)")
    }
  }

  private func nodes(at revision: UInt64) async throws -> [NodeReport] {
    var nodes: [NodeReport] = []
    var question = NodesQuestion()
    repeat {
      let reply: ReadReply = try await client.call(.read, ReadRequest(.nodes(question), at: .revision(revision)))
      nodes += reply.answer.nodes
      question.page.after = reply.answer.next
    } while question.page.after != 0
    return nodes
  }

  private func checkCapacities(_ nodes: [NodeReport]) throws(ImportError) {
    for node in nodes {
      for used in node.used {
        let capacity = node.capacity.first { $0.dimension == used.dimension }?.value ?? 0
        guard used.value <= capacity else {
          throw .miscounted("\(node.name) carries \(used.dimension)=\(used.value) and has \(capacity)")
        }
      }
    }
  }

  private func total(_ amounts: [[Amount]]) -> [Amount] {
    let sums = Dictionary(amounts.joined().map { ($0.dimension, $0.value) }, uniquingKeysWith: +)
    return sums.sorted { $0.key < $1.key }.map { Amount($0.key, $0.value) }
  }
}

extension Replay {
  /// How many workloads it creates, or tries to.
  var creations: UInt64 {
    UInt64(steps.count { if case .create = $0 { true } else { false } })
  }
}
