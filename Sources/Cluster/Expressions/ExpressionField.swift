/// A field that an expression may ask for.
struct ExpressionField: Sendable {
  enum Thing: String, CaseIterable, Sendable {
    case node, shard, collection, config, alarm, cluster

    /// What a state must follow to know such things.
    var parts: StateParts {
      switch self {
      case .node, .shard, .collection, .cluster: .core
      case .config: .configuration
      case .alarm: .surroundings
      }
    }
  }

  enum Kind: Equatable, Sendable {
    case flag
    case number
    case text
    /// One of these words.
    case word([String])
    /// Whatever the configuration has.
    case anything

    var shown: String {
      switch self {
      case .flag: "true or false"
      case .number: "a number"
      case .text: "a text"
      case .word(let words): "one of \(words.joined(separator: ", "))"
      case .anything: "anything"
      }
    }
  }

  enum Name: String, Sendable {
    case name, state, cordoned, domain, region, zone, rack, host, incarnation, address, replicas, leaders, exists
    case shard, collection, index, epoch, leader, leaderless, inSync, available, underReplicated, moving, on
    case tenant, shards, placed, minInSync, label
    case key, scope, value, version
    case message
    case maintenance, balancing
  }

  var name: Name
  var kind: Kind
  /// For `label("disk")` and `on("n3")`.
  var argument: String?

  init(_ name: Name, _ kind: Kind) {
    self.name = name
    self.kind = kind
  }

  var takesArgument: Bool { name == .label || name == .on }

  private static let nodeStates = NodeState.allCases.map(\.name)
  private static let collectionStates = [CollectionState.creating, .active, .deleted].map(\.name)

  /// The fields of a thing, in the order that messages and the document name them.
  static func all(of thing: Thing) -> [ExpressionField] {
    switch thing {
    case .node:
      [
        .init(.name, .text), .init(.state, .word(nodeStates)), .init(.cordoned, .flag), .init(.domain, .text),
        .init(.region, .text), .init(.zone, .text), .init(.rack, .text), .init(.host, .text),
        .init(.incarnation, .number), .init(.address, .text), .init(.replicas, .number), .init(.leaders, .number),
        .init(.label, .text), .init(.exists, .flag),
      ]
    case .shard:
      [
        .init(.shard, .text), .init(.collection, .text), .init(.index, .number), .init(.epoch, .number),
        .init(.leader, .text), .init(.leaderless, .flag), .init(.replicas, .number), .init(.inSync, .number),
        .init(.available, .flag), .init(.underReplicated, .flag), .init(.moving, .flag), .init(.on, .flag),
        .init(.exists, .flag),
      ]
    case .collection:
      [
        .init(.name, .text), .init(.state, .word(collectionStates)), .init(.tenant, .text), .init(.shards, .number),
        .init(.placed, .number), .init(.replicas, .number), .init(.minInSync, .number), .init(.label, .text),
        .init(.exists, .flag),
      ]
    case .config:
      [
        .init(.key, .text), .init(.scope, .text), .init(.value, .anything), .init(.version, .number),
        .init(.exists, .flag),
      ]
    case .alarm: [.init(.name, .text), .init(.message, .text)]
    case .cluster:
      [.init(.maintenance, .flag), .init(.balancing, .word(BalancingMode.allCases.map(\.name)))]
    }
  }

  static func names(of thing: Thing) -> String {
    all(of: thing).map { $0.takesArgument ? "\($0.name.rawValue)(\"…\")" : $0.name.rawValue }.joined(separator: ", ")
  }
}
