package import MusterBytes

/// What a snapshot is of.
package struct SnapshotManifest: FieldMessage, Hashable {
  package var revision: UInt64 = 0
  /// Log time of that revision.
  package var time: UInt64 = 0
  /// The snapshot whose pages this one changes; 0 for a base.
  package var parent: UInt64 = 0
  /// How many deltas lie between this one and its base.
  package var depth: UInt32 = 0
  package var digestLow: UInt64 = 0
  package var digestHigh: UInt64 = 0
  package var featureLevel: UInt32 = 0
  package var pageCount: UInt64 = 0

  package init() {}

  package var isBase: Bool { parent == 0 }
  package var digest: SetDigest { SetDigest(low: digestLow, high: digestHigh) }

  package mutating func visit<V: FieldVisitor & ~Copyable>(_ fields: inout V) throws(WireError) {
    try fields.uint64(1, &revision)
    try fields.uint64(2, &time)
    try fields.uint64(3, &parent)
    try fields.uint32(4, &depth)
    try fields.fixed64(5, &digestLow)
    try fields.fixed64(6, &digestHigh)
    try fields.uint32(7, &featureLevel)
    try fields.uint64(8, &pageCount)
  }
}

/// Which page of which table.
package struct PageAddress: Hashable, Sendable, Comparable {
  package var table: UInt32
  package var page: UInt32

  package init(table: UInt32, page: UInt32) {
    self.table = table
    self.page = page
  }

  package static func < (a: PageAddress, b: PageAddress) -> Bool { (a.table, a.page) < (b.table, b.page) }
}
