package import MusterCluster
package import MusterLog

// How the index of the log knows what commits speak of.

extension History {
  /// To be handed to whatever packs segments.
  package static let keys = CommitKeys(scheme: 1) { bytes, body in
    try Commit.entities(inStored: bytes) { body(LogKey($0)) }
  }

  /// A selection that leaves nothing out yet.
  package static var everything: LogSelection { LogSelection(keys) }
}

extension LogKey {
  package init(_ entity: Entity) { self.init(kind: entity.kind.rawValue, id: entity.id) }
}

extension LogSelection {
  /// Demands that a commit speaks of one of these.
  package mutating func require(anyOf entities: some Sequence<Entity>) { require(anyOf: entities.map { LogKey($0) }) }

  package static func anyOf(_ entities: some Sequence<Entity>) -> LogSelection {
    var selection = History.everything
    selection.require(anyOf: entities)
    return selection
  }
}
