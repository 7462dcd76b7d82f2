extension String {
  /// The beginning that fits into so many bytes, with a sign when something was left out.
  package func clipped(to bytes: Int) -> String {
    guard utf8.count > bytes else { return self }
    var text = self
    while text.utf8.count + 3 > bytes, !text.isEmpty { text.removeLast() }
    return text + "…"
  }
}
