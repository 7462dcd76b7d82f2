/// Reads integers, strings and messages from bytes that may be hostile: every length is checked before it is used.
///
/// It borrows the memory it reads; whoever makes one keeps that memory alive and unchanged.
public struct ByteReader {
  @usableFromInline var position: UnsafeRawPointer
  @usableFromInline let end: UnsafeRawPointer
  /// How many messages may still nest below this one.
  @usableFromInline var depth: Int
  /// The highest field number read so far in this message.
  @usableFromInline var lastField = 0
  /// The last field that was skipped: an unknown repeated field may come again.
  @usableFromInline var lastUnknownField = 0
  /// Whether a field that this version does not know is an error (commands, stored events) or skipped (replies).
  public let refusesUnknownFields: Bool

  /// The deepest nesting any message of ours has, with room to spare.
  @inlinable public static var depthMax: Int { 16 }

  @inlinable
  public init(_ bytes: UnsafeRawBufferPointer, refusesUnknownFields: Bool = false) {
    self.init(bytes, refusesUnknownFields: refusesUnknownFields, depth: ByteReader.depthMax)
  }

  @inlinable
  init(_ bytes: UnsafeRawBufferPointer, refusesUnknownFields: Bool, depth: Int) {
    let start = bytes.baseAddress ?? UnsafeRawPointer(bitPattern: 1).unsafelyUnwrapped
    position = start
    end = start + bytes.count
    self.depth = depth
    self.refusesUnknownFields = refusesUnknownFields
  }

  @inlinable public var remaining: Int { end - position }
  @inlinable public var isAtEnd: Bool { position >= end }

  /// What has not been read yet.
  @inlinable public var rest: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: position, count: remaining) }

  @inlinable
  public mutating func byte() throws(WireError) -> UInt8 {
    guard position < end else { throw .truncated }
    let value = position.load(as: UInt8.self)
    position += 1
    return value
  }

  @inlinable
  public mutating func varint() throws(WireError) -> UInt64 {
    guard position < end else { throw .truncated }
    let first = position.load(as: UInt8.self)
    if first < 0x80 {
      position += 1
      return UInt64(first)
    }
    return try longVarint(first)
  }

  @usableFromInline
  mutating func longVarint(_ first: UInt8) throws(WireError) -> UInt64 {
    var value = UInt64(first & 0x7f)
    var shift: UInt64 = 7
    var cursor = position + 1
    while true {
      guard cursor < end else { throw .truncated }
      let next = cursor.load(as: UInt8.self)
      cursor += 1
      if shift == 63 && next > 1 { throw .varintNotMinimal }
      value |= UInt64(next & 0x7f) << shift
      if next < 0x80 {
        guard next != 0 else { throw .varintNotMinimal }
        position = cursor
        return value
      }
      shift += 7
      if shift > 63 { throw .varintNotMinimal }
    }
  }

  /// Reads a little-endian integer of its full width.
  @inlinable
  public mutating func fixed<T: FixedWidthInteger>(_: T.Type = T.self) throws(WireError) -> T {
    guard remaining >= MemoryLayout<T>.size else { throw .truncated }
    let value = position.loadUnaligned(as: T.self)
    position += MemoryLayout<T>.size
    return T(littleEndian: value)
  }

  /// Borrows the next `count` bytes.
  @inlinable
  public mutating func take(_ count: Int) throws(WireError) -> UnsafeRawBufferPointer {
    guard count >= 0, count <= remaining else { throw .truncated }
    defer { position += count }
    return UnsafeRawBufferPointer(start: position, count: count)
  }

  /// Borrows a varint-prefixed run of bytes.
  @inlinable
  public mutating func delimited() throws(WireError) -> UnsafeRawBufferPointer {
    let length = try varint()
    guard length <= UInt64(remaining) else { throw .truncated }
    return try take(Int(length))
  }

  /// A reader over a varint-prefixed message, one level deeper.
  @inlinable
  public mutating func nested() throws(WireError) -> ByteReader {
    guard depth > 0 else { throw .tooDeep }
    let bytes = try delimited()
    return ByteReader(bytes, refusesUnknownFields: refusesUnknownFields, depth: depth - 1)
  }

  /// The field number and wire type that come next, without moving; nil at the end.
  @inlinable
  public func peekTag() throws(WireError) -> (field: Int, type: UInt64)? {
    guard position < end else { return nil }
    var copy = self
    let tag = try copy.varint()
    guard tag >> 3 >= 1, tag >> 3 < 1 << 29 else { throw .outOfRange(field: 0) }
    return (Int(tag >> 3), tag & 7)
  }

  /// Moves past a tag and its value.
  public mutating func skipField() throws(WireError) {
    let tag = try varint()
    switch tag & 7 {
    case WireType.varint: _ = try varint()
    case WireType.fixed64: _ = try take(8)
    case WireType.delimited: _ = try delimited()
    case 5: _ = try take(4)
    default: throw .wireType(field: Int(truncatingIfNeeded: tag >> 3))
    }
  }
}
