package import MusterCluster

extension History {
  /// The clients of sessions that a state has forgotten, from the commits that opened them: an export names every
  /// request's client, however long ago it was.
  package func forgottenClients(of state: State) throws(HistoryError) -> [SessionID: String] {
    var missing = 0
    for id in 1..<state.sessions.nextID where !state.sessions.holds(id) { missing += 1 }
    var clients: [SessionID: String] = [:]
    guard missing > 0 else { return clients }
    let cursor = LogCursor(CompiledFilter(events: ["SessionOpened"]), self, names: state, through: state.revision)
    while !cursor.isDone, clients.count < missing {
      for commit in try cursor.nextCommits(256) {
        for case .sessionOpened(let event) in commit.events where !state.sessions.holds(event.session) {
          clients[event.session] = event.client
        }
      }
    }
    return clients
  }
}
