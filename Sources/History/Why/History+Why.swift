internal import MusterBytes
internal import MusterLog
package import MusterCluster
package import MusterProtocol

extension History {
  /// The chain of causes that led to how a thing is in a state: from the last decision about it back to the person,
  /// the failure or the policy that began it.
  ///
  /// - Parameter state: as of the moment that is asked about, with all its parts.
  package func why(_ name: EntityName, in state: State) throws(HistoryError) -> WhyReply {
    try why(name, in: EntityFocus(state))
  }

  /// The same with a state that knows little more than the thing.
  package func why(_ name: EntityName, in focus: EntityFocus) throws(HistoryError) -> WhyReply {
    var focus = focus
    var state = focus.state
    let entity: EntityID
    do throws(Refusal) { entity = try state.entity(name) } catch { throw .refused(error) }
    let before = cost
    let chain = try causes(of: try lastDecision(about: entity, state), state)
    try focus.learn(chain)
    state = focus.state
    let words = CauseWords(entity, chain, state, log.horizon)
    var reply = WhyReply()
    reply.revision = state.revision
    reply.time = state.time
    reply.entity = state.entityText(entity)
    reply.chain = CauseReports.bounded(chain.map { state.report($0) })
    reply.origin = words.origin
    reply.words = words.text.clipped(to: WhyReply.wordsBytesMax)
    reply.note(cost - before + focus.cost)
    return reply
  }

  /// The newest commit that decided something about the thing. What nodes only report (a replica was opened, caught up,
  /// fell behind) is what became of a decision, not why.
  private func lastDecision(about entity: EntityID, _ state: State) throws(HistoryError) -> Commit {
    let filter = CompiledFilter(entity, events: entity.decisions)
    let cursor = LogCursor(filter, self, names: state, through: state.revision)
    while !cursor.isDone {
      let found = try cursor.nextCommits(4)
      if let commit = found.first(where: { $0.events.contains { $0.decides(entity) } }) { return commit }
    }
    if let horizon = log.horizon { throw .cut(asked: "what decided how \(state.entityText(entity)) is", horizon) }
    throw .refused(Refusal(.notFound, "nothing in the log decided how \(state.entityText(entity)) is"))
  }

  /// A commit and its causes, each a cause of the one before.
  private func causes(of commit: Commit, _ state: State) throws(HistoryError) -> [Commit] {
    var chain = [commit]
    while let last = chain.last, last.cause > 0, last.cause < last.revision, chain.count < WhyReply.linksMax,
      last.cause >= log.oldestRevision
    {
      chain.append(try self.commit(last.cause))
    }
    return chain
  }
}

/// Reports of a chain, within what a reply may hold.
private enum CauseReports {
  private static let bytesMax = 512 * 1024

  /// The first keep their events; where too many came before, only the commit stays.
  static func bounded(_ reports: [CommitReport]) -> [CommitReport] {
    var left = bytesMax
    return reports.map { report in
      var report = report
      left -= report.encoded().count
      if left < 0 { report.events = [] }
      return report
    }
  }
}

extension EntityID {
  /// The names of the events that decide how a thing is.
  fileprivate var decisions: Set<String> {
    switch self {
    case .node: BlamedNode.events
    case .collection: ["CollectionCreated", "CollectionChanged", "CollectionDeleted"]
    case .config: ["ConfigSet", "ConfigDeleted"]
    case .shard:
      [
        "ShardPlaced", "LeaderElected", "ElectionStarted", "HandOverRequested", "ReplicaRebuilding", "ReplicaEmptied",
        "ShardBegunEmpty", "ReplicaAdded", "ReplicaPromoted", "ReplicaRemoved", "MoveStarted", "MoveAdvanced",
      ]
    }
  }
}

extension Event {
  /// True when this event says what the thing shall be.
  func decides(_ entity: EntityID) -> Bool {
    guard entity.decisions.contains(name) else { return false }
    return speaks(of: entity)
  }

  func speaks(of entity: EntityID) -> Bool {
    var touched = Touched()
    touch(&touched)
    return switch entity {
    case .node(let id): touched.nodes.contains(id)
    case .shard(let id): touched.shards.contains(id)
    case .collection(let id): touched.collections.contains(id)
    case .config(let id): touched.configs.contains(id)
    }
  }
}
