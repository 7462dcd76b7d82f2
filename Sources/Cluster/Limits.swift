/// The bounds on everything that a command may bring into the state. Each is named once, here.
package enum Limits {
  /// The longest name of a node, collection, tenant, client or label.
  package static let nameBytes = 63
  /// The longest path of joined names (`tenant/name`, `orders/17`, a fault domain).
  package static let pathBytes = 255
  package static let labelValueBytes = 255
  package static let labels = 64
  package static let addressBytes = 255
  package static let reasonBytes = 1024
  package static let reasonArguments = 16
  package static let traceParentBytes = 64
  package static let configKeyBytes = 255
  package static let configValueBytes = 48 * 1024
  package static let configDescriptionBytes = 1024
  package static let configAllowedValues = 64
  /// Replicas that a policy may ask for. One slot more exists so that a move can add its target first.
  package static let replicas = 7
  package static let replicaSlots = 8
  package static let shardsPerCollection = 4_000_000
  /// Shards of a collection that came of splits, also of those that were called off.
  package static let childrenPerCollection = 4096
  /// Shards that a collection was made with and that merges made wider; and shards that must forget keys of others because a
  /// merge was called off.
  package static let widenedPerCollection = 4096
  package static let unprunedPerCollection = 4096
  /// Merges of one collection at a time.
  package static let mergesPerCollection = 16
  /// The largest modulus of a key range.
  package static let rangeModulusMax: UInt32 = 1 << 31
  /// How often in a row a range is split.
  package static let splitDepth: UInt32 = 16
  package static let spreadRules = 4
  package static let labelRules = 32
  package static let labelValues = 32
  package static let apartCollections = 16
  /// Names of capacities and weights in the whole cluster.
  package static let dimensions = 8
  package static let commandsPerBatch = 1024
  package static let shardsPerReport = 4096
  /// The longest encoding of one commit.
  /// Hashes of the incomplete tiles of a tree, at a cut: five levels.
  package static let treeEdgeBytes = 5 * 255 * 32
  package static let commitBytes = 60 * 1024
  /// How many executed requests a client's session remembers.
  package static let requestWindow = 64
  /// How many sessions are remembered; the least recently used of the oldest ones gives way.
  package static let sessions = 100_000
  /// Shards that are placed by one commit; a larger collection is placed by a series of commits.
  package static let shardsPerPlacement = 1000
  /// The shortest time and the least space that history may be kept for.
  package static let retentionSecondsMin: UInt64 = 60
  package static let retentionBytesMin: UInt64 = 1 << 20
  package static let amountMax: UInt64 = 1 << 60
}

/// A node's number. Dense, from 1, never reused; 0 is none.
package typealias NodeID = UInt32
package typealias CollectionID = UInt32
package typealias ShardID = UInt32
package typealias MoveID = UInt32
package typealias PrincipalID = UInt32
package typealias SessionID = UInt32
package typealias TenantID = UInt32
package typealias ConfigID = UInt32
public typealias Revision = UInt64
/// Microseconds since 1970-01-01T00:00:00Z.
package typealias Microseconds = UInt64
