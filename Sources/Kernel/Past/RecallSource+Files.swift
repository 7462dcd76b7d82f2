package import MusterHistory
package import MusterLog

// The journal's own files, as a backup takes them.

extension RecallSource {
  /// Bytes of a file in one element, and elements made at a time: others wait for this thread.
  private static let pieceBytes = 64 * 1024
  private static let piecesAtOnce = 4

  private static func backup(of history: History) -> BackupSource {
    BackupSource(history.log, history.snapshots, through: history.last)
  }

  /// What there is to be backed up.
  package static func files(_ history: History) throws(HistoryError) -> RecallSource {
    do {
      return RecallSource(.files(try backup(of: history).listing()))
    } catch {
      throw HistoryError(ofFiles: error)
    }
  }

  /// The bytes of one file.
  package static func file(_ request: BackupRead, _ history: History) -> RecallSource {
    RecallSource(.file(request.file, backup(of: history)))
  }

  func nextPieces(
    of file: BackupFile, _ source: BackupSource, _ count: Int
  ) throws(HistoryError) -> (items: [[UInt8]], end: [UInt8]?) {
    var pieces: [[UInt8]] = []
    do {
      while pieces.count < min(count, RecallSource.piecesAtOnce) {
        let piece = try source.read(file, at: given, count: RecallSource.pieceBytes)
        given += piece.count
        if !piece.isEmpty { pieces.append(piece) }
        if piece.count < RecallSource.pieceBytes { return (pieces, []) }
      }
    } catch {
      throw HistoryError(ofFiles: error)
    }
    return (pieces, nil)
  }
}

extension HistoryError {
  /// What went wrong with the journal's files.
  fileprivate init(ofFiles error: any Error) {
    switch error {
    case let error as LogError: self = .log(error)
    case let error as StorageError: self = .log(.storage(error))
    default: self = .divergence(0, "\(error)")
    }
  }
}
