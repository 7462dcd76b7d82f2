package import MusterCluster
package import MusterLog

// How the index of the log knows what commits speak of.

extension History {
  /// To be handed to whatever packs segments.
  package static let keys = CommitKeys(scheme: EntityScheme.whole.rawValue, after: [firstKeys]) { bytes, body in
    try Commit.entities(inStored: bytes) { body(LogKey($0)) }
  }

  /// What segments were packed with before: events that it takes to speak of less are looked for by their kind.
  package static let firstKeys = OlderKeys(
    scheme: EntityScheme.first.rawValue,
    widened: { ranges in
      var missed: [Entity] = []
      if ranges.contains(where: { $0.holds(.node) }) { missed.append(.ofEvents(named: "HandOverRequested")) }
      if ranges.contains(where: { $0.holds(.node) || $0.holds(.collection) }) {
        missed.append(.ofEvents(named: "ConfigKeyAdded"))
      }
      return ranges + missed.map { LogKey($0)...LogKey($0) }
    },
    find: { bytes, body in try Commit.entities(inStored: bytes, by: .first) { body(LogKey($0)) } })

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

extension ClosedRange<LogKey> {
  /// True when it reaches over things of this kind.
  fileprivate func holds(_ kind: Entity.Kind) -> Bool {
    lowerBound.kind <= kind.rawValue && kind.rawValue <= upperBound.kind
  }
}

extension Entity {
  fileprivate static func ofEvents(named name: String) -> Entity {
    guard let number = Event.number(named: name) else { preconditionFailure("there are such events") }
    return Entity(.eventType, number)
  }
}
