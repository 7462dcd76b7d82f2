import Glibc
import MusterBytes
import MusterCluster
import MusterSQLite

/// An export as a database. It grows by whole transactions: what an interruption left of one is rolled back by whoever
/// opens the file next.
final class SQLiteExport: ExportSink {
  /// Commits of one transaction.
  private static let commitsAtOnce = 20_000

  private let path: String
  private let file: SQLiteFile
  private let commits: SQLiteStatement
  private let events: SQLiteStatement
  private let mentions: SQLiteStatement
  private var principals: KnownRows
  private var types: KnownRows
  private var things: KnownRows
  private var pending = 0
  private(set) var lastRevision: UInt64?

  init(_ path: String, _ identity: ExportIdentity) throws {
    guard path != "-" else { throw Failure.usage("a database cannot go to standard output: give a file") }
    self.path = path
    do {
      file = try SQLiteExport.open(path, identity)
      try file.run("PRAGMA synchronous = FULL; PRAGMA cache_size = -65536; PRAGMA foreign_keys = OFF")
      commits = try SQLiteStatement(
        "INSERT INTO commits(revision, time, wall_time, assurance, request_id, cause, reason, reason_kind, "
          + "reason_arguments, tenant, trace_parent, principal) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", file)
      events = try SQLiteStatement("INSERT INTO events(revision, place, type, fields) VALUES (?, ?, ?, ?)", file)
      mentions = try SQLiteStatement("INSERT INTO event_things(thing, revision, place) VALUES (?, ?, ?)", file)
      principals = try KnownRows(file, "principals", ["name", "kind"])
      types = try KnownRows(file, "event_types", ["name"])
      things = try KnownRows(file, "things", ["kind", "name"])
      lastRevision = try file.rows("SELECT max(revision) FROM commits").first?[0].number.map { UInt64($0) }
      try file.run("BEGIN IMMEDIATE")
    } catch let error as SQLiteError {
      throw SQLiteExport.failure(path, error)
    }
  }

  /// Opens what an earlier run began, or makes the tables in a new file.
  private static func open(_ path: String, _ identity: ExportIdentity) throws -> SQLiteFile {
    var status = stat()
    let isThere = stat(path, &status) == 0 && status.st_size > 0
    // Only its owner may read it, as with the other formats.
    if !isThere { Glibc.close(Glibc.open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)) }
    let file = try SQLiteFile(path, .writing)
    if isThere {
      guard (try? TimelineTables.isOurs(file)) == true else {
        throw Failure(.refused, "\(path) exists and is no export of this format; choose another file")
      }
      guard try TimelineTables.identity(file) == identity.line else { throw identity.isOther(path) }
    } else {
      try file.run("BEGIN; \(TimelineTables.schema)")
      try SQLiteStatement("INSERT INTO export VALUES ('tables', ?), ('identity', ?)", file)
        .run([.text(TimelineTables.version), .text(identity.line)])
      try file.run("COMMIT")
    }
    return file
  }

  func append(_ commit: CommitReport) throws {
    do throws(SQLiteError) {
      let principal: SQLiteValue =
        commit.principal.isEmpty
        ? .null : .integer(try principals.id([.text(commit.principal), .text(commit.principalKind.name)]))
      try commits.run(commit.tableRow + [principal])
      let revision = SQLiteValue(commit.revision)
      for (place, event) in commit.events.enumerated() {
        let place = SQLiteValue.integer(Int64(place))
        let type = SQLiteValue.integer(try types.id([.text(event.type)]))
        try events.run([revision, place, type, .text(event.tableFields)])
        for thing in event.things {
          let id = SQLiteValue.integer(try things.id([.text(thing.kind), .text(thing.name)]))
          try mentions.run([id, revision, place])
        }
      }
      pending += 1
      guard pending >= SQLiteExport.commitsAtOnce else { return }
      pending = 0
      try file.run("COMMIT; BEGIN IMMEDIATE")
    } catch {
      throw SQLiteExport.failure(path, error)
    }
  }

  func finish() throws {
    do throws(SQLiteError) { try file.run("COMMIT") } catch { throw SQLiteExport.failure(path, error) }
  }

  private static func failure(_ path: String, _ error: SQLiteError) -> Failure {
    Failure(
      .refused,
      "the export \(path) cannot be written: \(error); the same command goes on from what is there")
  }
}

/// Rows that are numbered once and named often.
private struct KnownRows {
  /// Names that are kept in memory; of more the table is asked.
  private static let keptMax = 1 << 18

  private var known: [[SQLiteValue]: Int64] = [:]
  private let find: SQLiteStatement
  private let insert: SQLiteStatement

  init(_ file: SQLiteFile, _ table: String, _ columns: [String]) throws(SQLiteError) {
    let matches = columns.map { "\($0) = ?" }.joined(separator: " AND ")
    let marks = columns.map { _ in "?" }.joined(separator: ", ")
    find = try SQLiteStatement("SELECT id FROM \(table) WHERE \(matches)", file)
    insert = try SQLiteStatement(
      "INSERT INTO \(table)(\(columns.joined(separator: ", "))) VALUES (\(marks)) RETURNING id", file)
  }

  mutating func id(_ row: [SQLiteValue]) throws(SQLiteError) -> Int64 {
    if let id = known[row] { return id }
    let found = try first(find, row)
    let id = if let found { found } else { try first(insert, row) ?? 0 }
    if known.count >= KnownRows.keptMax { known.removeAll(keepingCapacity: true) }
    known[row] = id
    return id
  }

  private func first(_ statement: SQLiteStatement, _ row: [SQLiteValue]) throws(SQLiteError) -> Int64? {
    try statement.begin(row)
    var id: Int64?
    while let found = try statement.next() { id = found.first?.number }
    return id
  }
}

extension TimelineTables {
  /// True when the file has these tables and views, and no others.
  static func isOurs(_ file: SQLiteFile) throws(SQLiteError) -> Bool {
    let expected = schema.split(separator: ";\n").map(String.init)
    let found = try file.rows("SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY rowid").compactMap {
      $0[0].string
    }
    guard found == expected else { return false }
    return try value("tables", file) == version
  }

  static func identity(_ file: SQLiteFile) throws(SQLiteError) -> String? { try value("identity", file) }

  private static func value(_ name: String, _ file: SQLiteFile) throws(SQLiteError) -> String? {
    try file.rows("SELECT value FROM export WHERE name = ?", [.text(name)]).first?[0].string
  }
}
