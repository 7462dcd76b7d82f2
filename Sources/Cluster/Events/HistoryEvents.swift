// What happened to the history itself: where it goes on from another cluster's, how long it is kept, what was cut.

package import MusterBytes

/// The cluster was restored: its history is another cluster's up to here, and its own from here on.
package struct TimelineBegan: FieldMessage, Hashable {
  package var parentCluster = ""
  package var parentTimeline: UInt64 = 0
  /// The parent's last commit that was taken over.
  package var revision: Revision = 0
  /// The end of the parent's last block that was taken over, and that block's chain value.
  package var lastRevision: Revision = 0
  package var chain: [UInt8] = []

  package init() {}

  package mutating func visit<V: FieldVisitor & ~Copyable>(_ fields: inout V) throws(WireError) {
    try fields.string(1, &parentCluster, max: 32)
    try fields.uint64(2, &parentTimeline)
    try fields.uint64(3, &revision)
    try fields.uint64(4, &lastRevision)
    try fields.bytes(5, &chain, max: SHA256Value.byteCount)
  }
}

package struct RetentionChanged: FieldMessage, Hashable {
  package var policy = RetentionPolicy()

  package init() {}
  package init(policy: RetentionPolicy) { self.policy = policy }

  package mutating func visit<V: FieldVisitor & ~Copyable>(_ fields: inout V) throws(WireError) {
    try fields.message(1, &policy)
  }
}

/// Everything before the horizon may be deleted from now on. What was there can still be proved by what this says.
package struct HistoryCut: FieldMessage, Hashable {
  /// The oldest revision that is kept, with the state at it.
  package var horizon: Revision = 0
  /// Its log time.
  package var time: Microseconds = 0
  /// Of the state at the horizon.
  package var digestLow: UInt64 = 0
  package var digestHigh: UInt64 = 0
  /// The first revision of the oldest segment that is kept, and the chain value before it.
  package var firstRevision: Revision = 0
  package var chain: [UInt8] = []
  /// The root of the tree of all commits before that segment, and the hashes of the tree's incomplete tiles there, with
  /// which it goes on without them.
  package var root: [UInt8] = []
  package var edge: [UInt8] = []
  /// The root of the tree of all names at the horizon (`State.namingEvents`), so that what speaks of them can be proved
  /// without the commits that gave them; empty in cuts from before there was one.
  package var names: [UInt8] = []

  package init() {}

  package mutating func visit<V: FieldVisitor & ~Copyable>(_ fields: inout V) throws(WireError) {
    try fields.uint64(1, &horizon)
    try fields.uint64(2, &time)
    try fields.fixed64(3, &digestLow)
    try fields.fixed64(4, &digestHigh)
    try fields.uint64(5, &firstRevision)
    try fields.bytes(6, &chain, max: SHA256Value.byteCount)
    try fields.bytes(7, &root, max: SHA256Value.byteCount)
    try fields.bytes(8, &edge, max: Limits.treeEdgeBytes)
    try fields.bytes(9, &names, max: SHA256Value.byteCount)
  }
}
