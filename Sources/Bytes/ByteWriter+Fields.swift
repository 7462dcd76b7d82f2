/// Writes the fields of messages: what has its default is left out.
extension ByteWriter: FieldVisitor {
  @inlinable
  public mutating func uint64(_ field: Int, _ value: inout UInt64) {
    if value != 0 {
      tag(field, WireType.varint)
      varint(value)
    }
  }

  @inlinable
  public mutating func uint32(_ field: Int, _ value: inout UInt32) {
    if value != 0 {
      tag(field, WireType.varint)
      varint(UInt64(value))
    }
  }

  @inlinable
  public mutating func sint64(_ field: Int, _ value: inout Int64) {
    if value != 0 {
      tag(field, WireType.varint)
      varint(UInt64(bitPattern: (value << 1) ^ (value >> 63)))
    }
  }

  @inlinable
  public mutating func bool(_ field: Int, _ value: inout Bool) {
    if value {
      tag(field, WireType.varint)
      byte(1)
    }
  }

  @inlinable
  public mutating func fixed64(_ field: Int, _ value: inout UInt64) {
    if value != 0 {
      tag(field, WireType.fixed64)
      fixed(value)
    }
  }

  @inlinable
  public mutating func string(_ field: Int, _ value: inout String, max: Int) {
    if !value.isEmpty { writeString(field, value) }
  }

  @inlinable
  public mutating func bytes(_ field: Int, _ value: inout [UInt8], max: Int) {
    if !value.isEmpty {
      tag(field, WireType.delimited)
      varint(UInt64(value.count))
      raw(value)
    }
  }

  @inlinable
  public mutating func optional(_ field: Int, _ value: inout UInt64?) {
    if let value {
      tag(field, WireType.varint)
      varint(value)
    }
  }

  @inlinable
  public mutating func optional(_ field: Int, _ value: inout String?, max: Int) {
    if let value { writeString(field, value) }
  }

  @inlinable
  public mutating func strings(_ field: Int, _ value: inout [String], max: Int, count: Int) {
    for each in value { writeString(field, each) }
  }

  @inlinable
  public mutating func packed(_ field: Int, _ value: inout [UInt64], count: Int) {
    if value.isEmpty { return }
    let copy = value
    delimited(field) { writer in
      for each in copy { writer.varint(each) }
    }
  }

  @inlinable
  public mutating func packed(_ field: Int, _ value: inout [UInt32], count: Int) {
    if value.isEmpty { return }
    let copy = value
    delimited(field) { writer in
      for each in copy { writer.varint(UInt64(each)) }
    }
  }

  @inlinable
  public mutating func packed<L: PackedList>(_ field: Int, _ value: inout L) {
    if value.packedCount == 0 { return }
    let start = beginDelimited(field)
    for place in 0..<value.packedCount { varint(UInt64(value.packedNumber(at: place))) }
    endDelimited(start)
  }

  @inlinable
  public mutating func enumeration<E: RawRepresentable<UInt32>>(_ field: Int, _ value: inout E) {
    if value.rawValue != 0 {
      tag(field, WireType.varint)
      varint(UInt64(value.rawValue))
    }
  }

  @inlinable
  public mutating func message<M: Message>(_ field: Int, _ value: inout M?) {
    if var present = value { message(field, &present) }
  }

  @inlinable
  public mutating func message<M: Message>(_ field: Int, _ value: inout M) {
    let start = beginDelimited(field)
    value.encodeInPlace(into: &self)
    endDelimited(start)
  }

  /// Elements are copied one by one: to change them in place would copy the whole list first, since whoever encodes a
  /// message keeps it.
  @inlinable
  public mutating func messages<M: Message>(_ field: Int, _ value: inout [M], count: Int) {
    for var element in value { message(field, &element) }
  }

  @usableFromInline
  mutating func writeString(_ field: Int, _ value: String) {
    tag(field, WireType.delimited)
    varint(UInt64(value.utf8.count))
    utf8(value)
  }
}
