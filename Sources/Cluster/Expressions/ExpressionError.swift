/// Why a text is no expression: where, and what would be understood there.
package struct ExpressionError: Error, Equatable, Sendable {
  /// In bytes of UTF-8, from 1.
  package var column: Int
  package var problem: String

  init(_ column: Int, _ problem: String) {
    self.column = column
    self.problem = problem
  }

  /// What is shown of a text: so much before the place, and so much of all.
  private static let shownBefore = 60
  private static let shown = 120

  /// The text, or a piece of a long one, with a mark under the place.
  ///
  /// Control characters are shown as spaces, so that the mark stands where it should.
  package func pointing(into text: String) -> String {
    let line = String(decoding: text.utf8.map { $0 < 0x20 || $0 == 0x7f ? 0x20 : $0 }, as: UTF8.self)
    let before = String(decoding: text.utf8.prefix(max(column - 1, 0)), as: UTF8.self)
    let passed = max(0, before.count - ExpressionError.shownBefore)
    let piece = line.dropFirst(passed).prefix(ExpressionError.shown)
    return "at column \(column): \(problem)\n  \(piece)\n  \(String(repeating: " ", count: before.count - passed))^"
  }
}

extension Refusal {
  package init(_ error: ExpressionError, in text: String) {
    self.init(.invalid, "the check cannot be read \(error.pointing(into: text))")
  }
}
