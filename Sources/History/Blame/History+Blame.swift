internal import MusterLog
package import MusterCluster
package import MusterProtocol

extension History {
  /// For each field of a thing: its value in a state, since which revision it has it, and the commit that did it.
  ///
  /// Reads the commits that speak of the thing from its last change backwards, until every field is explained; at the
  /// latest that is where it began.
  ///
  /// - Parameter state: as of the moment that is asked about, with all its parts.
  package func blame(_ name: EntityName, in state: State) throws(HistoryError) -> BlameReply {
    try blame(name, in: EntityFocus(state))
  }

  /// The same with a state that knows little more than the thing.
  package func blame(_ name: EntityName, in focus: EntityFocus) throws(HistoryError) -> BlameReply {
    var focus = focus
    let state = focus.state
    let entity: EntityID
    do throws(Refusal) { entity = try state.entity(name) } catch { throw .refused(error) }
    let before = cost
    let subject = state.blameSubject(entity)
    let found = try explain(subject, entity, state)
    var reply = BlameReply()
    reply.revision = state.revision
    reply.time = state.time
    reply.entity = state.entityText(entity)
    reply.fields = found.fields
    try focus.learn(found.commits)
    reply.commits = found.commits.map { commit in
      var report = focus.state.report(commit)
      report.events = []
      return report
    }
    reply.note(cost - before + focus.cost)
    return reply
  }

  private func explain(
    _ subject: any BlameSubject, _ entity: EntityID, _ state: State
  ) throws(HistoryError) -> (fields: [BlamedField], commits: [Commit]) {
    let present = subject.fields
    let cursor = LogCursor(CompiledFilter(entity, of: subject), self, names: state, through: subject.changed)
    var commits: [Commit] = []
    var followed = 0
    while true {
      let piece = try cursor.nextCommits(max(2, commits.count))
      commits += piece
      // What was followed is followed again from further back: only when that is worth it.
      guard cursor.isDone || commits.count >= 2 * followed else { continue }
      followed = max(commits.count, 4)
      let start = cursor.isDone ? try fieldsAtHorizon(entity) : []
      let (tracks, isWhole) = BlamePass.run(subject, commits, from: start)
      let sinces = present.map { field in
        isWhole || cursor.isDone
          ? tracks.likelySince(field.name, field.followed) ?? commits.last?.revision
          : tracks.since(field.name, field.followed)
      }
      guard cursor.isDone || sinces.allSatisfy({ $0 != nil }) else { continue }
      let fields = zip(present, sinces).map { BlamedField($0.name, $0.shown, since: $1 ?? 0) }
      let named = Set(fields.map(\.since))
      return (fields, commits.filter { named.contains($0.revision) })
    }
  }

  /// How the thing was where the history begins that is kept; empty when all is, or it began later.
  private func fieldsAtHorizon(_ entity: EntityID) throws(HistoryError) -> [PresentField] {
    guard let horizon = log.horizon else { return [] }
    let state = try state(at: horizon.revision)
    return state.has(entity) ? state.blameSubject(entity).fields : []
  }
}

extension State {
  fileprivate func has(_ entity: EntityID) -> Bool {
    switch entity {
    case .node(let id): nodes.row(id) != nil
    case .shard(let id): shards.row(id) != nil
    case .collection(let id): collections.row(id) != nil
    case .config(let id): configs.row(id) != nil
    }
  }
}

/// Follows the commits of a thing.
private enum BlamePass {
  /// - Parameters:
  ///   - commits: newest first.
  ///   - start: the fields before all that can be followed; they are so since revision 0, which nobody has.
  /// - Returns: the fields, and whether the commits reach back to where the thing began.
  static func run(
    _ subject: any BlameSubject, _ commits: [Commit], from start: [PresentField]
  ) -> (FieldTracks, isWhole: Bool) {
    var tracks = FieldTracks(start)
    var isWhole = false
    for commit in commits.reversed() {
      tracks.begin(commit.revision)
      for event in commit.events where subject.follow(event, &tracks) { isWhole = true }
    }
    return (tracks, isWhole)
  }
}
