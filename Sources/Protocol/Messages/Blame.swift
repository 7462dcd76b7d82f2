package import MusterBytes
package import MusterCluster

/// Who made each field of a thing what it is, now or then.
package struct BlameRequest: FieldMessage, Hashable {
  package var at = Moment.now
  /// As `EntityName` reads it.
  package var entity = ""

  package init() {}
  package init(_ entity: String, at moment: Moment = .now) {
    self.entity = entity
    at = moment
  }

  package mutating func visit<V: FieldVisitor & ~Copyable>(_ fields: inout V) throws(WireError) {
    try fields.message(1, &at)
    try fields.string(2, &entity, max: EntityName.bytesMax)
  }
}

/// A field, and the revision since which it has its value.
package struct BlamedField: FieldMessage, Hashable {
  package var name = ""
  package var value = FieldValue.nothing
  package var since: Revision = 0

  package init() {}
  package init(_ name: String, _ value: FieldValue, since: Revision) {
    self.name = name
    self.value = value
    self.since = since
  }

  package mutating func visit<V: FieldVisitor & ~Copyable>(_ fields: inout V) throws(WireError) {
    try fields.string(1, &name, max: Limits.pathBytes)
    try fields.message(2, &value)
    try fields.uint64(3, &since)
  }
}

package struct BlameReply: FieldMessage, Hashable {
  package var timeline: UInt64 = 0
  /// The moment that is spoken of.
  package var revision: Revision = 0
  package var time: Microseconds = 0
  package var entity = ""
  package var fields: [BlamedField] = []
  /// The commits that the fields name, newest first, without their events.
  package var commits: [CommitReport] = []
  package var blocksRead: UInt64 = 0

  package static let fieldsMax = 256

  package init() {}

  package func commit(_ revision: Revision) -> CommitReport? { commits.first { $0.revision == revision } }

  package mutating func visit<V: FieldVisitor & ~Copyable>(_ visitor: inout V) throws(WireError) {
    try visitor.uint64(1, &timeline)
    try visitor.uint64(2, &revision)
    try visitor.uint64(3, &time)
    try visitor.string(4, &entity, max: EntityName.bytesMax)
    try visitor.messages(5, &fields, count: BlameReply.fieldsMax)
    try visitor.messages(6, &commits, count: BlameReply.fieldsMax)
    try visitor.uint64(7, &blocksRead)
  }
}
