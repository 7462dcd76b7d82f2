internal import MusterBytes
package import MusterCluster
package import MusterHistory
package import MusterLog
package import MusterProtocol

/// What a stream of the past still has to say. Used by one thread at a time: the archive's, while `isBusy`.
package final class RecallSource: @unchecked Sendable {
  package enum Kind {
    case log(LogCursor)
    case differences([Difference], HistoryEnd)
    case proof(ExportProver)
    case files(BackupListing)
    case file(BackupFile, BackupSource)
  }

  private let kind: Kind
  var given = 0

  package init(_ kind: Kind) { self.kind = kind }

  /// The next elements, and the end when there are no more.
  package func next(_ count: Int, timeline: UInt64) throws(HistoryError) -> (items: [[UInt8]], end: [UInt8]?) {
    switch kind {
    case .log(let cursor):
      let reports = try cursor.next(count)
      let end = cursor.isDone ? HistoryItem(try cursor.end(timeline: timeline)).encoded() : nil
      return (reports.map { HistoryItem($0).encoded() }, end)
    case .differences(let all, let end):
      let piece = all[given..<min(given + count, all.count)]
      given += piece.count
      return (piece.map { HistoryItem($0).encoded() }, given == all.count ? HistoryItem(end).encoded() : nil)
    case .proof(let prover):
      let parts = try prover.next(count)
      return (parts.map { $0.encoded() }, prover.isDone ? [] : nil)
    case .files(let listing):
      let piece = listing.files[given..<min(given + count, listing.files.count)]
      given += piece.count
      return (piece.map { $0.encoded() }, given == listing.files.count ? listing.manifest.encoded() : nil)
    case .file(let file, let source): return try nextPieces(of: file, source, count)
    }
  }
}

/// A stream of the past to one client.
package struct RecallStream {
  package var source: RecallSource?
  package var credit: UInt32
  package var isBusy = false

  package init(credit: UInt32, isBusy: Bool) {
    self.credit = credit
    self.isBusy = isBusy
  }
}

/// The streams of the past.
package struct RecallTable {
  private var streams: [CallID: RecallStream] = [:]

  package init() {}

  package subscript(call: CallID) -> RecallStream? {
    get { streams[call] }
    set { streams[call] = newValue }
  }

  package mutating func grant(_ call: CallID, _ credit: UInt32) -> Bool {
    guard var stream = streams[call] else { return false }
    let (sum, overflow) = stream.credit.addingReportingOverflow(credit)
    stream.credit = overflow ? .max : sum
    streams[call] = stream
    return true
  }

  package mutating func remove(_ call: CallID) -> Bool { streams.removeValue(forKey: call) != nil }

  /// The streams of a connection, the oldest first.
  package func calls(of connection: UInt64) -> [CallID] { streams.keys.filter { $0.connection == connection }.sorted() }

  package mutating func remove(connection: UInt64) {
    streams = streams.filter { $0.key.connection != connection }
  }
}
