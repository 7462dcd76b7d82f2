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
    let entity: EntityID
    do throws(Refusal) { entity = try state.entity(name) } catch { throw .refused(error) }
    let before = log.cost.blocks
    let subject = state.blameSubject(entity)
    let found = try explain(subject, entity, state)
    var reply = BlameReply()
    reply.revision = state.revision
    reply.time = state.time
    reply.entity = state.entityText(entity)
    reply.fields = found.fields
    reply.commits = found.commits.map { commit in
      var report = state.report(commit)
      report.events = []
      return report
    }
    reply.blocksRead = log.cost.blocks - before
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
      let (tracks, isWhole) = BlamePass.run(subject, commits)
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
}

/// Follows the commits of a thing.
private enum BlamePass {
  /// - Parameter commits: newest first.
  /// - Returns: the fields, and whether the commits reach back to where the thing began.
  static func run(_ subject: any BlameSubject, _ commits: [Commit]) -> (FieldTracks, isWhole: Bool) {
    var tracks = FieldTracks()
    var isWhole = false
    for commit in commits.reversed() {
      tracks.begin(commit.revision)
      for event in commit.events where subject.follow(event, &tracks) { isWhole = true }
    }
    return (tracks, isWhole)
  }
}
