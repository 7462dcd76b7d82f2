/// Which names a set of commits cannot be shown without, and which commits gave them.
package struct NamesNeeded: Sendable {
  package private(set) var nodes: Set<NodeID> = []
  package private(set) var collections: Set<CollectionID> = []
  package private(set) var shards: Set<ShardID> = []
  package private(set) var configs: Set<ConfigID> = []
  package private(set) var tenants: Set<TenantID> = []
  package private(set) var principals: Set<PrincipalID> = []
  package private(set) var sessions: Set<SessionID> = []

  package init() {}

  package var isEmpty: Bool {
    nodes.isEmpty && collections.isEmpty && shards.isEmpty && configs.isEmpty && tenants.isEmpty && principals.isEmpty
      && sessions.isEmpty
  }

  /// True when nothing but clients is missing: one that was forgotten is called by its number.
  package var isOfClientsAlone: Bool {
    nodes.isEmpty && collections.isEmpty && shards.isEmpty && configs.isEmpty && tenants.isEmpty && principals.isEmpty
  }

  /// Adds what a commit speaks of.
  package mutating func add(_ commit: Commit) {
    principals.insert(commit.principal)
    if commit.session != 0 { sessions.insert(commit.session) }
    if commit.tenant != 0 { tenants.insert(commit.tenant) }
    var touched = Touched()
    for event in commit.events {
      event.touch(&touched)
      add(event)
    }
    nodes.formUnion(touched.nodes)
    collections.formUnion(touched.collections)
    shards.formUnion(touched.shards)
    configs.formUnion(touched.configs)
    // 0 stands for none: a move without a source, say.
    nodes.remove(0)
    collections.remove(0)
    principals.remove(0)
  }

  /// Adds what an event names besides what filters take it to speak of.
  private mutating func add(_ event: Event) {
    switch event {
    case .configKeyAdded(let event): add(event.scope)
    case .collectionCreated(let event): if event.tenant != 0 { tenants.insert(event.tenant) }
    case .tenantKeyErased(let event): if event.tenant != 0 { tenants.insert(event.tenant) }
    // A shard is called by its collection.
    case .splitStarted(let event): collections.insert(event.collection)
    default: break
    }
  }

  private mutating func add(_ scope: Scope) {
    switch scope.kind {
    case .cluster: break
    case .tenant: tenants.insert(scope.id)
    case .collection: collections.insert(scope.id)
    case .node: nodes.insert(scope.id)
    }
  }

  /// Takes from a commit the names that are needed. Commits come newest first, so that what a name needs in turn is
  /// found behind it.
  ///
  /// - Returns: true when it gave one.
  package mutating func take(from commit: Commit) -> Bool {
    var isNeeded = false
    for event in commit.events where take(from: event) { isNeeded = true }
    return isNeeded
  }

  /// Takes the name that an event gives, if it is needed.
  package mutating func take(from event: Event) -> Bool {
    guard gives(event) else { return false }
    add(event)
    return true
  }

  private mutating func gives(_ event: Event) -> Bool {
    switch event {
    case .nodeJoined(let event): nodes.remove(event.node) != nil
    case .collectionCreated(let event): take(event)
    case .splitStarted(let event): shards.remove(event.child) != nil
    case .configKeyAdded(let event): configs.remove(event.config) != nil
    case .tenantCreated(let event): tenants.remove(event.tenant) != nil
    case .principalSeen(let event): principals.remove(event.principal) != nil
    case .sessionOpened(let event): sessions.remove(event.session) != nil
    default: false
    }
  }

  private mutating func take(_ event: CollectionCreated) -> Bool {
    let held = shards.filter { $0 >= event.firstShard && $0 - event.firstShard < event.shardCount }
    shards.subtract(held)
    return collections.remove(event.collection) != nil || !held.isEmpty
  }
}

extension Event {
  /// True for those that `NameBook` learns names from.
  package var givesName: Bool {
    switch self {
    case .nodeJoined, .collectionCreated, .splitStarted, .configKeyAdded, .tenantCreated, .principalSeen,
      .sessionOpened:
      true
    default: false
    }
  }
}
