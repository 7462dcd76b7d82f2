package import MusterBytes
package import MusterCluster

/// Why a thing is as it is, now or then.
package struct WhyRequest: FieldMessage, Hashable {
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

/// What began a chain of causes.
package enum OriginKind: UInt32, Sendable, CaseIterable {
  /// A person asked for it.
  case person = 0
  /// Something broke, or was heard no more.
  case failure = 1
  /// A rule that somebody wrote is kept.
  case policy = 2
  /// One of Muster's own controllers, for a reason of its own.
  case controller = 3
  /// A program asked for it.
  case service = 4
  /// A node that spoke for itself: it joined, or said that it stops.
  case node = 5

  package var name: String {
    switch self {
    case .person: "person"
    case .failure: "failure"
    case .policy: "policy"
    case .controller: "controller"
    case .service: "service"
    case .node: "node"
    }
  }
}

package struct WhyReply: FieldMessage, Hashable {
  package var timeline: UInt64 = 0
  /// The moment that is spoken of.
  package var revision: Revision = 0
  package var time: Microseconds = 0
  package var entity = ""
  /// From the last change back to what began it. Long ones come without all of their events.
  package var chain: [CommitReport] = []
  package var origin = OriginKind.person
  /// The chain in plain words.
  package var words = ""
  package var blocksRead: UInt64 = 0

  package static let linksMax = 100
  package static let wordsBytesMax = 64 * 1024

  package init() {}

  package mutating func visit<V: FieldVisitor & ~Copyable>(_ fields: inout V) throws(WireError) {
    try fields.uint64(1, &timeline)
    try fields.uint64(2, &revision)
    try fields.uint64(3, &time)
    try fields.string(4, &entity, max: EntityName.bytesMax)
    try fields.messages(5, &chain, count: WhyReply.linksMax)
    try fields.enumeration(6, &origin)
    try fields.string(7, &words, max: WhyReply.wordsBytesMax)
    try fields.uint64(8, &blocksRead)
  }
}
