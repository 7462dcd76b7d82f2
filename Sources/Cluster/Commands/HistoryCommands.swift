// What may be asked about the history itself.

package import MusterBytes

/// A restore says where the history comes from.
package struct BeginTimeline: FieldMessage, Hashable {
  package var began = TimelineBegan()
  /// What was cut of it, by a commit that is not taken over.
  package var cut: HistoryCut?

  package init() {}
  package init(_ began: TimelineBegan, cut: HistoryCut? = nil) {
    self.began = began
    self.cut = cut
  }

  package mutating func visit<V: FieldVisitor & ~Copyable>(_ fields: inout V) throws(WireError) {
    try fields.message(1, &began)
    try fields.message(2, &cut)
  }
}

package struct SetRetention: FieldMessage, Hashable {
  package var policy = RetentionPolicy()

  package init() {}
  package init(_ policy: RetentionPolicy) { self.policy = policy }

  package mutating func visit<V: FieldVisitor & ~Copyable>(_ fields: inout V) throws(WireError) {
    try fields.message(1, &policy)
  }
}

/// The policy allows that what is before a horizon goes.
package struct CutHistory: FieldMessage, Hashable {
  package var cut = HistoryCut()

  package init() {}
  package init(_ cut: HistoryCut) { self.cut = cut }

  package mutating func visit<V: FieldVisitor & ~Copyable>(_ fields: inout V) throws(WireError) {
    try fields.message(1, &cut)
  }
}
