internal import MusterBytes

/// What was read of a live segment, kept in memory since the file may get its packed form at any time: pieces that begin
/// and end where a frame does. Copies share them.
package struct LiveBytes: Sendable {
  private struct Piece: Sendable {
    var start: Int
    var reader: LiveSegmentReader
  }

  /// By ascending offsets; the first begins the file.
  private var pieces: [Piece]

  /// - Parameter beginning: reads the file from its first byte on.
  package init(_ beginning: LiveSegmentReader) { pieces = [Piece(start: 0, reader: beginning)] }

  var identity: LogIdentity { pieces[0].reader.identity }
  var path: String { pieces[0].reader.path }

  /// Adds what was read from an offset on.
  mutating func append(_ reader: LiveSegmentReader, at start: Int) {
    pieces.append(Piece(start: start, reader: reader))
  }

  func parse(_ offset: Int) -> FrameHeaderResult {
    let piece = piece(holding: offset)
    return piece.reader.parse(offset - piece.start)
  }

  /// Expands the content of a frame behind what `writer` holds.
  func expand(_ offset: Int, _ header: FrameHeader, into writer: inout ByteWriter) -> Bool {
    let piece = piece(holding: offset)
    return piece.reader.expand(offset - piece.start, header, into: &writer)
  }

  private func piece(holding offset: Int) -> Piece {
    var low = 0
    var high = pieces.count
    while high - low > 1 {
      let middle = (low + high) / 2
      if pieces[middle].start <= offset { low = middle } else { high = middle }
    }
    return pieces[low]
  }
}
