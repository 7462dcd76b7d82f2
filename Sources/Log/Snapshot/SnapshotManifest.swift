package import MusterBytes

/// Where one unit of pages is in a snapshot's file, and with which page it begins.
package struct SnapshotUnit: FieldMessage, Hashable {
  package var offset: UInt64 = 0
  package var table: UInt32 = 0
  package var page: UInt32 = 0
  /// How many pages it holds.
  package var pages: UInt32 = 0

  package init() {}

  package var first: PageAddress { PageAddress(table: table, page: page) }

  package mutating func visit<V: FieldVisitor & ~Copyable>(_ fields: inout V) throws(WireError) {
    try fields.uint64(1, &offset)
    try fields.uint32(2, &table)
    try fields.uint32(3, &page)
    try fields.uint32(4, &pages)
  }
}

/// What a snapshot is of, and where its pages are.
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
  package var term: UInt64 = 0
  /// The chain value of the block that ends with that revision: 32 bytes, or none when it is not known.
  package var chain: [UInt8] = []
  /// What the writer of the snapshot adds to it; the log keeps it as it is.
  package var metadata: [UInt8] = []
  /// Of this file alone: a delta costs what changed.
  package var units: [SnapshotUnit] = []
  /// Of a delta, which pages it has: of each how much larger its address (table · 2³² + page) is than the one before.
  /// Empty where they are not listed: in a base, and where there are more than `listMax`.
  package var pageGaps: [UInt64] = []

  /// The most pages that are listed.
  package static let listMax = 128 * 1024
  /// The most bytes of metadata.
  package static let metadataBytesMax = 64 * 1024
  /// The most units of one file, so that a manifest fits a frame.
  package static let unitsMax = 48 * 1024

  package init() {}

  package var isBase: Bool { parent == 0 }

  /// The addresses of the pages that are listed, ascending; nil when they are not.
  var pageList: [UInt64]? {
    guard !pageGaps.isEmpty else { return nil }
    var address: UInt64 = 0
    return pageGaps.map { gap in
      address &+= gap
      return address
    }
  }
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
    try fields.uint64(9, &term)
    try fields.bytes(10, &chain, max: SHA256Value.byteCount)
    try fields.bytes(11, &metadata, max: SnapshotManifest.metadataBytesMax)
    try fields.messages(12, &units, count: SnapshotManifest.unitsMax)
    try fields.packed(13, &pageGaps, count: SnapshotManifest.listMax)
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

  package static func < (a: PageAddress, b: PageAddress) -> Bool { a.number < b.number }

  /// Table and page as one, in the same order.
  var number: UInt64 { UInt64(table) << 32 | UInt64(page) }
}
