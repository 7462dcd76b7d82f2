import MusterBytes
import MusterCluster
import MusterHistory
import MusterSQLite

/// The rows of an export to SQLite, compared with what commits become.
final class SQLiteRows: ExportedRows {
  private let path: String
  private let file: SQLiteFile
  private let revisions: SQLiteStatement
  private let commits: SQLiteStatement
  private let events: SQLiteStatement
  private let mentions: SQLiteStatement
  private var waiting: Revision?
  private var isAtEnd = false

  init(_ path: String) throws {
    self.path = path
    do {
      file = try SQLiteFile(path, .reading)
      guard try TimelineTables.isOurs(file) else {
        throw Failure(.refused, "\(path) is no export to SQLite: its tables and views are not those of one")
      }
      revisions = try SQLiteStatement("SELECT revision FROM commits ORDER BY revision", file)
      try revisions.begin([])
      commits = try SQLiteStatement(
        "SELECT revision, time, wall_time, assurance, request_id, cause, reason, reason_kind, reason_arguments, tenant, "
          + "trace_parent, p.name, p.kind FROM commits LEFT JOIN principals p ON p.id = principal WHERE revision = ?",
        file)
      events = try SQLiteStatement(
        "SELECT place, t.name, fields FROM events JOIN event_types t ON t.id = type WHERE revision = ? ORDER BY place",
        file)
      mentions = try SQLiteStatement(
        "SELECT place, kind, name FROM event_things JOIN things t ON t.id = thing WHERE revision = ?", file)
      try requireWhole()
    } catch let error as SQLiteError {
      throw Failure(.refused, "\(path) cannot be read: \(error)")
    }
  }

  /// Rows that belong to no commit are looked at by nobody who walks through the commits.
  private func requireWhole() throws {
    for question in [
      "SELECT count(*) FROM events WHERE revision NOT IN (SELECT revision FROM commits)",
      "SELECT count(*) FROM event_things x WHERE NOT EXISTS "
        + "(SELECT 1 FROM events e WHERE e.revision = x.revision AND e.place = x.place)",
    ] where try file.rows(question).first?[0] != .integer(0) {
      throw Failure(.refused, "\(path) has events without their commit")
    }
  }

  func nextRevision() throws -> Revision? {
    if let waiting { return waiting }
    guard !isAtEnd else { return nil }
    guard let row = try revisions.next(), let number = row[0].number, number > 0 else {
      isAtEnd = true
      return nil
    }
    waiting = Revision(number)
    return waiting
  }

  func take(_ report: CommitReport) throws -> Bool {
    let revision = [SQLiteValue(report.revision)]
    let principal: [SQLiteValue] =
      report.principal.isEmpty ? [.null, .null] : [.text(report.principal), .text(report.principalKind.name)]
    guard try rows(commits, revision) == [report.tableRow + principal],
      try rows(events, revision) == SQLiteRows.events(report),
      Set(try rows(mentions, revision)) == SQLiteRows.things(report)
    else { return false }
    waiting = nil
    return true
  }

  private func rows(_ statement: SQLiteStatement, _ values: [SQLiteValue]) throws -> [[SQLiteValue]] {
    try statement.begin(values)
    var rows: [[SQLiteValue]] = []
    while let row = try statement.next() { rows.append(row) }
    return rows
  }

  private static func events(_ report: CommitReport) -> [[SQLiteValue]] {
    report.events.enumerated().map { [.integer(Int64($0)), .text($1.type), .text($1.tableFields)] }
  }

  private static func things(_ report: CommitReport) -> Set<[SQLiteValue]> {
    Set(
      report.events.enumerated().flatMap { place, event in
        event.things.map { [.integer(Int64(place)), .text($0.kind), .text($0.name)] }
      })
  }

  func allRevisions() throws -> RevisionRanges {
    var found = RevisionRanges()
    while let revision = try nextRevision() {
      found.append(revision...revision)
      waiting = nil
    }
    return found
  }
}
