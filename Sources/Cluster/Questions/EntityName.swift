/// A thing that has a past, by number.
package enum EntityID: Hashable, Sendable {
  case node(NodeID)
  case shard(ShardID)
  case collection(CollectionID)
  case config(ConfigID)
}

/// A thing that has a past, as people name it: `node/n3`, `shard/orders/17`, `collection/orders`, `config/a/b`, or
/// `config/a/b@node:n3` for another scope than the cluster.
package enum EntityName: Hashable, Sendable {
  case node(String)
  case shard(collection: String, index: UInt32)
  case collection(String)
  case config(String, ScopeName)

  /// The longest text that names one.
  package static let bytesMax = Limits.configKeyBytes + Limits.pathBytes

  /// What may be written, for messages.
  package static let forms = "node/NAME, shard/COLLECTION/NUMBER, collection/NAME or config/KEY"

  /// Nil when the text has none of the forms.
  package init?(_ text: String) {
    guard text.utf8.count <= EntityName.bytesMax, let slash = text.firstIndex(of: "/") else { return nil }
    let rest = String(text[text.index(after: slash)...])
    switch text[..<slash] {
    case "node" where Names.isValid(rest): self = .node(rest)
    case "collection" where Names.isValid(rest): self = .collection(rest)
    case "shard":
      let parts = rest.split(separator: "/", omittingEmptySubsequences: false)
      guard parts.count == 2, Names.isValid(String(parts[0])), let index = UInt32(parts[1]) else { return nil }
      self = .shard(collection: String(parts[0]), index: index)
    case "config":
      let parts = rest.split(separator: "@", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
      guard !parts[0].isEmpty, let scope = parts.count == 1 ? ScopeName(.cluster) : ScopeName(text: parts[1]) else {
        return nil
      }
      self = .config(parts[0], scope)
    default: return nil
    }
  }
}

extension State {
  /// The number of a thing as of this state. Of a node that is no member any more: the last that had the name.
  package func entity(_ name: EntityName) throws(Refusal) -> EntityID {
    switch name {
    case .node(let name):
      guard let id = nodeID(named: name) ?? lastNode(named: name) else { throw notFound("node", name) }
      return .node(id)
    case .shard(let collection, let index):
      guard let id = collectionID(named: collection), let shard = shardID(id, index) else {
        throw notFound("shard", "\(collection)/\(index)")
      }
      return .shard(shard)
    case .collection(let name):
      guard let id = collectionID(named: name) ?? lastCollection(named: name) else {
        throw notFound("collection", name)
      }
      return .collection(id)
    case .config(let key, let scope):
      guard let id = config(key, scope) else {
        throw notFound("configuration key", scope.kind == .cluster ? key : "\(key)@\(scope.text)")
      }
      return .config(id)
    }
  }

  /// As `EntityName` writes it.
  package func entityText(_ id: EntityID) -> String {
    switch id {
    case .node(let id): return "node/\(nodeName(id))"
    case .shard(let id): return "shard/\(shardName(id))"
    case .collection(let id): return "collection/\(collectionName(id))"
    case .config(let id):
      guard let row = configs.row(id) else { return "config/#\(id)" }
      return row.scope == .cluster ? "config/\(row.key)" : "config/\(row.key)@\(scopeName(row.scope))"
    }
  }

  /// A key in a scope, also of a node or collection that is gone.
  private func config(_ key: String, _ scope: ScopeName) -> ConfigID? {
    if let id = (try? self.scope(scope)).flatMap({ configID(key, in: $0) }) { return id }
    var found: ConfigID?
    configs.forEach { id, row in if row.key == key, scopeName(row.scope) == scope.text { found = id } }
    return found
  }

  private func lastNode(named name: String) -> NodeID? {
    var found: NodeID?
    nodes.forEach { id, row in if row.name == name { found = id } }
    return found
  }

  private func lastCollection(named name: String) -> CollectionID? {
    var found: CollectionID?
    collections.forEach { id, row in if row.name == name { found = id } }
    return found
  }
}
