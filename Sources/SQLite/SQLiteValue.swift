/// A cell of a table.
package enum SQLiteValue: Hashable, Sendable {
  case null
  case integer(Int64)
  case text(String)

  /// A number; what does not fit into a cell is none of ours.
  package init(_ number: UInt64) { self = .integer(Int64(clamping: number)) }

  /// Text, or null when there is none.
  package static func optional(_ text: String) -> SQLiteValue { text.isEmpty ? .null : .text(text) }
  /// A number, or null for 0, where 0 is none.
  package static func optional(_ number: UInt64) -> SQLiteValue { number == 0 ? .null : SQLiteValue(number) }

  package var number: Int64? { if case .integer(let number) = self { number } else { nil } }
  package var string: String? { if case .text(let text) = self { text } else { nil } }
}

/// What SQLite says went wrong, in its words.
package struct SQLiteError: Error, CustomStringConvertible {
  package var code: Int32
  package var description: String
}
