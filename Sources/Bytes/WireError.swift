/// What can be wrong with bytes that claim to be a message.
///
/// Messages are Protocol Buffers in a canonical form: fields ascend, varints are minimal, there are no maps and no
/// floating-point numbers. Bytes that break the form are refused, so a message has exactly one encoding.
public enum WireError: Error, Equatable, Sendable {
  /// The bytes end inside a value.
  case truncated
  /// A varint is longer than it need be, or does not fit 64 bits.
  case varintNotMinimal
  /// A value does not fit the type of its field.
  case outOfRange(field: Int)
  /// A field comes after one with a higher number, or a singular field comes twice.
  case fieldOrder(field: Int)
  /// A field is encoded with another wire type than its own, or one that does not exist.
  case wireType(field: Int)
  /// A string is not UTF-8.
  case notUTF8(field: Int)
  /// A string, byte string or list is longer than its field allows.
  case tooLong(field: Int, limit: Int)
  /// Messages nest deeper than any of ours does.
  case tooDeep
  /// A field that this version does not know stands where none may be ignored.
  case unknownField(field: Int)
  /// Of several alternatives none is present, or one this version does not know.
  case noAlternative
}

extension WireError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .truncated: "the bytes end inside a value"
    case .varintNotMinimal: "a varint is not minimal or does not fit 64 bits"
    case .outOfRange(let field): "field \(field) does not fit its type"
    case .fieldOrder(let field): "field \(field) is out of order or repeated"
    case .wireType(let field): "field \(field) has the wrong wire type"
    case .notUTF8(let field): "field \(field) is not UTF-8"
    case .tooLong(let field, let limit): "field \(field) is longer than its limit of \(limit)"
    case .tooDeep: "messages nest too deep"
    case .unknownField(let field): "field \(field) is not known to this version"
    case .noAlternative: "none of the known alternatives is present"
    }
  }
}

/// The Protocol Buffers wire types that we use.
public enum WireType {
  @inlinable public static var varint: UInt64 { 0 }
  @inlinable public static var fixed64: UInt64 { 1 }
  @inlinable public static var delimited: UInt64 { 2 }
}
