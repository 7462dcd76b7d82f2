public import MusterBytes

/// The tables of the state. The numbers are stored in snapshots and seed the rows' digests: they never change.
public enum TableID: UInt32, CaseIterable, Sendable {
  case cluster = 1
  case nodes = 2
  case collections = 3
  case shards = 4
  case moves = 5
  case configs = 6
  case schemas = 7
  case principals = 8
  case sessions = 9
  case alarms = 10
  case tenants = 11
  /// Only in digests: what sessions remember, request by request.
  case requests = 12
  case history = 13
}

/// A row of a table: what the state knows of one thing.
///
/// A row's canonical form is its encoding without times, so that two clusters that accepted the same commands in the
/// same order have the same digest whenever they did so.
public protocol TableRow: FieldMessage, Equatable {
  static var table: TableID { get }
  /// Rows in a page, a power of two: a write copies one page, so large rows want small pages.
  static var rowsPerPageShift: Int { get }
  /// The revision that last changed this row.
  var changed: Revision { get }
  /// The row without what depends on clocks.
  var timeless: Self { get }
  /// Nothing is known under this number any more: the row counts for no digest, and a full page of such rows is let go.
  var isVacant: Bool { get }
}

extension TableRow {
  @inlinable public static var rowsPerPageShift: Int { 6 }
  public var timeless: Self { self }
  @inlinable public var isVacant: Bool { false }

  package var digest: SetDigest {
    var writer = ByteWriter(capacity: 128)
    return digest(using: &writer)
  }

  package func digest(using scratch: inout ByteWriter) -> SetDigest {
    if isVacant { return SetDigest() }
    scratch.removeAll()
    timeless.encode(into: &scratch)
    return SetDigest(row: scratch.bytes, seed: Self.table.rawValue)
  }
}
