internal import CSQLite

/// A database in a file. One caller at a time.
package final class SQLiteFile {
  package enum Access { case reading, writing }

  let handle: OpaquePointer

  /// Opens the file; to write, it is made where none is.
  package init(_ path: String, _ access: Access) throws(SQLiteError) {
    let flags = access == .reading ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE
    var opened: OpaquePointer?
    let code = sqlite3_open_v2(path, &opened, flags | SQLITE_OPEN_NOMUTEX, nil)
    guard let opened else { throw SQLiteError(code: code, description: "out of memory") }
    guard code == SQLITE_OK else {
      let error = SQLiteError(code: code, description: String(cString: sqlite3_errmsg(opened)))
      sqlite3_close_v2(opened)
      throw error
    }
    handle = opened
    sqlite3_busy_timeout(handle, 5000)
  }

  deinit { sqlite3_close_v2(handle) }

  /// Runs statements that give no rows.
  package func run(_ sql: String) throws(SQLiteError) { try check(sqlite3_exec(handle, sql, nil, nil, nil)) }

  /// The rows of a question, all at once: only for short answers.
  package func rows(_ sql: String, _ values: [SQLiteValue] = []) throws(SQLiteError) -> [[SQLiteValue]] {
    let statement = try SQLiteStatement(sql, self)
    try statement.begin(values)
    var rows: [[SQLiteValue]] = []
    while let row = try statement.next() { rows.append(row) }
    return rows
  }

  func check(_ code: Int32) throws(SQLiteError) {
    guard code != SQLITE_OK, code != SQLITE_ROW, code != SQLITE_DONE else { return }
    throw SQLiteError(code: code, description: String(cString: sqlite3_errmsg(handle)))
  }
}

/// A statement that is compiled once and run often.
package final class SQLiteStatement {
  private let file: SQLiteFile
  private let handle: OpaquePointer
  /// Tells SQLite to copy text: ours is gone when the call returns.
  private static let copied = unsafeBitCast(-1, to: sqlite3_destructor_type.self)

  package init(_ sql: String, _ file: SQLiteFile) throws(SQLiteError) {
    self.file = file
    var prepared: OpaquePointer?
    try file.check(sqlite3_prepare_v3(file.handle, sql, -1, UInt32(SQLITE_PREPARE_PERSISTENT), &prepared, nil))
    guard let prepared else { throw SQLiteError(code: SQLITE_MISUSE, description: "the statement is empty") }
    handle = prepared
  }

  deinit { sqlite3_finalize(handle) }

  /// Runs it with these values; what it gave before is gone.
  package func begin(_ values: [SQLiteValue]) throws(SQLiteError) {
    sqlite3_reset(handle)
    for (place, value) in values.enumerated() {
      let number = Int32(place + 1)
      switch value {
      case .null: try file.check(sqlite3_bind_null(handle, number))
      case .integer(let value): try file.check(sqlite3_bind_int64(handle, number, value))
      case .text(let text):
        try file.check(sqlite3_bind_text(handle, number, text, Int32(text.utf8.count), SQLiteStatement.copied))
      }
    }
  }

  /// The next row; nil behind the last.
  package func next() throws(SQLiteError) -> [SQLiteValue]? {
    let code = sqlite3_step(handle)
    try file.check(code)
    guard code == SQLITE_ROW else { return nil }
    return (0..<sqlite3_column_count(handle)).map { column in
      switch sqlite3_column_type(handle, column) {
      case SQLITE_INTEGER: return .integer(sqlite3_column_int64(handle, column))
      case SQLITE_NULL: return .null
      default:
        let length = Int(sqlite3_column_bytes(handle, column))
        guard let text = sqlite3_column_text(handle, column) else { return .null }
        return .text(String(decoding: UnsafeBufferPointer(start: text, count: length), as: UTF8.self))
      }
    }
  }

  /// Runs it for its effect.
  package func run(_ values: [SQLiteValue]) throws(SQLiteError) {
    try begin(values)
    while try next() != nil {}
    sqlite3_reset(handle)
  }
}
