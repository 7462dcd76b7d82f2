package import MusterBytes

/// How long history is kept; 0 is for ever.
package struct RetentionPolicy: FieldMessage, Hashable {
  package var logSeconds: UInt64 = 0
  package var logBytes: UInt64 = 0
  package var snapshotSeconds: UInt64 = 0
  package var snapshotBytes: UInt64 = 0

  package init() {}

  package var isForEver: Bool { self == RetentionPolicy() }

  package mutating func visit<V: FieldVisitor & ~Copyable>(_ fields: inout V) throws(WireError) {
    try fields.uint64(1, &logSeconds)
    try fields.uint64(2, &logBytes)
    try fields.uint64(3, &snapshotSeconds)
    try fields.uint64(4, &snapshotBytes)
  }
}

/// What is said of the history as a whole: one row, or none while everything is kept for ever.
package struct HistoryRow: TableRow, Hashable {
  package static let table = TableID.history

  package var policy = RetentionPolicy()
  /// The oldest revision that is kept; 0 while nothing was cut.
  package var horizon: Revision = 0
  package var horizonTime: Microseconds = 0
  /// The commit that cut it.
  package var cutAt: Revision = 0
  package var cutTime: Microseconds = 0
  package var changed: Revision = 0

  package init() {}

  package var timeless: HistoryRow {
    var copy = self
    copy.horizonTime = 0
    copy.cutTime = 0
    return copy
  }

  package mutating func visit<V: FieldVisitor & ~Copyable>(_ fields: inout V) throws(WireError) {
    try fields.message(1, &policy)
    try fields.uint64(2, &horizon)
    try fields.uint64(3, &horizonTime)
    try fields.uint64(4, &cutAt)
    try fields.uint64(5, &cutTime)
    try fields.uint64(6, &changed)
  }
}

extension State {
  /// What is said of the history.
  package var retention: HistoryRow { history.row(1) ?? HistoryRow() }
}
