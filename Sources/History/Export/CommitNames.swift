internal import MusterCluster
internal import MusterBytes

/// The names that commits speak of by number, ready to be written. Names are never taken from what they named, so those
/// of a newer state are right for older commits.
struct CommitNames: ~Copyable {
  var nodes = NameTable()
  var collections = NameTable()
  var principals = NameTable()
  var principalKinds: [PrincipalKind] = []
  var tenants = NameTable()
  var sessions = NameTable()
  var configKeys = NameTable()
  var configScopes = NameTable()
  let state: State

  /// - Parameters:
  ///   - state: a state at or after every commit that is written.
  ///   - clients: of sessions that the state has forgotten.
  init(_ state: State, clients: [SessionID: String]) {
    self.state = state
    for id in 1..<state.nodes.nextID { nodes.append(state.nodeName(id)) }
    for id in 1..<state.collections.nextID { collections.append(state.collectionName(id)) }
    for id in 1..<state.principals.nextID {
      principals.append(state.principals.row(id)?.name ?? "")
      principalKinds.append(state.principals.row(id)?.kind ?? .person)
    }
    for id in 1..<state.tenants.nextID { tenants.append(state.tenants.row(id)?.name ?? "") }
    for id in 1..<state.sessions.nextID {
      let client = state.sessions.row(id)?.client ?? ""
      sessions.append(client.isEmpty ? clients[id] ?? "#\(id)" : client)
    }
    for id in 1..<state.configs.nextID {
      guard let row = state.configs.row(id) else { continue }
      configKeys.append(row.key)
      configScopes.append(state.scopeName(row.scope))
    }
  }
}
