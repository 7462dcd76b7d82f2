/// A value of the Redis serialization protocol: version 2, and of version 3 what tracking needs.
package enum RESPValue: Equatable, Sendable {
  case simple(String)
  case error(String)
  case integer(Int64)
  case bulk([UInt8])
  case null
  case array([RESPValue])
  /// What nobody asked for: it stands between answers.
  case push([RESPValue])

  /// Text of whatever is text; nil for other values.
  package var text: String? {
    switch self {
    case .simple(let text): text
    case .bulk(let bytes): String(decoding: bytes, as: UTF8.self)
    case .error, .integer, .null, .array, .push: nil
    }
  }
}

/// Why bytes are no such value.
package enum RESPError: Error, Equatable {
  case malformed(String)
  case tooLarge
}

/// Cuts values out of bytes as they come. Whatever comes, it neither traps nor grows beyond its limits.
package struct RESPParser {
  /// The longest line, and the longest text.
  static let lineBytes = 64 * 1024
  package static let bulkBytes = 16 * 1024 * 1024
  static let elements = 64 * 1024
  static let depth = 4

  private var bytes: [UInt8] = []

  package init() {}

  package mutating func append(_ more: some Sequence<UInt8>) { bytes += more }

  /// The next whole value, or nil while it is not there yet.
  package mutating func next() throws(RESPError) -> RESPValue? {
    var place = 0
    guard let value = try value(&place, depth: 0) else {
      if bytes.count > RESPParser.bulkBytes + RESPParser.lineBytes { throw .tooLarge }
      return nil
    }
    bytes.removeFirst(place)
    return value
  }

  private func value(_ place: inout Int, depth: Int) throws(RESPError) -> RESPValue? {
    guard depth <= RESPParser.depth else { throw .tooLarge }
    guard let line = try line(&place) else { return nil }
    guard let kind = line.first else { throw .malformed("an empty line") }
    let rest = line.dropFirst()
    switch kind {
    case UInt8(ascii: "+"): return .simple(String(decoding: rest, as: UTF8.self))
    case UInt8(ascii: "-"): return .error(String(decoding: rest, as: UTF8.self))
    case UInt8(ascii: ":"): return .integer(try number(rest))
    case UInt8(ascii: "$"): return try bulk(try number(rest), &place)
    case UInt8(ascii: "*"): return try list(try number(rest), &place, depth).map { $0.map(RESPValue.array) ?? .null }
    case UInt8(ascii: ">"): return try list(try number(rest), &place, depth).map { .push($0 ?? []) }
    case UInt8(ascii: "%"):
      let (count, isMuch) = try number(rest).multipliedReportingOverflow(by: 2)
      guard !isMuch else { throw .tooLarge }
      return try list(count, &place, depth).map { $0.map(RESPValue.array) ?? .null }
    case UInt8(ascii: "_"): return .null
    case UInt8(ascii: "="): return try bulk(try number(rest), &place).map(RESPParser.verbatim)
    default: throw .malformed("a value of kind \(kind)")
    }
  }

  private func line(_ place: inout Int) throws(RESPError) -> ArraySlice<UInt8>? {
    let start = place
    guard let end = bytes[start...].firstIndex(of: UInt8(ascii: "\r")), end + 1 < bytes.count else {
      if bytes.count - start > RESPParser.lineBytes { throw .tooLarge }
      return nil
    }
    guard bytes[end + 1] == UInt8(ascii: "\n") else { throw .malformed("a line that does not end") }
    place = end + 2
    return bytes[start..<end]
  }

  private func number(_ digits: ArraySlice<UInt8>) throws(RESPError) -> Int64 {
    guard let number = Int64(String(decoding: digits, as: UTF8.self)) else { throw .malformed("a number") }
    return number
  }

  /// A text with three letters and a colon before it, which say what kind it is of.
  private static func verbatim(_ value: RESPValue) -> RESPValue {
    if case .bulk(let bytes) = value { .bulk(Array(bytes.dropFirst(4))) } else { value }
  }

  private func bulk(_ length: Int64, _ place: inout Int) throws(RESPError) -> RESPValue? {
    guard length >= 0 else { return .null }
    guard length <= RESPParser.bulkBytes else { throw .tooLarge }
    let end = place + Int(length)
    guard end + 2 <= bytes.count else { return nil }
    guard bytes[end] == UInt8(ascii: "\r"), bytes[end + 1] == UInt8(ascii: "\n") else {
      throw .malformed("a text that does not end")
    }
    defer { place = end + 2 }
    return .bulk(Array(bytes[place..<end]))
  }

  /// - Returns: nil while it is not there yet; nil within for a list that is none.
  private func list(_ count: Int64, _ place: inout Int, _ depth: Int) throws(RESPError) -> [RESPValue]?? {
    guard count >= 0 else { return .some(nil) }
    guard count <= RESPParser.elements else { throw .tooLarge }
    var values: [RESPValue] = []
    for _ in 0..<count {
      guard let value = try value(&place, depth: depth + 1) else { return nil }
      values.append(value)
    }
    return .some(values)
  }
}
