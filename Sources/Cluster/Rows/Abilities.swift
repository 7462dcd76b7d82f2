internal import MusterBytes

/// What the host of a node can do besides what every host can. An agent says so when it joins; an older one says nothing.
package struct Abilities: OptionSet, Hashable, Sendable {
  package var rawValue: UInt32

  package init(rawValue: UInt32) { self.rawValue = rawValue }

  /// It copies from another shard's replicas, and forgets keys that are not a shard's own.
  package static let splits = Abilities(rawValue: 1)
  /// It copies another shard's keys into its own data while both serve, and pauses a shard that is absorbed.
  package static let merges = Abilities(rawValue: 2)
}

extension FieldVisitor where Self: ~Copyable {
  mutating func abilities(_ field: Int, _ value: inout Abilities) throws(WireError) {
    try uint32(field, &value.rawValue)
  }
}
