package import MusterBytes

/// A moment that a question is about. On the wire: a message with at most one field set; none is now.
package enum Moment: Message, Hashable {
  case now
  case revision(Revision)
  /// The last commit at or before this log time.
  case time(Microseconds)
  /// So many microseconds before now: by the server's clock, or by the newest commit of a data directory.
  case ago(Microseconds)

  package func encode(into writer: inout ByteWriter) {
    switch self {
    case .now: break
    case .revision(let revision): write(1, revision, &writer)
    case .time(let time): write(2, time, &writer)
    case .ago(let span): write(3, span, &writer)
    }
  }

  private func write(_ field: Int, _ value: UInt64, _ writer: inout ByteWriter) {
    writer.tag(field, WireType.varint)
    writer.varint(value)
  }

  package init(from reader: inout ByteReader) throws(WireError) {
    guard let next = try reader.peekTag() else {
      self = .now
      return
    }
    var value: UInt64 = 0
    try reader.uint64(next.field, &value)
    switch next.field {
    case 1: self = .revision(value)
    case 2: self = .time(value)
    case 3: self = .ago(value)
    default: throw .unknownField(field: next.field)
    }
    try reader.finishFields()
  }
}
