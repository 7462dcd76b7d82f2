internal import MusterCluster
internal import MusterLog
internal import MusterProtocol
internal import MusterRendering

/// A chain of causes in plain words, and what began it.
struct CauseWords {
  let origin: OriginKind
  private let entity: EntityID
  private let chain: [Commit]
  private let state: State
  private let horizon: Horizon?
  /// Events of one commit that are told; of more only the number is.
  private static let eventsTold = 3

  /// - Parameters:
  ///   - chain: from the last decision to the first; not empty.
  ///   - state: as of the moment that is asked about.
  ///   - horizon: where the history begins that is kept.
  init(_ entity: EntityID, _ chain: [Commit], _ state: State, _ horizon: Horizon?) {
    self.entity = entity
    self.chain = chain
    self.state = state
    self.horizon = horizon
    origin = CauseOrigin.kind(chain, state)
  }

  var text: String {
    var text = presence + "\n"
    var focus: [EntityID] = [entity]
    for (place, commit) in chain.enumerated() {
      let events = told(commit, focus)
      text += "\(place == 0 ? "This is because" : "because") \(sentence(commit, events)).\n"
      text += "    revision \(commit.revision), \(Timestamp.format(commit.time)), \(who(commit))\n"
      focus = events.flatMap(state.subjects)
    }
    return text + ending + "\n"
  }

  /// The events that have to do with what was spoken of before; if there are none, the first.
  private func told(_ commit: Commit, _ focus: [EntityID]) -> [Event] {
    let related = commit.events.filter { event in focus.contains { event.speaks(of: $0) } }
    return Array((related.isEmpty ? commit.events : related).prefix(CauseWords.eventsTold))
  }

  private func sentence(_ commit: Commit, _ events: [Event]) -> String {
    let others = commit.events.count - events.count
    let clauses = events.map(state.clause) + (others > 0 ? ["\(others) more events came with it"] : [])
    let what = clauses.isEmpty ? "nothing changed" : clauses.joined(separator: "; ")
    let reason = commit.reason?.phrase
    return reason.map { "\(what): \($0)" } ?? what
  }

  private func who(_ commit: Commit) -> String {
    let row = state.principals.row(commit.principal)
    let name = row?.name ?? "#\(commit.principal)"
    return "by \(row.map { "the \($0.kind.name) " } ?? "")\(name)"
  }

  private var ending: String {
    let root = chain[chain.count - 1]
    let name = state.principals.row(root.principal)?.name ?? "#\(root.principal)"
    if let horizon, root.cause > 0, root.cause < horizon.revision {
      return "What caused that, revision \(root.cause), was cut: history is kept from revision \(horizon.revision) on."
    }
    if chain.count == WhyReply.linksMax, root.cause > 0 {
      return "The chain is longer than \(chain.count) links and not told further."
    }
    return switch origin {
    case .person: "It began with a person: \(name)."
    case .service: "It began with a service: \(name)."
    case .node: "It began with a node that spoke for itself: \(name)."
    case .failure: "It began with a failure: \(root.reason?.kind.name ?? ReasonKind.unstated.name)."
    case .policy: "It began with a policy, which \(name) wrote at revision \(root.revision)."
    case .controller: "It began with Muster's own controller \(name): \(root.reason?.kind.name ?? "unstated")."
    }
  }

  // MARK: How it is

  private var presence: String {
    switch entity {
    case .node(let id): return presence(id, state.nodes[id])
    case .shard(let id): return presence(id, state.shards[id])
    case .collection(let id):
      let row = state.collections[id]
      return
        "Collection \(row.name) is \(row.state.name), with \(row.owningCount) shards of \(row.policy.replicas) replicas."
    case .config(let id):
      let row = state.configs[id]
      let value = row.value.map { "has the value \($0.told)" } ?? "is not set"
      return "Configuration key \(row.key) (\(state.scopeName(row.scope))) \(value), version \(row.version)."
    }
  }

  private func presence(_ id: NodeID, _ row: NodeRow) -> String {
    let load =
      row.isRemoved ? "" : ", with \(state.load(id).replicas) replicas, \(state.load(id).leaders) of them leading"
    return "\(row.name) is \(row.state.name)\(row.isCordoned ? " and cordoned" : "")\(load)."
  }

  private func presence(_ id: ShardID, _ row: ShardRow) -> String {
    let name = state.shardName(id)
    guard row.replicas.count > 0 else { return "\(name) has no replicas." }
    let nodes = row.replicas.map { state.nodeName($0.node) }.joined(separator: ", ")
    let leader = row.leader == 0 ? "is led by nobody" : "is led by \(state.nodeName(row.leader))"
    let move = state.moves.row(row.move).map { ", and moves (\(state.words($0)))" } ?? ""
    return "\(name) \(leader) in epoch \(row.epoch), with replicas on \(nodes)\(move)."
  }
}

extension ConfigValue {
  /// As a sentence shows it: a long value is cut.
  var told: String {
    switch self {
    case .text(let text): "\"\(text.clipped(to: 80))\""
    case .integer(let number): "\(number)"
    case .boolean(let flag): "\(flag)"
    case .bytes(let bytes): "of \(bytes.count) bytes"
    case .sealed: "that is sealed"
    }
  }
}
