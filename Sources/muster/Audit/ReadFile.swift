import Glibc

/// A file that is read from its beginning to its end, a piece at a time.
final class ReadFile {
  private static let pieceBytes = 1 << 16
  let path: String
  private let descriptor: Int32
  private var held: [UInt8] = []
  private var start = 0
  private var isExhausted = false

  init(_ path: String) throws {
    self.path = path
    descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw Failure(.refused, "cannot read \(path): \(String(cString: strerror(errno)))") }
  }

  deinit { close(descriptor) }

  /// Up to so many of the next bytes, without taking them; fewer only at the end.
  func peek(_ count: Int) throws -> ArraySlice<UInt8> {
    while held.count - start < count, !isExhausted { try fill() }
    return held[start..<min(held.count, start + count)]
  }

  func skip(_ count: Int) { start = min(held.count, start + count) }

  /// The next bytes up to and with one that is `end`, or what is left; nil at the end of the file.
  ///
  /// - Parameter limit: the longest that this may be.
  func line(limit: Int) throws -> ArraySlice<UInt8>? {
    var length = ReadFile.pieceBytes
    while true {
      let ahead = try peek(length)
      if let end = ahead.firstIndex(of: UInt8(ascii: "\n")) {
        let line = ahead[...end]
        skip(line.count)
        return line
      }
      guard ahead.count == length else {
        skip(ahead.count)
        return ahead.isEmpty ? nil : ahead
      }
      guard length < limit else { throw Failure(.refused, "\(path) has a line that is too long") }
      length *= 2
    }
  }

  var isAtEnd: Bool { get throws { try peek(1).isEmpty } }

  private func fill() throws {
    if start > ReadFile.pieceBytes {
      held.removeFirst(start)
      start = 0
    }
    var piece = [UInt8](repeating: 0, count: ReadFile.pieceBytes)
    var got = -1
    repeat { got = read(descriptor, &piece, piece.count) } while got < 0 && errno == EINTR
    guard got >= 0 else { throw Failure(.refused, "cannot read \(path): \(String(cString: strerror(errno)))") }
    if got == 0 { isExhausted = true }
    held += piece[..<got]
  }
}
