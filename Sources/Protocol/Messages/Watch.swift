package import MusterBytes
package import MusterCluster

package enum WatchTopic: UInt32, Sendable, CaseIterable {
  case everything = 0
  case placement = 1
  case members = 2
  case config = 3

  package var name: String {
    switch self {
    case .everything: "everything"
    case .placement: "placement"
    case .members: "members"
    case .config: "config"
    }
  }
}

package struct WatchRequest: FieldMessage, Hashable {
  package var topic = WatchTopic.everything
  /// The first revision that is wanted; nil for those that come after the newest.
  package var from: UInt64?

  package init() {}
  package init(_ topic: WatchTopic, from: Revision? = nil) {
    self.topic = topic
    self.from = from
  }

  package mutating func visit<V: FieldVisitor & ~Copyable>(_ fields: inout V) throws(WireError) {
    try fields.enumeration(1, &topic)
    try fields.optional(2, &from)
  }
}

/// A commit that a watcher sees, or a mark of how far it has seen everything.
package struct WatchItem: FieldMessage, Hashable {
  package var timeline: UInt64 = 0
  /// Everything up to this revision was shown; resume from the next.
  package var revision: Revision = 0
  /// Only the events of the watched topic; nil in a mark.
  package var commit: CommitReport?

  package init() {}

  package mutating func visit<V: FieldVisitor & ~Copyable>(_ fields: inout V) throws(WireError) {
    try fields.uint64(1, &timeline)
    try fields.uint64(2, &revision)
    try fields.message(3, &commit)
  }
}
