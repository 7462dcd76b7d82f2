/// Parts of the state that a question may do without: to fold the rest costs less. Members, collections and shards are
/// always there.
package struct StateParts: OptionSet, Hashable, Sendable {
  package let rawValue: UInt8

  package init(rawValue: UInt8) { self.rawValue = rawValue }

  /// Keys, values and schemas.
  package static let configuration = StateParts(rawValue: 1)
  /// Principals, sessions and alarms.
  package static let surroundings = StateParts(rawValue: 2)

  package static let core: StateParts = []
  package static let all: StateParts = [.configuration, .surroundings]

  /// Whether a state that follows these parts has this table.
  package func include(_ table: TableID) -> Bool {
    switch table {
    case .cluster, .nodes, .collections, .shards, .moves, .tenants: true
    case .configs, .schemas: contains(.configuration)
    case .principals, .sessions, .alarms, .requests: contains(.surroundings)
    }
  }
}

extension Event {
  /// The part that this event writes to, besides the core.
  var part: StateParts {
    switch self {
    case .configSet, .configKeyAdded, .configDeleted, .schemaSet: .configuration
    case .principalSeen, .sessionOpened, .sessionForgotten, .alarmRaised, .alarmCleared: .surroundings
    default: .core
    }
  }
}

extension Question {
  /// What a state must follow to answer this.
  package var parts: StateParts {
    switch self {
    // A plan decides on a copy, and that takes a digest.
    case .status, .plan: .all
    case .nodes, .collections, .shards, .explain, .recovery, .tenants: .core
    case .configs, .schemas: .configuration
    case .session: .surroundings
    // One that cannot be read is refused on any state.
    case .check(let question): (try? Expression(question.expression))?.parts ?? .core
    }
  }
}
