/// Reads the fields of messages in ascending order.
///
/// Every reading function looks whether its field comes next. If a lower number comes first it is one that this
/// version does not know: skipped or refused, as the reader was told.
extension ByteReader: FieldVisitor {
  /// Moves past the tag of `field` if it comes next, and says so.
  @inlinable @inline(__always)
  public mutating func advance(to field: Int, _ type: UInt64) throws(WireError) -> Bool {
    guard position < end else { return false }
    // The common cases: a one-byte tag that is the expected one, or that of a later field.
    let next = position.load(as: UInt8.self)
    if next < 0x80 && field < 16 {
      if next == UInt8(truncatingIfNeeded: UInt64(field) << 3 | type) {
        position += 1
        lastField = field
        return true
      }
      if Int(next >> 3) > field { return false }
    }
    return try search(field, type)
  }

  /// Passes unknown fields until the expected one, a later one or the end.
  @inline(never) @usableFromInline
  mutating func search(_ field: Int, _ type: UInt64) throws(WireError) -> Bool {
    while let next = try peekTag() {
      if next.field > field { return false }
      if next.field == field {
        guard next.type == type else { throw .wireType(field: field) }
        _ = try varint()
        lastField = field
        return true
      }
      try passUnknown(next.field)
    }
    return false
  }

  /// Moves past all that is left of this message.
  @inlinable
  public mutating func finishFields() throws(WireError) {
    while let next = try peekTag() { try passUnknown(next.field) }
  }

  @usableFromInline
  mutating func passUnknown(_ field: Int) throws(WireError) {
    guard field > lastField || field == lastUnknownField else { throw .fieldOrder(field: field) }
    guard !refusesUnknownFields else { throw .unknownField(field: field) }
    lastField = field
    lastUnknownField = field
    try skipField()
  }

  @inlinable
  public mutating func uint64(_ field: Int, _ value: inout UInt64) throws(WireError) {
    if try advance(to: field, WireType.varint) { value = try varint() }
  }

  @inlinable
  public mutating func uint32(_ field: Int, _ value: inout UInt32) throws(WireError) {
    if try advance(to: field, WireType.varint) {
      guard let narrow = UInt32(exactly: try varint()) else { throw .outOfRange(field: field) }
      value = narrow
    }
  }

  @inlinable
  public mutating func sint64(_ field: Int, _ value: inout Int64) throws(WireError) {
    if try advance(to: field, WireType.varint) {
      let zigzag = try varint()
      value = Int64(bitPattern: zigzag >> 1) ^ -Int64(bitPattern: zigzag & 1)
    }
  }

  @inlinable
  public mutating func bool(_ field: Int, _ value: inout Bool) throws(WireError) {
    if try advance(to: field, WireType.varint) {
      guard try varint() == 1 else { throw .outOfRange(field: field) }
      value = true
    }
  }

  @inlinable
  public mutating func fixed64(_ field: Int, _ value: inout UInt64) throws(WireError) {
    if try advance(to: field, WireType.fixed64) { value = try fixed() }
  }

  @inlinable
  public mutating func string(_ field: Int, _ value: inout String, max: Int) throws(WireError) {
    if try advance(to: field, WireType.delimited) { value = try readString(field, max) }
  }

  @inlinable
  public mutating func bytes(_ field: Int, _ value: inout [UInt8], max: Int) throws(WireError) {
    if try advance(to: field, WireType.delimited) {
      let content = try delimited()
      guard content.count <= max else { throw .tooLong(field: field, limit: max) }
      value = [UInt8](content)
    }
  }

  @inlinable
  public mutating func optional(_ field: Int, _ value: inout UInt64?) throws(WireError) {
    if try advance(to: field, WireType.varint) { value = try varint() }
  }

  @inlinable
  public mutating func optional(_ field: Int, _ value: inout String?, max: Int) throws(WireError) {
    if try advance(to: field, WireType.delimited) { value = try readString(field, max) }
  }

  @inlinable
  public mutating func strings(_ field: Int, _ value: inout [String], max: Int, count: Int) throws(WireError) {
    while try advance(to: field, WireType.delimited) {
      guard value.count < count else { throw .tooLong(field: field, limit: count) }
      value.append(try readString(field, max))
    }
  }

  @inlinable
  public mutating func packed(_ field: Int, _ value: inout [UInt64], count: Int) throws(WireError) {
    guard try advance(to: field, WireType.delimited) else { return }
    var list = ByteReader(try delimited())
    while !list.isAtEnd {
      guard value.count < count else { throw .tooLong(field: field, limit: count) }
      value.append(try list.varint())
    }
  }

  @inlinable
  public mutating func packed(_ field: Int, _ value: inout [UInt32], count: Int) throws(WireError) {
    guard try advance(to: field, WireType.delimited) else { return }
    var list = ByteReader(try delimited())
    while !list.isAtEnd {
      guard value.count < count else { throw .tooLong(field: field, limit: count) }
      guard let narrow = UInt32(exactly: try list.varint()) else { throw .outOfRange(field: field) }
      value.append(narrow)
    }
  }

  @inlinable
  public mutating func packed<L: PackedList>(_ field: Int, _ value: inout L) throws(WireError) {
    guard try advance(to: field, WireType.delimited) else { return }
    var list = ByteReader(try delimited())
    while !list.isAtEnd {
      guard let narrow = UInt32(exactly: try list.varint()), value.append(packed: narrow) else {
        throw .outOfRange(field: field)
      }
    }
  }

  @inlinable
  public mutating func enumeration<E: RawRepresentable<UInt32>>(_ field: Int, _ value: inout E) throws(WireError) {
    if try advance(to: field, WireType.varint) {
      guard let narrow = UInt32(exactly: try varint()), let known = E(rawValue: narrow) else {
        throw .outOfRange(field: field)
      }
      value = known
    }
  }

  @inlinable
  public mutating func message<M: Message>(_ field: Int, _ value: inout M?) throws(WireError) {
    if try advance(to: field, WireType.delimited) {
      var inner = try nested()
      value = try M(from: &inner)
    }
  }

  @inlinable
  public mutating func message<M: Message>(_ field: Int, _ value: inout M) throws(WireError) {
    if try advance(to: field, WireType.delimited) {
      var inner = try nested()
      value = try M(from: &inner)
    }
  }

  @inlinable
  public mutating func messages<M: Message>(_ field: Int, _ value: inout [M], count: Int) throws(WireError) {
    while try advance(to: field, WireType.delimited) {
      guard value.count < count else { throw .tooLong(field: field, limit: count) }
      var inner = try nested()
      value.append(try M(from: &inner))
    }
  }

  @usableFromInline
  mutating func readString(_ field: Int, _ max: Int) throws(WireError) -> String {
    let content = try delimited()
    guard content.count <= max else { throw .tooLong(field: field, limit: max) }
    // Nearly all of them are ASCII, which needs no validation of its own.
    if ByteReader.isASCII(content) { return String(decoding: content, as: UTF8.self) }
    guard let text = String(validating: content, as: UTF8.self) else { throw .notUTF8(field: field) }
    return text
  }

  private static func isASCII(_ bytes: UnsafeRawBufferPointer) -> Bool {
    var (gathered, place) = (UInt64(0), 0)
    while place + 8 <= bytes.count {
      gathered |= bytes.loadUnaligned(fromByteOffset: place, as: UInt64.self)
      place += 8
    }
    while place < bytes.count {
      gathered |= UInt64(bytes[place])
      place += 1
    }
    return gathered & 0x8080_8080_8080_8080 == 0
  }
}
