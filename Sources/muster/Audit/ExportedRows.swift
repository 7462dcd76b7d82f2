import MusterCluster
import MusterHistory
import MusterProtocol
import MusterRendering

/// The rows of an export, in order: what one commit became stands together.
final class ExportedRows {
  /// The formats whose rows are made again from the commits and compared.
  enum Format: String { case jsonl, csv }

  /// A commit is 60 KiB at most; in words it is longer, but not by this much.
  private static let rowBytesMax = 64 << 20
  private let format: Format
  private let file: ReadFile

  init(_ path: String, _ format: Format) throws {
    self.format = format
    file = try ReadFile(path)
    if format == .csv {
      guard try file.peek(CSV.heading.utf8.count).elementsEqual(CSV.heading.utf8) else {
        throw Failure(.refused, "\(path) is no export as CSV")
      }
      file.skip(CSV.heading.utf8.count)
    }
  }

  /// The revision that the next row is of; nil at the end.
  func nextRevision() throws -> Revision? {
    let head = String(decoding: try file.peek(40), as: UTF8.self)
    if head.isEmpty { return nil }
    let digits: Substring
    switch format {
    case .jsonl:
      let mark = "{\"revision\":"
      guard head.hasPrefix(mark) else { throw notOurs }
      digits = head.dropFirst(mark.count).prefix { $0.isNumber }
    case .csv: digits = head.prefix { $0.isNumber }
    }
    guard let revision = UInt64(digits) else { throw notOurs }
    return revision
  }

  private var notOurs: Failure { Failure(.refused, "\(file.path) has a row that no export of this format has") }

  /// What a commit becomes in this format.
  private func rows(_ report: CommitReport) -> [UInt8] {
    switch format {
    case .jsonl: Array((report.json.line + "\n").utf8)
    case .csv: Array(CSV.rows(report).utf8)
    }
  }

  /// Takes the rows of a commit if they are the next ones.
  func take(_ report: CommitReport) throws -> Bool {
    let rows = rows(report)
    guard try file.peek(rows.count).elementsEqual(rows) else { return false }
    file.skip(rows.count)
    return true
  }

  /// Which commits the rows are of.
  func revisions() throws -> RevisionRanges {
    var found = RevisionRanges()
    while let revision = try nextRevision() {
      guard found.ranges.last.map({ $0.upperBound <= revision }) ?? true else {
        throw Failure(.refused, "\(file.path) is not in the order of revisions")
      }
      found.append(revision...revision)
      try skipRow()
    }
    return found
  }

  /// A quoted cell may have lines of its own.
  private func skipRow() throws {
    var quotes = 0
    repeat {
      guard let line = try file.line(limit: ExportedRows.rowBytesMax) else { return }
      if format == .csv { quotes += line.count { $0 == UInt8(ascii: "\"") } }
    } while quotes % 2 == 1
  }
}
