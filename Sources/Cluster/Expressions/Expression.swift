/// A check over one state: `count(shards where leaderless) == 0`. Parsed and typed once, evaluated at any state.
///
/// The language is described in `Expressions.md` beside this file.
package struct Expression: Sendable {
  /// The text it was made from.
  package let text: String
  let root: Term
  /// What a state must follow to be checked.
  package let parts: StateParts

  package static let bytesMax = 4096
  /// How deep parentheses and `not` may nest.
  package static let depthMax = 32
  /// Terms that an expression may have.
  package static let termsMax = 512
  /// Walks over all rows of a kind that an expression may ask for: each costs what there is of them.
  package static let walksMax = 16
  package static let listMax = 256

  package init(_ text: String) throws(ExpressionError) {
    var parser = ExpressionParser(try ExpressionLexer.tokens(text))
    root = try parser.parse()
    parts = parser.parts
    self.text = text
  }

  /// Whether the check holds in a state.
  ///
  /// - Precondition: the state follows `parts`.
  /// - Complexity: O(rows) for each `count`, `all` and `any`; else O(1).
  package func holds(in state: State) -> Bool {
    precondition(state.parts.isSuperset(of: parts), "a check needs a state that follows what it speaks of")
    return ExpressionEvaluator(state).isTrue(root)
  }

  /// A value as expressions compare it.
  enum Value: Equatable, Sendable {
    /// Of what does not exist: equal to nothing at all, itself included.
    case nothing
    case flag(Bool)
    case number(Int64)
    case text(String)
  }

  enum Comparison: String, Sendable {
    case equal = "=="
    case unequal = "!="
    case less = "<"
    case lessOrEqual = "<="
    case greater = ">"
    case greaterOrEqual = ">="
  }

  indirect enum Term: Sendable {
    case constant(Value)
    case field(Subject, ExpressionField)
    case compare(Comparison, Term, Term)
    case isIn(Term, [Value])
    case and(Term, Term)
    case or(Term, Term)
    case not(Term)
    /// How many rows there are that meet the condition.
    case count(RowKind, Term?)
    case all(RowKind, Term)
    case any(RowKind, Term)
  }

  /// What a field is of.
  enum Subject: Sendable {
    /// The row that a `count`, `all` or `any` looks at.
    case row
    case named(EntityName)
    case cluster
  }

  /// What can be walked.
  enum RowKind: String, CaseIterable, Sendable {
    case nodes, shards, collections, configs, alarms

    var thing: ExpressionField.Thing {
      switch self {
      case .nodes: .node
      case .shards: .shard
      case .collections: .collection
      case .configs: .config
      case .alarms: .alarm
      }
    }
  }
}
