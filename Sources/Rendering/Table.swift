/// Rows under headings, in columns that are as wide as they must be.
package struct Table: Sendable {
  private var rows: [[String]]

  package init(_ headings: [String]) { rows = [headings] }

  package mutating func add(_ cells: [String]) {
    precondition(cells.count == rows[0].count, "a row has a cell for each heading")
    rows.append(cells)
  }

  package var isEmpty: Bool { rows.count == 1 }

  /// The lines, without trailing spaces.
  package var text: String {
    var widths = [Int](repeating: 0, count: rows[0].count)
    for row in rows {
      for (column, cell) in row.enumerated() { widths[column] = max(widths[column], cell.count) }
    }
    return rows.map { row in
      var line = ""
      for (column, cell) in row.enumerated() {
        line += cell
        if column + 1 < row.count { line += String(repeating: " ", count: widths[column] - cell.count + 2) }
      }
      while line.last == " " { line.removeLast() }
      return line + "\n"
    }.joined()
  }
}
