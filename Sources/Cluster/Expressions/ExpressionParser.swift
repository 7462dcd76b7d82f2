/// Makes a typed expression of tokens, by recursive descent.
struct ExpressionParser {
  /// A term, and what it comes to.
  private struct Typed {
    var term: Expression.Term
    var kind: ExpressionField.Kind
    var column: Int
  }

  private let tokens: [ExpressionToken]
  private var place = 0
  private var depth = 0
  private var terms = 0
  private var walks = 0
  /// What the row is that a `where` speaks of.
  private var row: Expression.RowKind?
  private(set) var parts = StateParts.core

  init(_ tokens: [ExpressionToken]) { self.tokens = tokens }

  private var token: ExpressionToken { tokens[place] }

  mutating func parse() throws(ExpressionError) -> Expression.Term {
    let check = try condition()
    guard token.kind == .end else {
      throw ExpressionError(token.column, "\(token.shown) is too much here: write and, or, or a comparison before it")
    }
    return check
  }

  // MARK: Conditions

  /// Something that is true or false.
  private mutating func condition() throws(ExpressionError) -> Expression.Term {
    let typed = try or()
    return try flag(typed)
  }

  private func flag(_ typed: Typed) throws(ExpressionError) -> Expression.Term {
    guard typed.kind == .flag || typed.kind == .anything else {
      throw ExpressionError(typed.column, "this is \(typed.kind.shown), not true or false: compare it with something")
    }
    return typed.term
  }

  private mutating func or() throws(ExpressionError) -> Typed {
    var left = try and()
    while takeName("or") {
      let right = try flag(try and())
      left = Typed(term: .or(try flag(left), right), kind: .flag, column: left.column)
      try count(left.column)
    }
    return left
  }

  private mutating func and() throws(ExpressionError) -> Typed {
    var left = try negation()
    while takeName("and") {
      let right = try flag(try negation())
      left = Typed(term: .and(try flag(left), right), kind: .flag, column: left.column)
      try count(left.column)
    }
    return left
  }

  private mutating func negation() throws(ExpressionError) -> Typed {
    let column = token.column
    guard takeName("not") else { return try comparison() }
    try enter(column)
    let inner = try flag(try negation())
    depth -= 1
    return Typed(term: .not(inner), kind: .flag, column: column)
  }

  private mutating func comparison() throws(ExpressionError) -> Typed {
    let left = try operand()
    if case .symbol(let symbol) = token.kind, let comparison = Expression.Comparison(rawValue: symbol) {
      let column = token.column
      place += 1
      let right = try operand()
      return try compare(comparison, left, right, column)
    }
    let isNegated = isName("not") && place + 1 < tokens.count && tokens[place + 1].kind == .name("in")
    if isNegated { place += 1 }
    guard takeName("in") else {
      if case .word(let words) = left.kind, case .constant(.text(let word)) = left.term, words.isEmpty {
        throw unknown(word, left.column)
      }
      return left
    }
    let list = try values(for: left)
    let term = Expression.Term.isIn(left.term, list)
    return Typed(term: isNegated ? .not(term) : term, kind: .flag, column: left.column)
  }

  private func compare(
    _ comparison: Expression.Comparison, _ left: Typed, _ right: Typed, _ column: Int
  ) throws(ExpressionError) -> Typed {
    try match(left, right)
    switch (comparison, left.kind == .anything ? right.kind : left.kind) {
    case (.equal, _), (.unequal, _), (_, .number), (_, .anything): break
    default: throw ExpressionError(column, "\(comparison.rawValue) compares numbers; here only == and != are known")
    }
    return Typed(term: .compare(comparison, left.term, right.term), kind: .flag, column: left.column)
  }

  /// Checks that two sides can be compared.
  private func match(_ left: Typed, _ right: Typed) throws(ExpressionError) {
    switch (left.kind, right.kind) {
    case (.word(let words), .word(let others)):
      // A bare word has no list of its own.
      if words.isEmpty, others.isEmpty { throw unknown(left) }
      if others.isEmpty { return try require(right, among: words) }
      if words.isEmpty { return try require(left, among: others) }
      if words != others { throw ExpressionError(right.column, "this is never \(left.kind.shown)") }
    case (.word(let words), .text): try require(right, among: words)
    case (.text, .word(let words)): try require(left, among: words)
    case (.word(let words), _) where words.isEmpty: throw unknown(left)
    case (_, .word(let words)) where words.isEmpty: throw unknown(right)
    case (.anything, _), (_, .anything): break
    case (.flag, .flag), (.number, .number), (.text, .text): break
    default:
      throw ExpressionError(right.column, "the left side is \(left.kind.shown), and this is \(right.kind.shown)")
    }
  }

  /// Checks that a constant is one of the words that a field takes.
  private func require(_ side: Typed, among words: [String]) throws(ExpressionError) {
    if words.isEmpty { throw unknown(side) }
    guard case .constant(.text(let word)) = side.term else { return }
    guard words.contains(word) else {
      throw ExpressionError(side.column, "\(word) is not \(ExpressionField.Kind.word(words).shown)")
    }
  }

  private func unknown(_ side: Typed) -> ExpressionError {
    if case .constant(.text(let word)) = side.term { return unknown(word, side.column) }
    return ExpressionError(side.column, "this is not known here")
  }

  private func unknown(_ word: String, _ column: Int) -> ExpressionError {
    if let row {
      return ExpressionError(
        column,
        "\(word) is not known here: of \(row.rawValue) there are \(ExpressionField.names(of: row.thing)); texts stand in quotes"
      )
    }
    return ExpressionError(
      column,
      "\(word) is not known here: there are node(\"…\"), shard(\"c/1\"), collection(\"…\"), config(\"…\"), cluster, count(…), all(…), any(…), true, false; texts stand in quotes"
    )
  }

  private mutating func values(for left: Typed) throws(ExpressionError) -> [Expression.Value] {
    try expect("(")
    var list: [Expression.Value] = []
    repeat {
      let item = try operand()
      guard case .constant(let value) = item.term else {
        throw ExpressionError(item.column, "a list holds numbers, texts, words, true and false")
      }
      try match(left, item)
      list.append(value)
      guard list.count <= Expression.listMax else {
        throw ExpressionError(item.column, "a list has at most \(Expression.listMax) values")
      }
    } while takeSymbol(",")
    try expect(")")
    return list
  }

  // MARK: Operands

  private mutating func operand() throws(ExpressionError) -> Typed {
    let start = token
    try count(start.column)
    place += 1
    switch start.kind {
    case .number(let number): return Typed(term: .constant(.number(number)), kind: .number, column: start.column)
    case .text(let text): return Typed(term: .constant(.text(text)), kind: .text, column: start.column)
    case .symbol("("):
      try enter(start.column)
      var inner = try or()
      depth -= 1
      try expect(")")
      inner.column = start.column
      return inner
    case .name(let name): return try named(name, start.column)
    case .symbol, .end:
      place -= 1
      throw ExpressionError(start.column, "here stands a field, a value, or a parenthesis, not \(start.shown)")
    }
  }

  private mutating func named(_ name: String, _ column: Int) throws(ExpressionError) -> Typed {
    switch name {
    case "true", "false": return Typed(term: .constant(.flag(name == "true")), kind: .flag, column: column)
    case "and", "or", "in", "where", "not":
      throw ExpressionError(column, "before \(name) something is missing")
    case "count", "all", "any": if isSymbol("(") { return try walk(name, column) }
    case "node", "shard", "collection", "config": if isSymbol("(") { return try entity(name, column) }
    case "cluster": if isSymbol(".") { return try field(of: .cluster, .cluster, column) }
    default: break
    }
    if let row, let known = ExpressionField.all(of: row.thing).first(where: { $0.name.rawValue == name }) {
      return try argued(known, .row, column)
    }
    // Perhaps a word such as `up`: the other side of the comparison knows.
    return Typed(term: .constant(.text(name)), kind: .word([]), column: column)
  }

  /// `node("n3").state`; a configuration value needs no field.
  private mutating func entity(_ name: String, _ column: Int) throws(ExpressionError) -> Typed {
    try expect("(")
    let text = token
    guard case .text(let subject) = text.kind else {
      throw ExpressionError(
        text.column, "here stands a name in quotes, such as \(name)(\"\(name == "shard" ? "orders/17" : "n3")\")")
    }
    place += 1
    var scope = ""
    if name == "config", takeSymbol(",") {
      guard case .text(let given) = token.kind else {
        throw ExpressionError(token.column, "here stands a scope in quotes: cluster, tenant:T, collection:C or node:N")
      }
      scope = "@" + given
      place += 1
    }
    try expect(")")
    guard let entity = EntityName("\(name)/\(subject)\(scope)") else {
      throw ExpressionError(text.column, "\"\(subject)\" names no \(name); write \(ExpressionParser.example(name))")
    }
    guard let thing = ExpressionField.Thing(rawValue: name) else { throw unknown(name, column) }
    if thing == .config, !isSymbol(".") {
      parts.formUnion(thing.parts)
      return Typed(
        term: .field(.named(entity), ExpressionField(.value, .anything)), kind: .anything, column: column)
    }
    return try field(of: thing, .named(entity), column)
  }

  private static func example(_ name: String) -> String {
    switch name {
    case "node": "node(\"n3\")"
    case "shard": "shard(\"orders/17\")"
    case "collection": "collection(\"orders\")"
    default: "config(\"a/b\") or config(\"a/b\", \"node:n3\")"
    }
  }

  private mutating func field(
    of thing: ExpressionField.Thing, _ subject: Expression.Subject, _ column: Int
  ) throws(ExpressionError) -> Typed {
    let known = ExpressionField.names(of: thing)
    guard takeSymbol(".") else {
      throw ExpressionError(token.column, "after a \(thing.rawValue) stands . and a field: \(known)")
    }
    let at = token
    guard case .name(let name) = at.kind,
      let found = ExpressionField.all(of: thing).first(where: { $0.name.rawValue == name })
    else { throw ExpressionError(at.column, "a \(thing.rawValue) has the fields \(known), not \(at.shown)") }
    place += 1
    parts.formUnion(thing.parts)
    return try argued(found, subject, column)
  }

  /// Reads the argument of `label("disk")` and `on("n3")`.
  private mutating func argued(
    _ field: ExpressionField, _ subject: Expression.Subject, _ column: Int
  ) throws(ExpressionError) -> Typed {
    var field = field
    if field.takesArgument {
      try expect("(")
      guard case .text(let argument) = token.kind else {
        throw ExpressionError(token.column, "here stands a name in quotes: \(field.name.rawValue)(\"…\")")
      }
      field.argument = argument
      place += 1
      try expect(")")
    }
    return Typed(term: .field(subject, field), kind: field.kind, column: column)
  }

  /// `count(shards where leaderless)`
  private mutating func walk(_ name: String, _ column: Int) throws(ExpressionError) -> Typed {
    guard row == nil else { throw ExpressionError(column, "a \(name) cannot stand within another walk over rows") }
    walks += 1
    guard walks <= Expression.walksMax else {
      throw ExpressionError(column, "at most \(Expression.walksMax) of count, all and any may stand in an expression")
    }
    try expect("(")
    let at = token
    guard case .name(let text) = at.kind, let kind = Expression.RowKind(rawValue: text) else {
      let kinds = Expression.RowKind.allCases.map(\.rawValue).joined(separator: ", ")
      throw ExpressionError(at.column, "\(name) walks over \(kinds), not over \(at.shown)")
    }
    place += 1
    parts.formUnion(kind.thing.parts)
    var condition: Expression.Term?
    if takeName("where") {
      row = kind
      try enter(at.column)
      condition = try self.condition()
      depth -= 1
      row = nil
    } else if name == "all" {
      throw ExpressionError(token.column, "here stands where and a condition: all(\(text) where …)")
    }
    try expect(")")
    switch name {
    case "count": return Typed(term: .count(kind, condition), kind: .number, column: column)
    case "all": return Typed(term: .all(kind, condition ?? .constant(.flag(true))), kind: .flag, column: column)
    default: return Typed(term: .any(kind, condition ?? .constant(.flag(true))), kind: .flag, column: column)
    }
  }

  // MARK: Tokens

  private func isSymbol(_ symbol: String) -> Bool { token.kind == .symbol(symbol) }

  private func isName(_ name: String) -> Bool { token.kind == .name(name) }

  private mutating func takeSymbol(_ symbol: String) -> Bool {
    guard isSymbol(symbol) else { return false }
    place += 1
    return true
  }

  private mutating func takeName(_ name: String) -> Bool {
    guard isName(name) else { return false }
    place += 1
    return true
  }

  private mutating func expect(_ symbol: String) throws(ExpressionError) {
    guard takeSymbol(symbol) else { throw ExpressionError(token.column, "here stands \(symbol), not \(token.shown)") }
  }

  private mutating func enter(_ column: Int) throws(ExpressionError) {
    depth += 1
    guard depth <= Expression.depthMax else {
      throw ExpressionError(column, "this nests deeper than \(Expression.depthMax)")
    }
  }

  private mutating func count(_ column: Int) throws(ExpressionError) {
    terms += 1
    guard terms <= Expression.termsMax else {
      throw ExpressionError(column, "an expression has at most \(Expression.termsMax) terms")
    }
  }
}
