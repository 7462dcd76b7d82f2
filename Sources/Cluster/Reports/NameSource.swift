/// Who knows the names of what events number. A name is never taken from what it named, so every source that knows a
/// number at all gives the same name.
package protocol NameSource {
  /// The name a node has or had, or `#7`.
  func nodeName(_ id: NodeID) -> String
  func collectionName(_ id: CollectionID) -> String
  /// `orders/17`
  func shardName(_ id: ShardID) -> String
  func configAddress(_ id: ConfigID) -> (key: String, scope: Scope)?
  func tenantName(_ id: TenantID) -> String?
  func principal(_ id: PrincipalID) -> (name: String, kind: PrincipalKind)?
  /// The client of a session, or `#7` when it was forgotten.
  func clientName(_ id: SessionID) -> String
}

extension NameSource {
  /// A tenant's name, also of the one that has no row: the system.
  package func ownerName(_ id: TenantID) -> String { id == 0 ? "system" : tenantName(id) ?? "#\(id)" }

  /// `cluster`, `node:n3`.
  package func scopeName(_ scope: Scope) -> String {
    switch scope.kind {
    case .cluster: "cluster"
    case .tenant: "tenant:" + (tenantName(scope.id) ?? "#\(scope.id)")
    case .collection: "collection:" + collectionName(scope.id)
    case .node: "node:" + nodeName(scope.id)
    }
  }
}

extension State: NameSource {
  package func configAddress(_ id: ConfigID) -> (key: String, scope: Scope)? {
    configs.row(id).map { ($0.key, $0.scope) }
  }

  package func tenantName(_ id: TenantID) -> String? { tenants.row(id)?.name }

  package func principal(_ id: PrincipalID) -> (name: String, kind: PrincipalKind)? {
    principals.row(id).map { ($0.name, $0.kind) }
  }

  package func clientName(_ id: SessionID) -> String {
    guard let client = sessions.row(id)?.client, !client.isEmpty else { return "#\(id)" }
    return client
  }
}

// What others call is not generic: it would not be specialised for them.
extension State {
  /// A commit in words. `self` is any state at or after it.
  package func report(_ commit: Commit) -> CommitReport { CommitReport(commit, self) }

  /// An event in words.
  package func report(_ event: Event) -> EventReport { EventReport(event, self) }
}
