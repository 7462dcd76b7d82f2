import MusterCluster
import MusterHistory
import MusterRendering

/// The rows of an export, in order: what one commit became stands together.
protocol ExportedRows: AnyObject {
  /// The revision that the next row is of; nil at the end.
  func nextRevision() throws -> Revision?
  /// Takes the rows of a commit if they are the next ones, and what the commit becomes.
  func take(_ report: CommitReport) throws -> Bool
  /// Which commits all the rows are of.
  func allRevisions() throws -> RevisionRanges
}

extension Export.Format {
  /// The rows of an export that is there.
  func rows(_ path: String, _ envelopes: CloudEvents) throws -> any ExportedRows {
    self == .sqlite ? try SQLiteRows(path) : try TextRows(path, self, envelopes)
  }

  /// The revision of a row of text that this begins; 0 for a heading, nil for what is no row.
  func revision(ofLine text: String, _ envelopes: CloudEvents) -> Revision? {
    switch self {
    case .csv: return text.hasPrefix("revision,") ? 0 : UInt64(text.prefix { $0 != "," })
    case .cloudevents: return envelopes.revision(ofLine: text)
    case .jsonl:
      let mark = "{\"revision\":"
      guard text.hasPrefix(mark) else { return nil }
      return UInt64(text.dropFirst(mark.count).prefix { $0 != "," })
    case .sqlite: return nil
    }
  }
}
