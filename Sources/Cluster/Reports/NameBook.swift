/// The names that commits gave, learned from the commits alone.
package struct NameBook: NameSource, Sendable {
  private var nodes: [NodeID: String] = [:]
  private var collections: [CollectionID: String] = [:]
  /// In the order of their first shards.
  private var shards: [(first: ShardID, count: UInt32, collection: CollectionID)] = []
  /// Shards that came of splits: their collections and places there.
  private var children: [ShardID: (collection: CollectionID, index: UInt32)] = [:]
  private var configs: [ConfigID: (key: String, scope: Scope)] = [:]
  private var tenants: [TenantID: String] = [:]
  private var principals: [PrincipalID: (name: String, kind: PrincipalKind)] = [:]
  private var clients: [SessionID: String] = [:]

  package init() {}

  /// Learns what a commit names. Commits come in the order of their revisions.
  package mutating func learn(_ commit: Commit) {
    for event in commit.events { learn(event) }
  }

  package mutating func learn(_ event: Event) {
    switch event {
    case .nodeJoined(let event): nodes[event.node] = event.name
    case .collectionCreated(let event):
      collections[event.collection] = event.name
      shards.append((event.firstShard, event.shardCount, event.collection))
    case .splitStarted(let event): children[event.child] = (event.collection, event.index)
    case .configKeyAdded(let event): configs[event.config] = (event.key, event.scope)
    case .tenantCreated(let event): tenants[event.tenant] = event.name
    case .principalSeen(let event): principals[event.principal] = (event.name, event.kind)
    case .sessionOpened(let event): clients[event.session] = event.client
    default: break
    }
  }

  package func nodeName(_ id: NodeID) -> String { nodes[id] ?? "#\(id)" }
  package func collectionName(_ id: CollectionID) -> String { collections[id] ?? "#\(id)" }
  package func configAddress(_ id: ConfigID) -> (key: String, scope: Scope)? { configs[id] }
  package func tenantName(_ id: TenantID) -> String? { tenants[id] }
  package func principal(_ id: PrincipalID) -> (name: String, kind: PrincipalKind)? { principals[id] }
  package func clientName(_ id: SessionID) -> String { clients[id] ?? "#\(id)" }

  package func shardName(_ id: ShardID) -> String {
    if let child = children[id] { return "\(collectionName(child.collection))/\(child.index)" }
    guard let range = shards.last(where: { $0.first <= id }), id - range.first < range.count else { return "#\(id)" }
    return "\(collectionName(range.collection))/\(id - range.first)"
  }
}
