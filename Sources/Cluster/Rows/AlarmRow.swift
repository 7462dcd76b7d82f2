package import MusterBytes

/// Something that wants a person.
package struct AlarmRow: TableRow {
  package static let table = TableID.alarms

  /// What it is about: `disk-full`, `mass-failure`, `unplaced/orders`.
  package var name = ""
  package var message = ""
  package var isRaised = false
  package var since: Microseconds = 0
  package var changed: Revision = 0

  package init() {}

  package var timeless: AlarmRow {
    var copy = self
    copy.since = 0
    return copy
  }

  package mutating func visit<V: FieldVisitor & ~Copyable>(_ fields: inout V) throws(WireError) {
    try fields.string(1, &name, max: Limits.pathBytes)
    try fields.string(2, &message, max: Limits.reasonBytes)
    try fields.bool(3, &isRaised)
    try fields.uint64(4, &since)
    try fields.uint64(5, &changed)
  }
}
