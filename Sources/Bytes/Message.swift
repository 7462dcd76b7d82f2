/// A value with one canonical Protocol Buffers encoding.
public protocol Message: Sendable {
  init(from reader: inout ByteReader) throws(WireError)
  func encode(into writer: inout ByteWriter)
  /// Encodes a message that the caller may change: what holds lists need not be copied first.
  mutating func encodeInPlace(into writer: inout ByteWriter)
}

extension Message {
  @inlinable
  public mutating func encodeInPlace(into writer: inout ByteWriter) { encode(into: &writer) }
}

extension Message {
  /// Decodes a message that must fill `bytes` exactly.
  @inlinable
  public init(bytes: UnsafeRawBufferPointer, refusingUnknownFields: Bool = false) throws(WireError) {
    var reader = ByteReader(bytes, refusesUnknownFields: refusingUnknownFields)
    try self.init(from: &reader)
  }

  @inlinable
  public init(bytes: [UInt8], refusingUnknownFields: Bool = false) throws(WireError) {
    let result = bytes.withUnsafeBytes { raw -> Result<Self, WireError> in
      do throws(WireError) {
        return .success(try Self(bytes: raw, refusingUnknownFields: refusingUnknownFields))
      } catch {
        return .failure(error)
      }
    }
    self = try result.get()
  }

  @inlinable
  public func encoded() -> [UInt8] {
    var writer = ByteWriter()
    encode(into: &writer)
    return writer.array()
  }
}

/// Walks the fields of a message in ascending order: `ByteWriter` writes them, `ByteReader` reads them.
///
/// One list of fields serves both directions, so they cannot disagree. What has its default (0, false, empty, nil)
/// is not written, as in proto3; what is absent keeps the value it has.
public protocol FieldVisitor: ~Copyable {
  mutating func uint64(_ field: Int, _ value: inout UInt64) throws(WireError)
  mutating func uint32(_ field: Int, _ value: inout UInt32) throws(WireError)
  /// Zigzag-encoded (`sint64`).
  mutating func sint64(_ field: Int, _ value: inout Int64) throws(WireError)
  mutating func bool(_ field: Int, _ value: inout Bool) throws(WireError)
  /// `fixed64`, for numbers that are large as a rule.
  mutating func fixed64(_ field: Int, _ value: inout UInt64) throws(WireError)
  mutating func string(_ field: Int, _ value: inout String, max: Int) throws(WireError)
  mutating func bytes(_ field: Int, _ value: inout [UInt8], max: Int) throws(WireError)
  mutating func optional(_ field: Int, _ value: inout UInt64?) throws(WireError)
  mutating func optional(_ field: Int, _ value: inout String?, max: Int) throws(WireError)
  mutating func strings(_ field: Int, _ value: inout [String], max: Int, count: Int) throws(WireError)
  mutating func packed(_ field: Int, _ value: inout [UInt64], count: Int) throws(WireError)
  mutating func packed(_ field: Int, _ value: inout [UInt32], count: Int) throws(WireError)
  /// The same for numbers that are kept in place.
  mutating func packed<L: PackedList>(_ field: Int, _ value: inout L) throws(WireError)
  /// An enumeration whose cases are numbered; an unknown number is an error.
  mutating func enumeration<E: RawRepresentable<UInt32>>(_ field: Int, _ value: inout E) throws(WireError)
  mutating func message<M: Message>(_ field: Int, _ value: inout M?) throws(WireError)
  /// A message that is always written, also when it is empty.
  mutating func message<M: Message>(_ field: Int, _ value: inout M) throws(WireError)
  mutating func messages<M: Message>(_ field: Int, _ value: inout [M], count: Int) throws(WireError)
}

/// Numbers that are kept in place, where an array for each row would cost too much.
public protocol PackedList {
  var packedCount: Int { get }
  func packedNumber(at place: Int) -> UInt32
  /// Adds a number that was read; false when it makes no sense here, or is one too many.
  mutating func append(packed number: UInt32) -> Bool
}

/// A message that is a list of fields.
public protocol FieldMessage: Message {
  init()
  /// Names every field, in ascending order of their numbers.
  mutating func visit<V: FieldVisitor & ~Copyable>(_ fields: inout V) throws(WireError)
}

extension FieldMessage {
  @inlinable
  public init(from reader: inout ByteReader) throws(WireError) {
    self.init()
    try visit(&reader)
    try reader.finishFields()
  }

  @inlinable
  public func encode(into writer: inout ByteWriter) {
    var copy = self
    copy.encodeInPlace(into: &writer)
  }

  @inlinable
  public mutating func encodeInPlace(into writer: inout ByteWriter) {
    do throws(WireError) {
      try visit(&writer)
    } catch {
      preconditionFailure("writing a message never fails")
    }
  }
}
