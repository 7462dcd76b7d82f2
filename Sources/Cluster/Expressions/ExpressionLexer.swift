/// A word of an expression.
struct ExpressionToken: Equatable {
  enum Kind: Equatable {
    /// A name: a field, a function, a word such as `up`.
    case name(String)
    case text(String)
    case number(Int64)
    /// One of `( ) , . == != < <= > >=`.
    case symbol(String)
    case end
  }

  var kind: Kind
  /// Where it begins, in bytes, from 1.
  var column: Int

  /// As messages show it.
  var shown: String {
    switch kind {
    case .name(let name): name
    case .text(let text): "\"\(text)\""
    case .number(let number): "\(number)"
    case .symbol(let symbol): symbol
    case .end: "the end"
    }
  }
}

/// Cuts an expression into tokens.
struct ExpressionLexer {
  private let bytes: [UInt8]
  private var place = 0

  private init(_ text: String) { bytes = Array(text.utf8) }

  /// All tokens; the last is the end.
  static func tokens(_ text: String) throws(ExpressionError) -> [ExpressionToken] {
    guard text.utf8.count <= Expression.bytesMax else {
      throw ExpressionError(Expression.bytesMax + 1, "an expression has at most \(Expression.bytesMax) bytes")
    }
    var lexer = ExpressionLexer(text)
    var tokens: [ExpressionToken] = []
    while true {
      let token = try lexer.next()
      tokens.append(token)
      if token.kind == .end { return tokens }
    }
  }

  private mutating func next() throws(ExpressionError) -> ExpressionToken {
    while place < bytes.count, [0x20, 0x09, 0x0a, 0x0d].contains(bytes[place]) { place += 1 }
    let column = place + 1
    guard place < bytes.count else { return ExpressionToken(kind: .end, column: column) }
    let kind: ExpressionToken.Kind
    switch bytes[place] {
    case UInt8(ascii: "\""), UInt8(ascii: "'"): kind = .text(try quoted(column))
    case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"): kind = .number(try number(column))
    case let byte where ExpressionLexer.isNameByte(byte): kind = .name(name())
    default: kind = .symbol(try symbol(column))
    }
    return ExpressionToken(kind: kind, column: column)
  }

  private static func isNameByte(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "_"): true
    default: false
    }
  }

  /// Names may have a `-` inside: `catching-up`.
  private mutating func name() -> String {
    let start = place
    while place < bytes.count,
      ExpressionLexer.isNameByte(bytes[place]) || bytes[place] == UInt8(ascii: "-")
        || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(bytes[place])
    {
      place += 1
    }
    return String(decoding: bytes[start..<place], as: UTF8.self)
  }

  private mutating func number(_ column: Int) throws(ExpressionError) -> Int64 {
    let start = place
    place += 1
    while place < bytes.count, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(bytes[place]) { place += 1 }
    guard let number = Int64(String(decoding: bytes[start..<place], as: UTF8.self)) else {
      throw ExpressionError(column, "this is no number from \(Int64.min) to \(Int64.max)")
    }
    return number
  }

  private mutating func quoted(_ column: Int) throws(ExpressionError) -> String {
    let quote = bytes[place]
    place += 1
    var content: [UInt8] = []
    while place < bytes.count, bytes[place] != quote {
      if bytes[place] == UInt8(ascii: "\\") {
        place += 1
        guard place < bytes.count, bytes[place] == quote || bytes[place] == UInt8(ascii: "\\") else {
          throw ExpressionError(place, "after a backslash stands a quote or a backslash")
        }
      }
      content.append(bytes[place])
      place += 1
    }
    guard place < bytes.count else { throw ExpressionError(column, "the text that begins here does not end") }
    place += 1
    return String(decoding: content, as: UTF8.self)
  }

  private mutating func symbol(_ column: Int) throws(ExpressionError) -> String {
    let two = String(decoding: bytes[place..<min(place + 2, bytes.count)], as: UTF8.self)
    if ["==", "!=", "<=", ">="].contains(two) {
      place += 2
      return two
    }
    let hints = ["&&": "and", "||": "or"]
    if let hint = hints[two] { throw ExpressionError(column, "write \(hint) for \(two)") }
    let one = String(two.prefix(1))
    if ["(", ")", ",", ".", "<", ">"].contains(one) {
      place += 1
      return one
    }
    if one == "=" { throw ExpressionError(column, "write == to compare") }
    if one == "!" { throw ExpressionError(column, "write not for !") }
    throw ExpressionError(column, "this means nothing here")
  }
}
