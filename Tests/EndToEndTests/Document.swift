import Foundation
import Testing

/// A JSON document as a script would read it.
struct Document {
  /// As it was printed.
  let text: String
  private let value: Any

  init(_ text: String, _ location: SourceLocation = #_sourceLocation) throws {
    self.text = text
    value = try #require(
      try? JSONSerialization.jsonObject(with: Data(text.utf8), options: .fragmentsAllowed), "no JSON: \(text)",
      sourceLocation: location)
  }

  private init(_ value: Any) {
    self.value = value
    text = ""
  }

  /// A member, or null.
  subscript(_ name: String) -> Document { Document((value as? [String: Any])?[name] ?? NSNull()) }

  var string: String? { value as? String }
  var number: UInt64? { (value as? NSNumber)?.uint64Value }
  var flag: Bool? { (value as? NSNumber)?.boolValue }
  var list: [Document] { (value as? [Any])?.map { Document($0) } ?? [] }
  var isNull: Bool { value is NSNull }
  var names: [String] { (value as? [String: Any])?.keys.sorted() ?? [] }
}
