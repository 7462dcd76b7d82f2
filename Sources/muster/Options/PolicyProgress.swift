import MusterCluster
import MusterProtocol

/// Whether the shards of a collection stand as its policy asks.
struct PolicyProgress {
  let collection: String

  /// What is not so yet, in words; nil when all is.
  func missing(_ source: any Source) async throws -> String? {
    let whole = try await source.answer(.collections(CollectionsQuestion(name: collection)), at: .now)
    guard let wanted = whole.answer.collections.first?.policy.replicas else { return nil }
    let shards = try await source.answer(.shards(ShardsQuestion(collection: collection)), at: .now).answer.shards
    if let words = PolicyProgress.missing(shards, wanted: Int(wanted)) { return words }
    // Replicas that are whole may stand where the policy does not want them any more.
    let plan = try await source.answer(.plan(PlanQuestion()), at: .now).answer.plan
    if let obstacle = plan?.obstacles.first(where: { $0.hasPrefix(collection + "/") }) { return obstacle }
    let step = plan?.steps.first {
      $0.purpose != .balance && $0.partner.isEmpty && $0.shard.hasPrefix(collection + "/")
    }
    return step.map { "\($0.shard) is still to move from \($0.source.isEmpty ? "nowhere" : $0.source)" }
  }

  private static func missing(_ shards: [ShardReport], wanted: Int) -> String? {
    let done = shards.count { isWhole($0, wanted) }
    guard done < shards.count, let first = shards.first(where: { !isWhole($0, wanted) }) else { return nil }
    return
      "\(done) of \(shards.count) shards have \(wanted) replicas in sync and do not move; \(first.name) does not yet"
  }

  private static func isWhole(_ shard: ShardReport, _ wanted: Int) -> Bool {
    !shard.leader.isEmpty && shard.move == nil && shard.replicas.count == wanted
      && shard.replicas.allSatisfy { $0.isInSync && !$0.isEmptied && $0.isOpened && $0.role != .learner }
  }
}

extension PolicyOptions {
  /// A rule may name a collection that comes later: whoever wrote a name wrong should hear of it all the same.
  static func noteAbsent(_ names: [String], _ source: any Source) async throws {
    guard !names.isEmpty else { return }
    let known = try await source.answer(.collections(CollectionsQuestion()), at: .now).answer.collections.map(\.name)
    for name in names where !known.contains(name) {
      Terminal.error("note: there is no collection \"\(name)\"; --apart \(name) holds as soon as there is one\n")
    }
  }
}
