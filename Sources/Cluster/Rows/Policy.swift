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

package enum LabelTest: UInt32, Sendable, CaseIterable {
  case isIn = 0
  case isNotIn = 1
  case exists = 2
  case existsNot = 3
}

/// What a label of a node must be, or must not.
package struct LabelRule: FieldMessage, Hashable {
  package var name = ""
  package var test = LabelTest.isIn
  package var values: [String] = []

  package init() {}
  package init(_ name: String, _ test: LabelTest, _ values: [String] = []) {
    self.name = name
    self.test = test
    self.values = values
  }

  package mutating func visit<V: FieldVisitor & ~Copyable>(_ fields: inout V) throws(WireError) {
    try fields.string(1, &name, max: Limits.nameBytes)
    try fields.enumeration(2, &test)
    try fields.strings(3, &values, max: Limits.labelValueBytes, count: Limits.labelValues)
  }

  /// A label that a node does not have is not in any list.
  package func isMet(by labels: [Label]) -> Bool {
    let value = labels[name]
    return switch test {
    case .isIn: value.map(values.contains) ?? false
    case .isNotIn: !(value.map(values.contains) ?? false)
    case .exists: value != nil
    case .existsNot: value == nil
    }
  }

  /// As people write it: `disk in (ssd, nvme)`.
  package var text: String {
    switch test {
    case .isIn: "\(name) in (\(values.joined(separator: ", ")))"
    case .isNotIn: "\(name) not in (\(values.joined(separator: ", ")))"
    case .exists: "\(name) exists"
    case .existsNot: "\(name) does not exist"
    }
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
  /// How many replicas acknowledge a write, the leader among them; with 0 all that are in sync do.
  package var minInSync: UInt32 = 0
  package var allowsUncleanElection = false
  package var rules: [LabelRule] = []
  /// Where a leader is preferred, as far as it costs nothing else.
  package var leaderPreference: [LabelRule] = []
  /// Collections, by name, whose nodes these replicas keep away from.
  package var apart: [String] = []

  package init() {}

  package mutating func visit<V: FieldVisitor & ~Copyable>(_ fields: inout V) throws(WireError) {
    try fields.uint32(1, &replicas)
    try fields.messages(2, &spread, count: Limits.spreadRules)
    try fields.messages(3, &required, count: Limits.labelRules)
    try fields.messages(4, &weights, count: Limits.dimensions)
    try fields.uint32(5, &minInSync)
    try fields.bool(6, &allowsUncleanElection)
    try fields.messages(7, &rules, count: Limits.labelRules)
    try fields.messages(8, &leaderPreference, count: Limits.labelRules)
    try fields.strings(9, &apart, max: Limits.nameBytes, count: Limits.apartCollections)
  }

  /// What one replica weighs in bytes: its share of the dimension `disk`; 0 when the policy does not say.
  package var replicaBytes: UInt64 { weights.first { $0.dimension == "disk" }?.value ?? 0 }

  /// Whether a node with these labels is one where a leader is preferred.
  package func prefersLeader(on labels: [Label]) -> Bool { leaderPreference.allSatisfy { $0.isMet(by: labels) } }

  /// The first rule about labels that these do not meet, as it was written; nil when all are met.
  package func unmetRule(_ labels: [Label]) -> String? {
    for label in required where labels[label.name] != label.value { return "require \(label.name)=\(label.value)" }
    return rules.first { !$0.isMet(by: labels) }.map { "require \($0.text)" }
  }
}

extension Policy {
  /// Of two numbers of replicas that must have a write the one that asks for less: with 0 all that are in sync must.
  package static func smallerMinimum(_ a: UInt32, _ b: UInt32) -> UInt32 { a &- 1 < b &- 1 ? a : b }

  /// More replicas must have a write than under another policy.
  package func raisesMinimum(of other: Policy) -> Bool { other.minInSync &- 1 < minInSync &- 1 }
}
