package import MusterBytes

/// A level of the path of fault domains.
package enum FaultLevel: UInt32, Sendable, CaseIterable {
  case region = 0
  case zone = 1
  case rack = 2
  case host = 3

  package var name: String {
    switch self {
    case .region: "region"
    case .zone: "zone"
    case .rack: "rack"
    case .host: "host"
    }
  }

  package init?(name: String) {
    guard let level = FaultLevel.allCases.first(where: { $0.name == name }) else { return nil }
    self = level
  }
}

/// How replicas spread over the domains of a level.
package struct SpreadRule: FieldMessage, Hashable {
  package var level = FaultLevel.region
  /// A preference costs nothing when it cannot be met; a requirement refuses.
  package var isPreference = false

  package init() {}
  package init(_ level: FaultLevel, isPreference: Bool = false) {
    self.level = level
    self.isPreference = isPreference
  }

  package mutating func visit<V: FieldVisitor & ~Copyable>(_ fields: inout V) throws(WireError) {
    try fields.enumeration(1, &level)
    try fields.bool(2, &isPreference)
  }
}

/// What a policy asks of the shards of a collection.
package struct Policy: FieldMessage, Hashable {
  package var replicas: UInt32 = 0
  package var spread: [SpreadRule] = []
  /// Labels that a node must have, with these values.
  package var required: [Label] = []
  /// What one replica needs of each dimension.
  package var weights: [Amount] = []
  package var minInSync: UInt32 = 0
  package var allowsUncleanElection = false

  package init() {}

  package mutating func visit<V: FieldVisitor & ~Copyable>(_ fields: inout V) throws(WireError) {
    try fields.uint32(1, &replicas)
    try fields.messages(2, &spread, count: Limits.spreadRules)
    try fields.messages(3, &required, count: Limits.labelRules)
    try fields.messages(4, &weights, count: Limits.dimensions)
    try fields.uint32(5, &minInSync)
    try fields.bool(6, &allowsUncleanElection)
  }
}
