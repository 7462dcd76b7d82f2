package import MusterBytes

/// The value of a field as people see it: numbers of things are shown as their names.
package enum FieldValue: Message, Hashable {
  case text(String)
  case number(UInt64)
  case signed(Int64)
  case flag(Bool)
  case texts([String])
  case bytes([UInt8])
  case nothing

  package func encode(into writer: inout ByteWriter) {
    switch self {
    case .text(let text):
      writer.tag(1, WireType.delimited)
      writer.varint(UInt64(text.utf8.count))
      writer.utf8(text)
    case .number(let number):
      writer.tag(2, WireType.varint)
      writer.varint(number)
    case .signed(let number):
      writer.tag(3, WireType.varint)
      writer.varint(UInt64(bitPattern: number << 1 ^ number >> 63))
    case .flag(let flag):
      writer.tag(4, WireType.varint)
      writer.byte(flag ? 1 : 0)
    case .texts(let texts):
      var list = TextList(texts)
      writer.message(5, &list)
    case .bytes(let bytes):
      writer.tag(6, WireType.delimited)
      writer.varint(UInt64(bytes.count))
      writer.raw(bytes)
    case .nothing:
      break
    }
  }

  package init(from reader: inout ByteReader) throws(WireError) {
    guard let next = try reader.peekTag() else {
      self = .nothing
      return
    }
    switch next.field {
    case 1:
      var text = ""
      try reader.string(1, &text, max: Limits.commitBytes)
      self = .text(text)
    case 2:
      var number: UInt64 = 0
      try reader.uint64(2, &number)
      self = .number(number)
    case 3:
      var number: Int64 = 0
      try reader.sint64(3, &number)
      self = .signed(number)
    case 4:
      guard next.type == WireType.varint else { throw .wireType(field: 4) }
      _ = try reader.varint()
      self = .flag(try reader.varint() != 0)
    case 5:
      var list = TextList([])
      try reader.message(5, &list)
      self = .texts(list.texts)
    case 6:
      var bytes: [UInt8] = []
      try reader.bytes(6, &bytes, max: Limits.commitBytes)
      self = .bytes(bytes)
    default:
      throw .noAlternative
    }
  }
}

private struct TextList: FieldMessage {
  var texts: [String] = []

  init() {}
  init(_ texts: [String]) { self.texts = texts }

  mutating func visit<V: FieldVisitor & ~Copyable>(_ fields: inout V) throws(WireError) {
    try fields.strings(1, &texts, max: Limits.commitBytes, count: Limits.commitBytes)
  }
}

/// A named value.
package struct FieldReport: FieldMessage, Hashable {
  package var name = ""
  package var value = FieldValue.nothing

  package init() {}
  package init(_ name: String, _ value: FieldValue) {
    self.name = name
    self.value = value
  }

  package mutating func visit<V: FieldVisitor & ~Copyable>(_ fields: inout V) throws(WireError) {
    try fields.string(1, &name, max: Limits.nameBytes)
    try fields.message(2, &value)
  }
}
